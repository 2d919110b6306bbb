"""Slack delivers over HTTP: signed requests are heard, forged and replayed ones are turned away."""

from __future__ import annotations

import hashlib
import hmac
import io
import json
import time
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from pathlib import Path

import aiohttp

from bot.heard import Message, Press
from bot.playground import SIGNING_SECRET, Limits
from bot.surfaces.slack import SlackDoor
from tests.bot.surfaces.slack.test_buttons import ASK
from tests.support.slack import Heap, SlackBench, slack_bench
from tests.support.waiting import until
from tests.support.web import serve

QUICK = Limits(rates=False, retry_seconds=(0.05, 0.1, *[0.3] * 20))


@asynccontextmanager
async def office(tmp_path: Path) -> AsyncGenerator[tuple[SlackBench, Heap, str]]:
    by_http = {"app_token": "", "signing_secret": SIGNING_SECRET}
    async with slack_bench(tmp_path, QUICK, settings=by_http) as bench:
        heap = Heap()
        door = SlackDoor(bench.surface, heap)
        door.start()
        async with serve(door.routes()) as url:
            await bench.driver.deliver_to(f"{url}/slack/events")
            yield bench, heap, url
        await door.close()


async def test_a_mention_over_http_is_heard_once(tmp_path: Path) -> None:
    async with office(tmp_path) as (bench, heap, _):
        ts = await bench.driver.say("maria", "#general", "<@UTHREADHAND> hello")
        await until(lambda: len(heap.calls) >= 2)
        assert set(heap.calls) == {f"message:TACME:CGENERAL:{ts}"}


async def test_an_event_that_was_not_written_down_is_delivered_again(tmp_path: Path) -> None:
    async with office(tmp_path) as (bench, heap, _):
        heap.broken = 2
        await bench.driver.say("maria", "dm", "do not lose me")
        await until(lambda: len(heap.items) == 1)
        assert [m.text for m in heap.of(Message)] == ["do not lose me"]


async def test_buttons_work_over_http(tmp_path: Path) -> None:
    async with office(tmp_path) as (bench, heap, _):
        thread = await bench.thread("hello")
        message = await bench.surface.post(thread, ASK, "k1")
        assert await bench.driver.press("maria", "#general", message, "Send") == {}
        await until(lambda: len(heap.of(Press)) == 1)


def _signed(body: bytes, secret: str, moment: int) -> dict[str, str]:
    base = b"v0:%d:%s" % (moment, body)
    signature = "v0=" + hmac.new(secret.encode(), base, hashlib.sha256).hexdigest()
    headers = {"X-Slack-Request-Timestamp": str(moment), "X-Slack-Signature": signature}
    return {**headers, "Content-Type": "application/json"}


async def test_forged_replayed_and_broken_requests_are_turned_away(tmp_path: Path) -> None:
    event = {"type": "message", "channel": "CGENERAL", "channel_type": "channel", "user": "UMARIA", "ts": "1.1"}
    callback = {"type": "event_callback", "team_id": "TACME", "event_id": "Ev1", "event": {**event, "text": "hi"}}
    body, now = json.dumps(callback).encode(), int(time.time())
    tries = [
        (body, _signed(body, SIGNING_SECRET, now), 200),
        (body, _signed(body, "another-secret-not-real", now), 401),
        (body, _signed(body, SIGNING_SECRET, now - 600), 401),
        (body.replace(b"hi", b"ho"), _signed(body, SIGNING_SECRET, now), 401),
        (body, {"Content-Type": "application/json"}, 401),
        (b"{not json", _signed(b"{not json", SIGNING_SECRET, now), 400),
        (b"\xff\xfe", _signed(b"\xff\xfe", SIGNING_SECRET, now), 400),
        (b"x" * 6_000_000, _signed(b"", SIGNING_SECRET, now), 413),
    ]
    async with office(tmp_path) as (_, heap, url), aiohttp.ClientSession() as session:
        for sent, headers, status in tries:
            async with session.post(f"{url}/slack/events", data=io.BytesIO(sent), headers=headers) as answer:
                assert answer.status == status
        assert [m.text for m in heap.of(Message)] == ["hi"]
