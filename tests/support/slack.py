"""A Slack surface on a playground, with the people of the conformance suite around it."""

from __future__ import annotations

import hashlib
import time
from collections.abc import AsyncGenerator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

from bot.entries import Deliverable
from bot.heard import FileRef, Heard, Person, Thread
from bot.playground import UNLIMITED, Limits, Playground
from bot.surfaces.slack import SlackSettings, SlackSurface
from bot.surfaces.slack.app import SlackDoor
from bot.surfaces.slack.home import Facts
from bot.surfaces.slack.reading import files, shown
from bot.surfaces.slack.wire import Obj, objs, text
from tests.support.playground import playground
from tests.support.surface_suite import Lost, Shown
from tests.support.waiting import until_true

METHODS: dict[Lost, str] = {
    "post": "chat.postMessage",
    "file": "files.completeUploadExternal",
    "update": "chat.update",
}
MARIA = Person("TACME/UMARIA", "maria")


def settings_for(opened: Playground, **more: Any) -> SlackSettings:
    """Settings that reach the playground by Socket Mode."""
    plain = SlackSettings(bot_token=opened.bot_token, app_token=opened.app_token, api_url=opened.api_url)
    return replace(plain, **more)


class SlackBench:
    """Implements tests.support.surface_suite.Bench."""

    def __init__(self, opened: Playground, surface: SlackSurface, blobs: Path) -> None:
        self.playground, self.surface, self.blobs = opened, surface, blobs
        self.driver = opened.driver
        self.person = MARIA
        self.channel = "CGENERAL"

    async def thread(self, text: str) -> Thread:
        ts = await self.driver.say("maria", self.channel, text)
        return Thread("slack", "TACME", self.channel, ts)

    async def say(self, thread: Thread, text: str, file: tuple[str, bytes] | None = None) -> tuple[str, FileRef | None]:
        sent = [file] if file else None
        ts = await self.driver.say("maria", thread.channel, text, thread.root, sent)
        if not file:
            return ts, None
        (found,) = [m for m in await self.driver.messages(thread.channel, thread.root) if m["ts"] == ts]
        return ts, files(found)[0]

    async def raw(self, thread: Thread) -> list[Obj]:
        """The bot's messages as Slack has them, ephemeral ones too."""
        messages = await self.driver.messages(thread.channel, thread.root)
        return [m for m in messages if m["user"] == "UTHREADHAND"]

    async def shown(self, thread: Thread) -> list[Shown]:
        return [
            Shown(m["ts"], words(m), tuple(text(f.get("name")) for f in objs(m.get("files"))))
            for m in await self.raw(thread)
            if not m["visible_to"]
        ]

    async def whispers(self, thread: Thread) -> list[str]:
        return [words(m) for m in await self.raw(thread) if m["visible_to"] == "UMARIA"]

    async def lose(self, what: Lost) -> None:
        await self.driver.fail(METHODS[what], "cut", when="after")

    async def refuse(self, what: Lost) -> None:
        await self.driver.fail(METHODS[what], "429")

    def deliverable(self, name: str, data: bytes) -> Deliverable:
        digest = hashlib.sha256(data).hexdigest()
        (self.blobs / digest).write_bytes(data)
        return Deliverable(name, digest, len(data), "application/octet-stream")

    async def until(self, condition: Callable[[], Awaitable[bool]]) -> None:
        await until_true(condition)


def words(message: Obj) -> str:
    """Everything a person reads of a message, button labels too, without the invisible joiners."""
    labels = [
        text(element.get("text", {}).get("text"))
        for block in objs(message.get("blocks"))
        if block.get("type") == "actions"
        for element in objs(block.get("elements"))
    ]
    return "\n".join([shown(message, {}), *labels])


@asynccontextmanager
async def bench_on(
    opened: Playground,
    blobs: Path,
    *,
    clock: Callable[[], float] = time.monotonic,
    settings: Mapping[str, Any] | None = None,
) -> AsyncGenerator[SlackBench]:
    """A surface of its own on a playground that others may use too. `settings` are fields of SlackSettings."""
    surface = SlackSurface(settings_for(opened, **(settings or {})), blobs.joinpath, clock=clock)
    try:
        yield SlackBench(opened, surface, blobs)
    finally:
        await surface.close()


@asynccontextmanager
async def slack_bench(
    blobs: Path, limits: Limits = UNLIMITED, *, settings: Mapping[str, Any] | None = None
) -> AsyncGenerator[SlackBench]:
    """A playground with a surface that only speaks; nothing listens."""
    async with playground(limits) as opened, bench_on(opened, blobs, settings=settings) as bench:
        yield bench


class Heap:
    """An inbox that keeps what it is given, by key. `broken` makes it fail; `takes` is what it answers."""

    def __init__(self) -> None:
        self.items: dict[str, tuple[Thread, Heard, bool]] = {}
        self.calls: list[str] = []
        self.broken = 0
        self.takes = True

    async def __call__(self, thread: Thread, heard: Heard, key: str, opens: bool) -> bool:
        self.calls.append(key)
        if self.broken:
            self.broken -= 1
            raise OSError("the database is away")
        self.items.setdefault(key, (thread, heard, opens))
        return self.takes

    def of(self, kind: type[Any]) -> list[Any]:
        """What was heard of one kind, in the order it came."""
        return [heard for _, heard, _ in self.items.values() if isinstance(heard, kind)]


@asynccontextmanager
async def listening(bench: SlackBench, inbox: Heap, facts: Facts | None = None) -> AsyncGenerator[SlackDoor]:
    """The door of the bench's surface, connected by Socket Mode."""
    door = SlackDoor(bench.surface, inbox, facts)
    door.start()
    try:
        await bench.driver.wait_for_app()
        yield door
    finally:
        await door.close()
