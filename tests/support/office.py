"""A whole session's world for tests: real store, real worker and loop, real model client against a real server.

Only the chat product and the machine are in memory, each a peer held to its conformance suite.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from bot.agent.loop import Loop
from bot.agent.parts import Parts, Patience
from bot.entries import Entry
from bot.heard import Delete, Edit, Heard, Message, Person, Press, Thread
from bot.inbox import Inbox
from bot.machines import Machines, Yard
from bot.models.openai import OpenAIModel, OpenAISettings
from bot.outgoing import Confirmation, Outgoing, Question, Reply, StatusCard
from bot.saves import Bounds, Saves
from bot.session.state import State, fold
from bot.store import Blobs, EgressRow, Store
from bot.tools import machine as machine_tools
from bot.tools import thread as thread_tools
from bot.tools.types import Toolbox
from bot.upkeep import Upkeep
from bot.worker import Worker
from sandbox.egress.address import Addresses, system_resolve
from sandbox.egress.authority import Authority
from sandbox.egress.upstream import Upstream
from sandbox.types import Backend
from tests.support.fake_surface import FakeSurface
from tests.support.machine import FakeBackend
from tests.support.responses import ResponsesServer, Script
from tests.support.waiting import until

MARIA = Person("fake/maria", "Maria")
BEN = Person("fake/ben", "Ben")
GUS = Person("fake/gus", "Gus", "guest")
OLGA = Person("other/olga", "Olga", "outsider")

QUICK = Patience(model_first=0.01, model_most=0.05, model_tries=4, surface_tries=3, rest=0.2)


class Clock:
    """The time, which a test may move."""

    def __init__(self) -> None:
        self.ahead = timedelta()

    def __call__(self) -> datetime:
        return datetime.now(UTC) + self.ahead


@dataclass
class Office:
    """Talk with `say`, wait with `until`, look at the journal with `state`."""

    surface: FakeSurface
    server: ResponsesServer
    store: Store
    machines: Machines
    clock: Clock
    parts: Parts
    lease: float
    keys: int = 0
    worker: Worker = field(init=False)
    inbox: Inbox = field(init=False)
    _stop: asyncio.Event = field(init=False)
    _tasks: list[asyncio.Task[None]] = field(init=False)

    def __post_init__(self) -> None:
        self.inbox = Inbox(self.store, self.ring)
        self.enter()

    async def say(
        self, author: Person, text: str, thread: Thread | None = None, *, addressed: bool = True, **more: Any
    ) -> tuple[Thread, Message]:
        """Somebody writes; a new thread unless one is given."""
        thread = thread or self.surface.thread()
        message = self.surface.say(thread, author, text, addressed=addressed, **more)
        await self.hear(thread, message, f"m:{message.ts}", opens=addressed)
        return thread, message

    async def hear(self, thread: Thread, heard: Heard, key: str = "", *, opens: bool = False) -> None:
        """Anything else reaches the inbox."""
        self.keys += 1
        await self.inbox.post(thread, heard, key or f"k:{self.keys}", opens=opens)

    async def edit(self, thread: Thread, message: Message, text: str) -> None:
        """The author rewords a message."""
        self.keys += 1
        await self.hear(thread, Edit(message.author, message.ts, text, f"v{self.keys}"))

    async def delete(self, thread: Thread, message: Message) -> None:
        """A message is deleted."""
        await self.hear(thread, Delete(message.ts))

    async def press(
        self, thread: Thread, person: Person, on: Confirmation | Question, choice: str, **more: Any
    ) -> None:
        """Somebody presses a button of a card."""
        await self.hear(thread, Press(person, on.ask, on.version, choice, **more))

    async def resting(self) -> None:
        """Wait until no session is at work."""
        await until(lambda: self.worker.running == 0)

    async def restart(self) -> None:
        """The process ends properly and another one begins on the same store."""
        await self.leave()
        self.enter()

    def enter(self) -> None:
        """Start a worker."""
        self.worker = Worker(self.store, lambda lease: Loop(lease, self.parts), "test", lease=self.lease, at_once=20)
        self._stop = asyncio.Event()
        self._tasks = [asyncio.create_task(self.worker.run(self._stop)), asyncio.create_task(_sweep(self.worker))]

    async def leave(self) -> None:
        """Stop the worker as a shutdown would."""
        self._stop.set()
        self._tasks[1].cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    async def ring(self, session: str, _: int = 0) -> None:
        """What the engine does."""
        await self.worker.nudge(session)

    async def state(self, thread: Thread) -> State:
        """What the journal comes to now."""
        return fold(thread, [(row.number, row.entry) for row in await self.store.journal(thread.session)])

    async def entries(self, thread: Thread) -> list[Entry]:
        """The journal."""
        return [row.entry for row in await self.store.journal(thread.session)]

    async def until(self, thread: Thread, fits: Callable[[State], object], seconds: float = 30.0) -> State:
        """Wait until the journal's state fits."""
        async with asyncio.timeout(seconds):
            while True:
                state = await self.state(thread)
                if fits(state):
                    return state
                await asyncio.sleep(0.02)

    async def settled(self, thread: Thread, run: int = 1, seconds: float = 30.0) -> State:
        """Wait until that run is over and everything owed was said."""
        return await self.until(thread, lambda state: f"settled:{run}" in state.posted, seconds)

    def shown(self, thread: Thread, kind: type[Outgoing]) -> list[Any]:
        """The bot's messages of a kind, as they stand."""
        return [m.content for m in self.surface.seen(thread) if isinstance(m.content, kind)]

    def replies(self, thread: Thread) -> list[str]:
        """What the bot answered, without empty texts that only carry files."""
        return [reply.text for reply in self.shown(thread, Reply) if reply.text]

    def card(self, thread: Thread) -> StatusCard:
        """The newest status card."""
        cards: list[StatusCard] = self.shown(thread, StatusCard)
        return cards[-1]

    async def confirmation(self, thread: Thread) -> Confirmation:
        """Wait for an open confirmation's card."""
        return await self.surface.until(lambda: next(iter(self.shown(thread, Confirmation)), None))

    async def question(self, thread: Thread) -> Question:
        """Wait for an open question's card."""
        return await self.surface.until(lambda: next(iter(self.shown(thread, Question)), None))


