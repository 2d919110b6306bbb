"""Each session's computer with its way out: started when first needed, paused at rest, closed when idle.

Everything the machine's programs send passes the gate here: fetches are judged by the policy and pass, writes are
kept whole and become calls of the session, which a person decides.
"""

from __future__ import annotations

import asyncio
import logging
import secrets
import shutil
import tempfile
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from urllib.parse import urlsplit

from bot.agent.parts import Keep, Sent
from bot.broker import Answer, Broker
from bot.entries import HeldWrite
from bot.floor import Floor
from bot.heard import Thread
from bot.store.rows import EgressRow
from policies.builtin import decide
from policies.types import Effect, Request
from sandbox.egress.authority import Authority
from sandbox.egress.fetch import Fetcher
from sandbox.egress.gate import Gate, Rules
from sandbox.egress.types import (
    AddressRefused,
    Allow,
    EgressRecord,
    EgressRequest,
    EgressResponse,
    Hold,
    Refuse,
    Unreachable,
    Verdict,
)
from sandbox.egress.upstream import Upstream
from sandbox.types import Backend, EgressPort, Limits, Machine, MachineError, MachineLost, MachineSpec

log = logging.getLogger(__name__)

SHOWN_MOST = 2000
"""Characters of a held body that its card shows."""
HELD_MOST = 20
"""Writes of one session that may wait at a time."""

LENT = "A person has the machine at the moment. It is yours again when they give it back."
FREEZE = (
    'if [ "$(/usr/bin/stat -c %u /proc/1)" = "$(/usr/bin/id -u)" ]; then echo shared; '
    "else builtin kill -STOP -1 2>/dev/null; echo stopped; fi"
)
"""Stops every program of the agent's user. Where all users of the machine are one, it would stop the screen too."""
THAW = "builtin kill -CONT -1 2>/dev/null"
FREEZE_SECONDS = 10.0

RecordEgress = Callable[[str, EgressRow], Awaitable[None]]


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
    keep_paused: bool = True
    """Whether a resting machine stays here; with several processes another one may need its home next."""


