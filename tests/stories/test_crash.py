"""A worker may die at any moment: another one finishes, and the thread looks as if nothing had happened.

Each life of a worker is cut off before or after its n-th write to the journal; from then on nothing of it gets
through, as if the process had been killed or had slept past its lease.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from pathlib import Path

import pytest

from bot.agent.loop import Loop
from bot.agent.parts import Parts
from bot.entries import Entry, Finished
from bot.heard import Press, Thread
from bot.outgoing import Confirmation, Record, StatusCard
from bot.session.state import SENT
from bot.store import Fenced, InboxRow, Lease, Projection, Row, Spend
from bot.surface import Unavailable
from tests.support.fake_surface import Effect
from tests.support.machine import FakeBackend
from tests.support.office import MARIA, QUICK, Office, Wishes, office
from tests.support.origin import Origin, origin
from tests.support.posting import posting
from tests.support.replies import Turn, calls, says
from tests.support.responses import Received

MOST = 60
"""More writes than a whole run has."""


class Mortal:
    """A lease whose worker dies at its `at`-th append: before it is written, or right after."""

    def __init__(self, lease: Lease, at: int, *, after: bool) -> None:
        self._lease, self._left, self._after = lease, at, after
        self.dead = False

    @property
    def session(self) -> str:
        return self._lease.session

    @property
    def thread(self) -> Thread:
        return self._lease.thread

    async def load(self) -> list[Row]:
        return await self._lease.load()

    async def inbox(self) -> list[InboxRow]:
        self._alive()
        return await self._lease.inbox()

    async def append(self, *entries: Entry, consumed: int | None = None, spend: Spend | None = None) -> int:
        self._alive()
        self._left -= 1
        if self._left <= 0 and not self._after:
            self._die()
        length = await self._lease.append(*entries, consumed=consumed, spend=spend)
        if self._left <= 0:
            self._die()
        return length

    async def settle(self, shown: Projection, *, wake_at: datetime | None, unfinished: bool) -> None:
        self._alive()
        await self._lease.settle(shown, wake_at=wake_at, unfinished=unfinished)

    async def release(self, *, wake_at: datetime | None) -> bool:
        self._alive()
        return await self._lease.release(wake_at=wake_at)

    async def hand_over(self) -> None:
        self._alive()
        await self._lease.hand_over()

    def guard(self) -> None:
        self._alive()
        self._lease.guard()

    def _die(self) -> None:
        self.dead = True
        self._alive()

    def _alive(self) -> None:
        if self.dead:
            raise Fenced(self.session, self._lease.fence, "this worker was killed")


@dataclass
class Fate:
    """One session and its workers, one life after the other."""

    work: Office
    site: Origin
    thread: Thread
    pressed: set[str] = field(default_factory=set[str])

    def parts(self) -> Parts:
        return replace(self.work.parts, patience=replace(QUICK, rest=0.01))

    async def live(self, at: int, *, after: bool = False) -> bool:
        """Work until the session rests or the worker dies; whether it died."""
        lease = await self.work.store.acquire(self.thread.session, f"w{at}", 60)
        assert isinstance(lease, Lease)
        mortal = Mortal(lease, at, after=after)
        try:
            await Loop(mortal, self.parts()).work()
        except Fenced:
            self.work.clock.ahead += timedelta(seconds=61)
        return mortal.dead

    async def agree(self) -> None:
        """Maria presses yes on every new confirmation."""
        for card in self.work.shown(self.thread, Confirmation):
            if card.ask not in self.pressed:
                self.pressed.add(card.ask)
                key = f"press:{card.ask}"
                press = Press(MARIA, card.ask, card.version, "yes")
                await self.work.inbox.post(self.thread, press, key, opens=False)

    async def finish(self) -> None:
        """Live on, undisturbed, until everything is said."""
        for _ in range(8):
            await self.agree()
            await self.live(1000)
            state = await self.work.state(self.thread)
            if "settled:1" in state.posted:
                return
            self.work.clock.ahead += timedelta(seconds=5)
        raise AssertionError("the session does not come to an end")

    async def right(self) -> None:
        """What must be true whatever happened."""
        work, thread = self.work, self.thread
        state = await work.state(thread)
        assert [text for text in work.replies(thread) if text.startswith("Ordered.")] == ["Ordered."]
        assert len(work.shown(thread, StatusCard)) == 1
        assert work.card(thread).state == "done"
        assert work.surface.marks[-1].mark == "done"
        assert len([file for file in work.surface.files(thread) if file.name == "receipt.txt"]) == 1
        assert not any(one.streaming for one in work.surface.seen(thread))
        assert work.shown(thread, Confirmation) == []
        sends = [call for call in state.calls.values() if call.name == SENT]
        yeses = [record for record in work.shown(thread, Record) if "approved" in record.outcome]
        assert len(self.site.writes()) <= len(yeses)
        if len(yeses) == 1 and not any(call.finished and call.finished.unknown for call in sends):
            assert len(self.site.writes()) == 1
        unknown = [entry for _, entry in state.entries if isinstance(entry, Finished) and entry.unknown]
        assert not unknown or any(entry.output in str(work.server.requests[-1].body["input"]) for entry in unknown)
        assert await work.store.verify(thread.session) is None


def brain(site: Origin):
    """Plan, order, prepare a file, answer: by how much was done, not by how often it was asked."""

    def think(received: Received) -> Turn:
        items: list[dict[str, object]] = received.body["input"]
        done = sum(item.get("type") == "function_call_output" for item in items)
        match done:
            case 0:
                return calls("plan", goal="Order chairs", steps=[{"text": "Order", "state": "doing"}])
            case 1:
                return calls("shell", command=f"post {site.url('/orders')} seven chairs")
            case 2:
                return calls("write_file", path="receipt.txt", content="seven chairs")
            case 3:
                return calls("deliver_file", path="receipt.txt")
            case _:
                return says("Ordered.", "final_answer")

    return think


@asynccontextmanager
async def fate(folder: Path) -> AsyncGenerator[Fate]:
    async with origin("127.0.0.1") as site:
        wishes = Wishes(backend=FakeBackend(posting), allow=frozenset({f"127.0.0.1:{site.port}"}))
        async with office(folder, brain(site), wishes) as work:
            await work.leave()
            thread, _ = await work.say(MARIA, "order seven chairs and give me a receipt")
            yield Fate(work, site, thread)


async def _dies(folder: Path, at: int, *, after: bool) -> bool:
    """A run whose workers die at the `at`-th write of their life, once before and once after Maria's yes."""
    async with fate(folder) as story:
        died = await story.live(at, after=after)
        await story.agree()
        died = await story.live(at, after=after) or died
        await story.finish()
        await story.right()
        return died


