"""Each session's computer with its way out: started when first needed, paused at rest, closed when idle.

Hides when a machine runs and who has it. What it sends is the way out's matter.
"""

from __future__ import annotations

import asyncio
import logging
import secrets
import shutil
import tempfile
import time
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

from bot.agent.parts import Keep, Sent
from bot.broker import Answer, Broker
from bot.entries import Entry, HeldWrite
from bot.floor import Floor
from bot.heard import Thread
from bot.upkeep import Upkeep
from bot.wayout import Outside, RecordEgress, WayOut
from sandbox.browser import Browser, Browsers
from sandbox.egress.authority import Authority
from sandbox.egress.types import EgressResponse, RequestRefused, Unreachable
from sandbox.egress.upstream import Upstream
from sandbox.types import Backend, EgressPort, Limits, Machine, MachineError, MachineLost, MachineSpec

log = logging.getLogger(__name__)

LENT = "A person has the machine at the moment. It is yours again when they give it back."
FREEZE = (
    'if [ "$(/usr/bin/stat -c %u /proc/1)" = "$(/usr/bin/id -u)" ]; then echo shared; '
    "else builtin kill -STOP -1 2>/dev/null; echo stopped; fi"
)
"""Stops every program of the agent's user. Where all users of the machine are one, it would stop the screen too."""
THAW = "builtin kill -CONT -1 2>/dev/null"
FREEZE_SECONDS = 10.0
TEND_SECONDS = 15.0


@dataclass(frozen=True, slots=True)
class Yard:
    """What all machines of a process share."""

    backend: Backend
    upstream: Upstream
    authority: Authority
    keep: Keep
    record: RecordEgress
    homes: Path
    limits: Limits = field(default_factory=Limits)
    idle_seconds: float = 600.0
    upkeep: Upkeep | None = None
    """Who recognises machines when they start and saves them; without it nothing is saved."""
    keep_paused: bool = True
    """Whether a resting machine stays here; with several processes another one may need its home next."""