class SessionComputer:
    """One session's computer. Safe to use from several tasks."""

    def __init__(self, thread: Thread, yard: Yard, sockets: Path) -> None:
        self._session, self._yard = thread.session, yard
        self._rules = Rules(self._session, self._judge, self._record)
        self._socket = sockets / f"{self._session[:12]}{secrets.token_hex(3)}"
        self._gate: Gate | None = None
        self.broker = Broker(self._socket.with_name(f"{self._socket.name}b"))
        self._machine: Machine | None = None
        self._held: list[HeldWrite] = []
        self._turn = asyncio.Lock()
        self._frozen: Machine | None = None
        self._passes = True
        """Whether what is sent while a person has the machine can only be theirs."""
        self.floor = Floor()
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
            if self._gate is None:
                gate = Gate(self._socket, self._yard.authority, self._yard.upstream, self._rules)
                await gate.start()
                await self.broker.start()
                self._gate = gate
            port = EgressPort(self._socket, self._yard.authority.certificate)
            home = self._yard.homes / self._session / "home"
            spec = MachineSpec(self._session, home, self._yard.limits, port, broker=self.broker.socket)
            self._machine = await self._yard.backend.start(spec)
            return self._machine

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
        self._frozen, self._passes = None, machine is None
        if machine is None:
            return
        try:
            await machine.interrupt()
            stopped = await machine.exec(FREEZE, timeout=FREEZE_SECONDS)
            self._frozen, self._passes = machine, stopped.text.strip() == "stopped"
        except MachineLost:
            self._passes = True  # nothing runs in it any more

    async def fetch(self, url: str) -> EgressResponse:
        """GET a page through the same judgement as the machine's own requests. Raises EgressError."""
        return await Fetcher(self._yard.upstream, self._rules).fetch(url)

    def take_held(self) -> tuple[HeldWrite, ...]:
        """Writes kept since the last call."""
        held, self._held = tuple(self._held), []
        return held

    async def send(self, held: HeldWrite) -> Sent:
        """Send an approved write once, byte for byte as it was kept."""
        parts = urlsplit(held.url)
        port = parts.port or (443 if parts.scheme == "https" else 80)
        body = await self._yard.keep.read(held.blob)
        request = EgressRequest(held.method, held.url, parts.hostname or "", port, held.headers, body)
        record = EgressRecord(self._session, time.time(), held.method, held.url, "failed", "approved", sent=len(body))
        try:
            answer = await self._yard.upstream.send(request)
        except Unreachable as error:
            await self._record(record)
            return Sent(error=str(error), unknown=error.maybe_sent)
        except AddressRefused as error:
            return Sent(error=str(error))
        sent = EgressRecord(
            self._session, record.at, held.method, held.url, "sent", "approved", status=answer.status, sent=len(body)
        )
        await self._record(sent)
        return Sent(answer.status, answer.body.decode("utf-8", "replace"))

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

    async def close(self) -> None:
        """Stop the machine and its gate; the home stays."""
        async with self._turn:
            machine, self._machine = self._machine, None
            gate, self._gate = self._gate, None
            if machine is not None:
                await machine.close()
            if gate is not None:
                await gate.close()
                await self.broker.close()

    async def _judge(self, request: EgressRequest) -> Verdict:
        """The policy on one request of the machine's programs. A person who has the machine acts for themselves."""
        if self.floor.holder and (self._passes or not request.writes):
            return Allow()
        if self.floor.private and request.writes:
            return Refuse("a person has the machine, or has just left it; nothing of theirs is sent unasked or kept")
        effect = Effect.SEND if request.writes else Effect.FETCH
        wanted = Request("egress", effect, {"url": request.url}, "", "member", outside=True, target=request.host)
        decision = decide(wanted)
        match decision.verdict:
            case "auto":
                return Allow()
            case "deny":
                return Refuse(decision.why)
            case "ask":
                return await self._hold(request, decision.why)

    async def _hold(self, request: EgressRequest, why: str) -> Verdict:
        same = [held for held in self._held if (held.method, held.url) == (request.method, request.url)]
        if any(held.blob == request.body_sha256 for held in same):
            return Refuse("the same request waits already for a person's yes; do not repeat it")
        if len(self._held) >= HELD_MOST:
            return Refuse(f"{HELD_MOST} requests wait already; send less at a time")
        blob, size = await self._yard.keep.put(request.body)
        shown = readable(request.body)
        id_ = f"w{secrets.token_hex(8)}"
        self._held.append(HeldWrite(id_, request.method, request.url, request.headers, blob, size, shown))
        return Hold(id_, why)

    async def _record(self, record: EgressRecord) -> None:
        row = EgressRow(
            datetime.fromtimestamp(record.at, UTC),
            record.method,
            without_query_values(record.url),
            record.outcome,
            record.reason,
            record.address,
            record.status,
            record.sent,
            record.received,
            "" if self.floor.private else record.body_sha256,
            record.seconds,
        )
        await self._yard.record(self._session, row)


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

    async def close_idle(self) -> None:
        """Stop machines nobody used for a while; called by the sweep."""
        now = time.monotonic()
        idle = [
            name
            for name, one in self._computers.items()
            if one.resting_since is not None and now - one.resting_since > self._yard.idle_seconds
        ]
        for name in idle:
            await self._computers.pop(name).close()

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


def readable(body: bytes) -> str:
    """A body as a person can read it: text, or what it is."""
    try:
        text = body.decode("utf-8")
    except UnicodeDecodeError:
        return f"({len(body):,} bytes that are not text)"
    return text if len(text) <= SHOWN_MOST else text[:SHOWN_MOST]


def without_query_values(url: str) -> str:
    """The URL for the record: values in a query may be secrets."""
    parts = urlsplit(url)
    if not parts.query:
        return url
    names = "&".join(f"{pair.partition('=')[0]}=…" for pair in parts.query.split("&"))
    return parts._replace(query=names).geturl()


def _remove(folder: Path) -> None:

    shutil.rmtree(folder, ignore_errors=True)
