"""`python -m bot.playground`: a playground as a process of its own.

Prints one line of JSON ({"url", "api_url", "bot_token", "app_token", "signing_secret"}) once it is ready, and
ends on SIGTERM or SIGINT. --parent ends it too when the process that started it is gone.
"""

import argparse
import asyncio
import json
import os
import signal
import sys

from bot.playground.limits import UNLIMITED, Limits
from bot.playground.server import Options, serve_playground


def _options() -> tuple[Options, bool]:
    parser = argparse.ArgumentParser(prog="python -m bot.playground", description="A local Slack-like workspace.")
    parser.add_argument("--port", type=int, default=0, help="port on 127.0.0.1 (0: any free one)")
    parser.add_argument("--control", action="store_true", help="open /_control, the tests' switches")
    parser.add_argument("--no-rates", action="store_true", help="answer every call, however many there are")
    parser.add_argument("--parent", action="store_true", help="end when the starting process is gone")
    given = parser.parse_args()
    return Options(given.port, given.control, UNLIMITED if given.no_rates else Limits()), given.parent


async def _orphaned(parent: int) -> None:
    while os.getppid() == parent:  # noqa: ASYNC110 - the system tells nobody
        await asyncio.sleep(0.5)


async def _serve(options: Options, watched: bool) -> None:
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for each in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(each, stop.set)
    watch = asyncio.create_task(_orphaned(os.getppid())) if watched else None
    if watch:
        watch.add_done_callback(lambda _: stop.set())
    async with serve_playground(options) as playground:
        ready = {
            "url": playground.url,
            "api_url": playground.api_url,
            "bot_token": playground.bot_token,
            "app_token": playground.app_token,
            "signing_secret": playground.signing_secret,
        }
        sys.stdout.write(json.dumps(ready) + "\n")
        sys.stdout.flush()
        await stop.wait()
    if watch:
        watch.cancel()


if __name__ == "__main__":
    asyncio.run(_serve(*_options()))
