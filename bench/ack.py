"""How soon Slack's events are acknowledged when 200 mentions come at once, against a plain Bolt app that only echoes.

Both are processes of their own that get the same signed HTTP requests. Ours has written each to disk by then; the
echo app answers in the thread, as the simplest useful bot would.
"""

from __future__ import annotations

import asyncio
import hashlib
import hmac
import json
import statistics
import sys
import tempfile
import time
from pathlib import Path

import aiohttp

from bench.figures import line
from bot.playground import BOT_USER, SIGNING_SECRET
from tests.support.deployment import Process, deployment
from tests.support.echo import echo
from tests.support.playground import playground
from tests.support.responses import ResponsesServer
from tests.support.servers import free_port
from tests.support.waiting import until_true

BURST = 200
ECHO = """
import os, sys
from slack_bolt.async_app import AsyncApp
from slack_bolt.adapter.starlette.async_handler import AsyncSlackRequestHandler
from slack_sdk.web.async_client import AsyncWebClient
from starlette.applications import Starlette
from starlette.routing import Route
import uvicorn
client = AsyncWebClient(token=sys.argv[2], base_url=sys.argv[3])
app = AsyncApp(client=client, signing_secret=sys.argv[4])
@app.event("app_mention")
async def mention(event, say):
    await say(text=event["text"], thread_ts=event["ts"])
@app.event("message")
async def message():
    pass
handler = AsyncSlackRequestHandler(app)
async def post(request):
    return await handler.handle(request)
routes = [Route("/slack/events", post, methods=["POST"])]
uvicorn.run(Starlette(routes=routes), port=int(sys.argv[1]), log_level="error")
"""


def mention(ts: str, channel: str, team: str, person: str) -> bytes:
    """One app_mention as Slack sends it, of a message that stands in the channel."""
    event = {"type": "app_mention", "user": person, "text": f"<@{BOT_USER}> M1", "ts": ts, "channel": channel}
    body = {"token": "t", "team_id": team, "api_app_id": "A", "type": "event_callback", "event_id": f"Ev{ts}"}
    return json.dumps({**body, "event_time": int(time.time()), "event": {**event, "event_ts": ts}}).encode()


def signed(body: bytes) -> dict[str, str]:
    """Headers with Slack's signature."""
    stamp = str(int(time.time()))
    digest = hmac.new(SIGNING_SECRET.encode(), b"v0:" + stamp.encode() + b":" + body, hashlib.sha256).hexdigest()
    return {
        "Content-Type": "application/json",
        "X-Slack-Request-Timestamp": stamp,
        "X-Slack-Signature": f"v0={digest}",
    }


async def burst(url: str, bodies: list[bytes]) -> list[float]:
    """Seconds until each was acknowledged."""
    async with aiohttp.ClientSession(connector=aiohttp.TCPConnector(limit=0)) as http:

        async def one(body: bytes) -> float:
            began = time.perf_counter()
            async with http.post(url, data=body, headers=signed(body)) as answer:
                assert answer.status == 200, await answer.text()
            return time.perf_counter() - began

        return list(await asyncio.gather(*(one(body) for body in bodies)))


async def listening(port: int) -> None:
    """Wait until somebody listens there."""

    async def open_() -> bool:
        try:
            _, writer = await asyncio.open_connection("127.0.0.1", port)
        except OSError:
            return False
        writer.close()
        return True

    await until_true(open_)


async def resting(process: Process) -> None:
    """Wait until it has done what came of the burst before: a second in which it hardly computes."""
    clock = Path(f"/proc/{process.pid}/stat")

    def ticks() -> int:
        return sum(int(field) for field in clock.read_text().rpartition(")")[2].split()[11:13])

    before = ticks()
    await asyncio.sleep(1)
    while ticks() - before > 5:
        before = ticks()
        await asyncio.sleep(1)


async def main() -> None:
    """Three bursts each, in turn."""
    with tempfile.TemporaryDirectory() as folder:
        async with playground() as slack, ResponsesServer(echo) as model:
            people = slack.site.workspace.people
            maria = next(person for person in people.values() if person.handle == "maria")
            channel = next(one.id for one in slack.site.workspace.channels.values() if one.name == "general")
            port = free_port()
            command = (sys.executable, "-c", ECHO, str(port), slack.bot_token, slack.api_url, SIGNING_SECRET)
            peer = await asyncio.create_subprocess_exec(*command)
            environment = {
                "SLACK_BOT_TOKEN": slack.bot_token,
                "SLACK_SIGNING_SECRET": SIGNING_SECRET,
                "SLACK_API_URL": slack.api_url,
                "OPENAI_BASE_URL": model.url,
                "THREADHAND_LOG_LEVEL": "warning",
            }
            try:
                async with deployment(Path(folder), environment) as deployed:
                    ours = deployed.add()
                    await ours.start()
                    await ours.healthy()
                    await listening(port)
                    mine: list[float] = []
                    theirs: list[float] = []
                    for _ in range(3):
                        await resting(ours)
                        said = [await slack.driver.say("maria", "#general", "hello") for _ in range(BURST)]
                        bodies = [mention(ts, channel, maria.team, maria.id) for ts in said]
                        theirs += await burst(f"http://127.0.0.1:{port}/slack/events", bodies)
                        mine += await burst(f"{ours.url}/slack/events", bodies)
            finally:
                peer.terminate()
                await peer.wait()
    print(line("threadhand, acknowledged after it is on disk", mine))
    print(line("plain Bolt echo app", theirs))
    print(f"ratio of medians: {statistics.median(mine) / statistics.median(theirs):.2f} (aim 1.5)")
    print(f"over three seconds: {sum(one > 3 for one in mine)} of {len(mine)}")