class SessionComputer:
    """One session's computer. Safe to use from several tasks."""

    def __init__(self, thread: Thread, yard: Yard, sockets: Path) -> None:
        self._session, self._yard = thread.session, yard
        self.floor = Floor()
        socket = sockets / f"{self._session[:12]}{secrets.token_hex(3)}"
        outside = Outside(yard.upstream, yard.authority, yard.keep, yard.record)
        self._way = WayOut(self._session, outside, socket, self.floor)
        self.broker = Broker(socket.with_name(f"{socket.name}b"))
        self._machine: Machine | None = None
        self._turn = asyncio.Lock()
        self._frozen: Machine | None = None
        self._news: tuple[Entry, ...] = ()
        self.resting_since: float | None = None

    @property
    def awake(self) -> Machine | None:
        """The machine, if it runs and does not rest; asking starts nothing."""
        return self._machine if self.resting_since is None else None

    async def machine(self) -> Machine:
        """The running machine for the session's own work. Raises sandbox.types.MachineError, also while it is lent."""
        if self.floor.holder:
            raise MachineError(LENT)
        return await self.lent_machine()

    async def lent_machine(self) -> Machine:
        """The running machine for whoever has it. Raises sandbox.types.MachineError."""
        async with self._turn:
            self.resting_since = None
            self.floor.sleep(False)
            if await self._way.open():
                await self.broker.start()
            port = EgressPort(self._way.socket, self._yard.authority.certificate)
            home = self._yard.homes / self._session / "home"
            spec = MachineSpec(self._session, home, self._yard.limits, port, broker=self.broker.socket)
            machine = await self._yard.backend.start(spec)
            if machine is not self._machine and self._yard.upkeep is not None:
                self._news = await self._yard.upkeep.arrived(self._session, machine)
            self._machine = machine
            return machine

    def news(self) -> tuple[Entry, ...]:
        """What became of the machine that the session has not been told yet."""
        return self._news

    async def told(self) -> None:
        """The session has been told."""
        self._news = ()
        if self._yard.upkeep is not None:
            await self._yard.upkeep.told(self._session)

    async def interrupt(self) -> None:
        """Kill what runs, if a machine runs."""
        if self._machine is not None:
            await self._machine.interrupt()

    def answer(self, answer: Answer | None) -> None:
        """Who answers programs in the machine from now on."""
        self.broker.answer = answer

    async def lend(self, person: str) -> None:
        """To a person: what the session left running is stopped first. Back: it goes on. Raises MachineError."""
        if person:
            if person != self.floor.holder:
                await self._freeze()
            self.floor.give(person)
            return
        self.floor.give("")
        frozen, self._frozen = self._frozen, None
        if frozen is not None and frozen is self._machine:
            await frozen.exec(THAW, timeout=FREEZE_SECONDS)

    async def _freeze(self) -> None:
        """Nothing of the agent's may send in a person's name: while they are there, what is sent is not asked about."""
        machine = self._machine
        if machine is not None and self._frozen is machine:
            return
        self._frozen, self._way.theirs_alone = None, machine is None
        if machine is None:
            return
        try:
            await machine.interrupt()
            stopped = await machine.exec(FREEZE, timeout=FREEZE_SECONDS)
            self._frozen, self._way.theirs_alone = machine, stopped.text.strip() == "stopped"
        except MachineLost:
            self._way.theirs_alone = True  # nothing runs in it any more

    async def fetch(self, url: str) -> EgressResponse:
        """GET a page through the same judgement as the machine's own requests. Where the machine's browser has been
        used, with its cookies, so that both browsers are signed in to the same sites. Raises EgressError."""
        browser = await self._browser()
        if browser is None:
            return await self._way.fetch(url)
        try:
            return told(await browser.fetch(url))
        except MachineError as error:
            raise Unreachable(str(error)) from error

    async def render(self, url: str) -> EgressResponse:
        """The page as its scripts leave it, from the machine's browser. Raises EgressError, MachineError."""
        machine = await self.machine()
        if not isinstance(machine, Browsers):
            raise MachineError("This computer has no visual browser.")
        return told(await machine.browser().fetch(url, scripts=True))

    async def _browser(self) -> Browser | None:
        """The machine's, if it has ever been used and is the session's own now."""
        home = self._yard.homes / self._session / "home"
        if self.floor.holder or not home.exists():
            return None
        try:
            machine = await self.machine()
            browser = machine.browser() if isinstance(machine, Browsers) else None
            return browser if browser is not None and await browser.used() else None
        except MachineError:
            return None

    def take_held(self) -> tuple[HeldWrite, ...]:
        """Writes kept since the last call."""
        return self._way.take_held()

    async def send(self, held: HeldWrite) -> Sent:
        """Send an approved write once, byte for byte as it was kept."""
        return await self._way.send(held)

    def drop(self, held: HeldWrite, why: str) -> None:
        """It will not be sent: what still waits for its answer is told so."""
        self._way.drop(held, why)

    async def rest(self) -> None:
        """Pause, or close where another process may be next."""
        self.resting_since = time.monotonic()
        self.floor.sleep(True)
        if self._machine is None:
            return
        if self._yard.keep_paused:
            await self._yard.backend.pause(self._session)
        else:
            await self.close()

    async def put_away(self) -> bool:
        """Save its files and stop it, if it has rested long enough; False when it is needed again."""
        async with self._turn:
            if not self.idle:
                return False
            if self._machine is not None and self._yard.upkeep is not None:
                await self._yard.upkeep.save(self._session, self._machine)
            await self._close()
            return True

    @property
    def idle(self) -> bool:
        """Whether nobody has needed it for a while."""
        since = self.resting_since
        return since is not None and time.monotonic() - since > self._yard.idle_seconds

    async def close(self) -> None:
        """Stop the machine and its gate; the home stays."""
        async with self._turn:
            await self._close()

    async def _close(self) -> None:
        machine, self._machine = self._machine, None
        if machine is not None:
            await machine.close()
        if await self._way.close():
            await self.broker.close()


class Machines:
    """All computers of this process. Call the instance for a thread's own."""

    def __init__(self, yard: Yard) -> None:
        self._yard = yard
        self._computers: dict[str, SessionComputer] = {}
        self._sockets = Path(tempfile.mkdtemp(prefix="threadhand-"))

    def __call__(self, thread: Thread) -> SessionComputer:
        computer = self._computers.get(thread.session)
        if computer is None:
            computer = self._computers[thread.session] = SessionComputer(thread, self._yard, self._sockets)
        return computer

    async def tend(self, stop: asyncio.Event) -> None:
        """Put machines away that nobody has used for a while, until `stop`."""
        pause = min(TEND_SECONDS, self._yard.idle_seconds)
        while not stop.is_set():
            await self.put_away_idle()
            with suppress(TimeoutError):
                await asyncio.wait_for(stop.wait(), pause)

    async def put_away_idle(self) -> None:
        """Those that are idle now, one after the other."""
        for session, computer in list(self._computers.items()):
            try:
                if computer.idle and await computer.put_away():
                    self._computers.pop(session, None)
            except Exception:
                log.exception("the machine of session %s could not be put away", session)

    async def close(self) -> None:
        """Stop everything."""
        for computer in list(self._computers.values()):
            try:
                await computer.close()
            except Exception:
                log.exception("a machine could not be stopped")
        self._computers.clear()
        await self._yard.backend.close()
        await asyncio.to_thread(_remove, self._sockets)


def told(answer: EgressResponse) -> EgressResponse:
    """An answer of a site. Raises RequestRefused where the gate itself answered."""
    if answer.header("x-threadhand-gate") is not None:
        raise RequestRefused(answer.body.decode("utf-8", "replace").strip())
    return answer


def _remove(folder: Path) -> None:
    shutil.rmtree(folder, ignore_errors=True)