@pytest.mark.parametrize("at", [2, 7, 12, 17])
async def test_after_a_crash_another_worker_finishes_as_if_nothing_had_happened(tmp_path: Path, at: int) -> None:
    assert await _dies(tmp_path, at, after=at % 2 == 0)


@pytest.mark.slow
@pytest.mark.parametrize("after", [False, True])
async def test_no_moment_is_a_bad_one_to_crash(tmp_path: Path, after: bool) -> None:
    for at in range(1, MOST):
        (tmp_path / str(at)).mkdir()
        if not await _dies(tmp_path / str(at), at, after=after):
            break
    else:
        raise AssertionError("the run has more writes than were tried")


EFFECTS: list[Effect] = ["post", "file", "update", "append", "finish"]


@pytest.mark.parametrize("effect", EFFECTS)
@pytest.mark.parametrize("how", ["lost before", "lost after"])
async def test_a_chat_that_drops_connections_gets_everything_once(tmp_path: Path, effect: Effect, how: str) -> None:
    async with fate(tmp_path) as story:
        for _ in range(3):
            if how == "lost before":
                story.work.surface.failures.append((effect, Unavailable("no answer", 0.01)))
            else:
                story.work.surface.cuts.append(effect)
        await story.finish()
        await story.right()


async def test_a_worker_that_slept_past_its_lease_changes_nothing_when_it_wakes(tmp_path: Path) -> None:
    async with fate(tmp_path) as story:
        turn = says("word " * 100, "final_answer").hold(5)
        thinking = story.work.server.script
        story.work.server.script = [turn]
        lease = await story.work.store.acquire(story.thread.session, "sleeper", 60)
        assert isinstance(lease, Lease)
        sleeper = asyncio.create_task(Loop(lease, story.parts()).work())
        await turn.held()
        story.work.clock.ahead += timedelta(seconds=61)
        story.work.server.script = thinking
        await story.finish()
        before = [(one.ts, one.text) for one in story.work.surface.seen(story.thread)]
        turn.release()
        with pytest.raises(Fenced):
            await sleeper
        assert [(one.ts, one.text) for one in story.work.surface.seen(story.thread)] == before
        await story.right()
