"""The open journal of a session at work: state and store kept in step, the inbox read into it.

Every write is fenced, and a cancelled caller never leaves the state behind the journal. Writes come from the loop,
from the speaker and from running tools; they are taken one after the other.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from datetime import datetime
from typing import Protocol

from bot.entries import Entry
from bot.heard import Heard, Message, Thread
from bot.session.state import State
from bot.steering import Reading, Rules, interpret
from bot.store.rows import InboxRow, Row, Spend


class Fence(Protocol):
    """The part of the store's lease that a session at work uses. Writes raise bot.store.Fenced."""

    @property
    def session(self) -> str: ...

    @property
    def thread(self) -> Thread: ...

    async def load(self) -> list[Row]: ...

    async def inbox(self) -> list[InboxRow]: ...

    async def append(self, *entries: Entry, consumed: int | None = None, spend: Spend | None = None) -> int: ...

    def guard(self) -> None: ...


class Book:
    """Opened once per lease with `open`."""

    def __init__(
        self,
        lease: Fence,
        rules: Rules,
        clock: Callable[[], datetime],
        observe: Callable[[Entry], None] = lambda _: None,
    ) -> None:
        self.lease = lease
        self.state = State(lease.thread)
        self.bell = asyncio.Event()
        """Set when somebody may have spoken."""
        self.watchers: list[asyncio.Event] = []
        """Set whenever the journal grew."""
        self._rules, self._clock, self._observe = rules, clock, observe
        self._writing = asyncio.Lock()
        self._reading = asyncio.Lock()
        self._consumed = 0

    async def open(self) -> None:
        """Read the journal."""
        for row in await self.lease.load():
            self.state.apply(row.number, row.entry)

    def now(self) -> datetime:
        """The time, UTC."""
        return self._clock()

    async def write(self, *entries: Entry, consumed: int | None = None, spend: Spend | None = None) -> None:
        """Append and apply, or raise Fenced. Once begun it is finished even if the caller is cancelled."""
        task = asyncio.create_task(self._write(entries, consumed, spend))
        try:
            await asyncio.shield(task)
        except asyncio.CancelledError:
            await asyncio.gather(task, return_exceptions=True)
            raise

    async def _write(self, entries: tuple[Entry, ...], consumed: int | None, spend: Spend | None) -> None:
        async with self._writing:
            length = await self.lease.append(*entries, consumed=consumed, spend=spend)
            for entry in entries:
                self.state.apply(self.state.number + 1, entry)
                self._observe(entry)
            self._consumed = max(self._consumed, consumed or 0)
        if length > self._consumed:
            self.bell.set()
        for watcher in self.watchers:
            watcher.set()

    async def drain(self) -> int:
        """Read what was said into the journal, in the order in which it was said. Returns how many messages."""
        async with self._reading:
            self.bell.clear()
            rows = await self.lease.inbox()
            if not rows:
                return 0
            for row in spoken_order(rows):
                reading = Reading(self.state, self._rules, row.at, row.key)
                if entries := interpret(reading, row.heard):
                    await self.write(*entries)
            await self.write(consumed=rows[-1].number)
            return len(rows)


def spoken_order(rows: Sequence[InboxRow]) -> list[InboxRow]:
    """Messages by their own ids, which the chat product gave in order; everything else stays where it arrived."""
    messages = iter(sorted((row for row in rows if isinstance(row.heard, Message)), key=lambda row: _ts(row.heard)))
    return [next(messages) if isinstance(row.heard, Message) else row for row in rows]


def _ts(heard: Heard) -> tuple[float, str]:
    ts = heard.ts if isinstance(heard, Message) else ""
    try:
        return float(ts), ts
    except ValueError:
        return 0.0, ts
