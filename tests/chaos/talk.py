"""Many people talking to the bot in many threads at once; every message carries a mark that the answers must show.

They talk as fast as they are answered: at most `AHEAD` messages wait at any time, whatever happens to the product.
"""

from __future__ import annotations

import asyncio
import random
import re
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field

from bot.playground import Driver
from bot.playground.shapes import Obj, as_objs

BOT = "<@UTHREADHAND>"
PEOPLE = ("maria", "ben", "ada")
CHANNELS = ("#general", "#sales")
AHEAD = 100
LONGEST = 6
"""Messages of people in one thread at most."""
RECENT = 40
"""Threads that are talked in at a time."""
_MARK = re.compile(r"\bM\d+\b")
_ANSWER = re.compile(r"done:[ M0-9]*")


@dataclass
class Conversation:
    """One thread: who began it, and the marks said in it, in order."""

    channel: str
    ts: str
    person: str
    marks: list[str] = field(default_factory=list[str])


@dataclass
class Talk:
    """`say_all` talks; `answered` grows as answers are seen in the threads."""

    driver: Driver
    total: int
    seed: int
    threads: list[Conversation] = field(default_factory=list[Conversation])
    answered: set[str] = field(default_factory=set[str])
    said: int = 0
    _news: asyncio.Condition = field(default_factory=asyncio.Condition)

    async def say_all(self) -> None:
        """Say everything, follow-ups included, then return."""
        dice = random.Random(self.seed)
        while self.said < self.total:
            await self.until_answered(self.said - AHEAD)
            await self._say(dice)

    async def _say(self, dice: random.Random) -> None:
        self.said += 1
        mark = f"M{self.said}"
        words = f"{mark} with a tool" if dice.random() < 0.1 else f"what about {mark}?"
        going = [thread for thread in self.threads[-RECENT:] if len(thread.marks) < LONGEST]
        if len(going) < RECENT // 2 or dice.random() < 0.2:
            person, channel = dice.choice(PEOPLE), dice.choice(CHANNELS)
            ts = await self.driver.say(person, channel, f"{BOT} {words}")
            self.threads.append(Conversation(channel, ts, person, [mark]))
            return
        thread = dice.choice(going)
        await self.driver.say(thread.person, thread.channel, words, thread.ts)
        thread.marks.append(mark)

    async def until_answered(self, count: int) -> None:
        """Return once so many messages were answered."""
        async with self._news:
            await self._news.wait_for(lambda: len(self.answered) >= count)

    @asynccontextmanager
    async def watched(self) -> AsyncGenerator[None]:
        """Look for answers meanwhile."""
        watching = asyncio.create_task(self._watch())
        try:
            yield
        finally:
            watching.cancel()
            with suppress(asyncio.CancelledError):
                await watching

    async def _watch(self) -> None:
        while True:
            for channel in CHANNELS:
                for message in await self.driver.messages(channel):
                    if message.get("bot_id"):
                        self.answered.update(marks_of(message))
            async with self._news:
                self._news.notify_all()
            await asyncio.sleep(0.5)


def marks_of(message: Obj) -> list[str]:
    """The marks that a message of the bot answers, in order; none if it is no answer."""
    if "done:" not in str(message):
        return []
    texts = [str(block.get("text", "")) for block in as_objs(message.get("blocks")) if block.get("type") == "markdown"]
    found = _ANSWER.search("\n".join(texts) or str(message.get("text", "")))
    return _MARK.findall(found.group()) if found else []


def key_of(message: Obj) -> str:
    """The key under which the bot made a message; empty when it has none."""
    metadata: Obj = message.get("metadata") or {}
    payload: Obj = metadata.get("event_payload") or {}
    return str(payload.get("key", ""))
