"""The open journal of a session at work: state and store kept in step, the inbox read into it.

Every write is fenced, and a cancelled caller never leaves the state behind the journal. Writes come from the loop,
from the speaker and from running tools; they are taken one after the other.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Sequence
from datetime import datetime
from functools import partial
from typing import Protocol

from bot.entries import Entry, Failed, Refused
from bot.heard import Delete, Edit, Heard, Message, Thread
from bot.session.closing import withdrawals
from bot.session.state import State
from bot.steering import Reading, Rules, interpret
from bot.store.rows import InboxRow, Row, Spend

log = logging.getLogger(__name__)

UNREADABLE = "I could not make sense of this message, so nothing was changed. Please say it in other words."


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
        self._later: list[Entry] = []

    async def open(self) -> None:
        """Read the journal."""
        self.bell.set()
        for row in await self.lease.load():
            self.state.apply(row.number, row.entry)

    def now(self) -> datetime:
        """The time, UTC."""
        return self._clock()

    async def write(self, *entries: Entry, spend: Spend | None = None) -> None:
        """Append and apply, or raise Fenced. Once begun it is finished even if the caller is cancelled."""
        await self._commit(lambda: entries, spend=spend)

    async def later(self, entry: Entry) -> None:
        """Apply an entry now and write it together with the next one, in one transaction.

        Only for what may be forgotten in a crash because it would come out the same again.
        """
        async with self._writing:
            self._later.append(entry)
            self._applied(entry)

    async def end(self, failed: Failed) -> None:
        """Write down that the run failed for good, together with the end of everything it asked."""
        await self._commit(lambda: self._ending(failed))

    def _ending(self, failed: Failed) -> Sequence[Entry]:
        if failed.seen and self.state.course > failed.seen:
            return (failed,)  # somebody spoke meanwhile: the run goes on, and so do its questions
        return (*withdrawals(self.state, failed.at, f"ended:{self.state.number}", "the work ended"), failed)

    async def _commit(
        self, make: Callable[[], Sequence[Entry]], consumed: int | None = None, spend: Spend | None = None
    ) -> None:
        task = asyncio.create_task(self._append(make, consumed, spend))
        try:
            await asyncio.shield(task)
        except asyncio.CancelledError:
            await asyncio.gather(task, return_exceptions=True)
            raise

    async def _append(self, make: Callable[[], Sequence[Entry]], consumed: int | None, spend: Spend | None) -> None:
        """What is written is decided under the lock, from the state that it will follow."""
        async with self._writing:
            entries = make()
            if not entries and consumed is None and spend is None:
                return
            length = await self.lease.append(*self._later, *entries, consumed=consumed, spend=spend)
            self._later.clear()
            for entry in entries:
                self._applied(entry)
            self._consumed = max(self._consumed, consumed or 0)
        if length > self._consumed:
            self.bell.set()
        for watcher in self.watchers:
            watcher.set()

    def _applied(self, entry: Entry) -> None:
        self.state.apply(self.state.number + 1, entry)
        self._observe(entry)

    async def drain(self) -> int:
        """Read what was said into the journal, in the order in which it was said. Returns how many messages."""
        async with self._reading:
            self.bell.clear()
            rows = await self.lease.inbox()
            for place, row in enumerate(spoken_order(rows), start=1):
                consumed = rows[-1].number if place == len(rows) else None
                await self._commit(partial(self._interpret, row), consumed)
            return len(rows)

    def _interpret(self, row: InboxRow) -> Sequence[Entry]:
        """A message that cannot be read must not keep the others waiting for ever."""
        try:
            return interpret(Reading(self.state, self._rules, row.at, row.key), row.heard)
        except Exception:
            log.exception("message %s of session %s could not be read", row.key, self.lease.session)
            author = None if isinstance(row.heard, Delete) else row.heard.author
            return [Refused(row.at, row.key, author, UNREADABLE)] if author else []


def spoken_order(rows: Sequence[InboxRow]) -> list[InboxRow]:
    """Messages by their own ids, which the chat product gave in order; everything else stays where it arrived.

    An edit or a deletion that overtook its message comes right after it.
    """
    messages = iter(sorted((row for row in rows if isinstance(row.heard, Message)), key=lambda row: _ts(row.heard)))
    ordered = [next(messages) if isinstance(row.heard, Message) else row for row in rows]
    places = {row.heard.ts: place for place, row in enumerate(ordered) if isinstance(row.heard, Message)}

    def rank(numbered: tuple[int, InboxRow]) -> tuple[int, bool, int]:
        place, heard = numbered[0], numbered[1].heard
        if isinstance(heard, Edit | Delete):
            return max(place, places.get(heard.ts, 0)), True, place
        return place, False, place

    return [row for _, row in sorted(enumerate(ordered), key=rank)]


def _ts(heard: Heard) -> tuple[float, str]:
    ts = heard.ts if isinstance(heard, Message) else ""
    try:
        return float(ts), ts
    except ValueError:
        return 0.0, ts