@dataclass(frozen=True)
class Wishes:
    """What a test wants different."""

    patience: Patience = QUICK
    backend: Backend | None = None
    change: Callable[[Parts], Parts] = lambda parts: parts
    allow: frozenset[str] = frozenset()
    lease: float = 6.0
    idle: float = 600.0
    saves: Bounds | None = None
    strict: bool = True
    """Whether the model server checks every request; off for measuring."""


async def _no_record(session: str, row: EgressRow) -> None:
    del session, row


async def _resolve(host: str, port: int) -> tuple[str, ...]:
    """Sites of tests have names of their own: a browser in the machine takes 127.0.0.1 for the machine itself."""
    return ("127.0.0.1",) if host.endswith(".test") else await system_resolve(host, port)


def toolbox() -> Toolbox:
    """The tools that need no network."""
    return Toolbox.of(*machine_tools.TOOLS, *thread_tools.TOOLS)


@asynccontextmanager
async def office(folder: Path, script: Script, wishes: Wishes | None = None) -> AsyncGenerator[Office]:
    """An office whose model follows `script`; everything stops at the end."""
    wishes = wishes or Wishes()
    clock, surface = Clock(), FakeSurface()
    store = await Store.open(f"sqlite+aiosqlite:///{folder}/office.db", clock=clock)
    blobs = Blobs(folder / "blobs")
    backend = wishes.backend or FakeBackend()
    upstream = Upstream(Addresses(wishes.allow, _resolve))
    upkeep = Upkeep(store.homes, Saves(folder / "saves", [b"k" * 40], store.homes, wishes.saves), clock)
    yard = Yard(
        backend, upstream, Authority(folder / "ca"), blobs, _no_record, folder / "homes",
        idle_seconds=wishes.idle, upkeep=upkeep,
    )  # fmt: skip
    machines = Machines(yard)
    async with ResponsesServer(script, strict=wishes.strict) as server:
        model = OpenAIModel(OpenAISettings("gpt-test", "sk-test-not-real", server.url))

        async def spent(workspace: str, person: str | None) -> float:
            return (await store.spent(workspace, person, clock())).cost

        parts = Parts(
            {"fake": surface}, model, toolbox(), machines, blobs, spent, patience=wishes.patience, clock=clock
        )
        parts = wishes.change(replace(parts))
        work = Office(surface, server, store, machines, clock, parts, wishes.lease)
        try:
            yield work
        finally:
            await work.leave()
            await machines.close()
            await model.close()
            await store.close()


async def _sweep(worker: Worker) -> None:
    while True:
        await asyncio.sleep(0.3)
        await worker.sweep()
