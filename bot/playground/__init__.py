"""A local, strict, Slack-compatible workspace with a page in the browser: a peer of the real service.

It stands alone (nothing else of `bot` is imported here) and keeps everything in memory. An unmodified Bolt app
talks to it over HTTP and WebSocket; people use its page; tests use a `Driver`, which goes through the same doors.

    from bot.playground import Limits, Options, serve_playground

    async with serve_playground(Options(limits=Limits(rates=False))) as playground:
        playground.url, playground.api_url               # page; SLACK_API_URL
        playground.bot_token, playground.app_token, playground.signing_secret
        ts = await playground.driver.say("maria", "#general", "<@UTHREADHAND> hello")

`python -m bot.playground --port 0 --control` runs one as a process of its own and prints its addresses as one
line of JSON; `remote_driver(url)` then drives it. People: maria (member), ben, ada (admin), gus (guest), olga
(outsider, in #acme-shared), nora (of the second workspace). Channels: #general, #sales, #acme-shared, 'dm'.
"""

from bot.playground.chaos import Fault
from bot.playground.driver import Driver, remote_driver
from bot.playground.limits import UNLIMITED, Limits
from bot.playground.people import (
    ACME,
    APP_ID,
    APP_TOKEN,
    BOT_TOKEN,
    BOT_USER,
    CLIENT_ID,
    CLIENT_SECRET,
    NORTH,
    PARTNER,
    SIGNING_SECRET,
)
from bot.playground.server import Options, Playground, serve_playground
from bot.playground.shapes import SlackError

__all__ = [
    "ACME",
    "APP_ID",
    "APP_TOKEN",
    "BOT_TOKEN",
    "BOT_USER",
    "CLIENT_ID",
    "CLIENT_SECRET",
    "NORTH",
    "PARTNER",
    "SIGNING_SECRET",
    "UNLIMITED",
    "Driver",
    "Fault",
    "Limits",
    "Options",
    "Playground",
    "SlackError",
    "remote_driver",
    "serve_playground",
]
