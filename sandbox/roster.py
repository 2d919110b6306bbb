"""The machines of a backend: which session has which, and what happens to them when.

Hides what is the same for every backend: one machine per session however many ask at once, waking a paused one when it
is used, what a failed start says, ending all, the probe of a host. A backend tells only how one machine is launched.
"""

from __future__ import annotations

import asyncio
import functools
import shutil
import tempfile
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from pathlib import Path

from .doors import offered
from .guest_system import Inside, introduction
from .link import Link
from .machine import GuestMachine, Hooks
from .types import Limits, MachineError, MachineSpec, MachineUnavailable, Problem


async def cannot(frozen: bool) -> bool:
    """Pausing, where a backend cannot."""
    return not frozen


async def nothing() -> str:
    """A note, where a backend has none."""
    return ""


async def remove_tree(folder: Path) -> None:
    """Delete a folder of files that this process may delete."""
    await asyncio.to_thread(shutil.rmtree, folder, ignore_errors=True)


@dataclass(frozen=True, slots=True)
class Launched:
    """One machine as its backend hands it over; its guest need not be ready yet.

    reader, writer: the stream to its guest.
    end: stop it at once and free all it holds, also when it is frozen or half started. The stream is closed after it.
    said: what it has complained of so far, for the message when it does not start.
    freeze: stop (True) or go on (False) with all programs in it, memory kept; False when that cannot be done.
    note: a sentence on a limit that was hit since it was last asked, else empty.
    token: what a guest that listens on an open port was given, so that it knows the host.
    """

    reader: asyncio.StreamReader
    writer: asyncio.StreamWriter
    end: Callable[[], Awaitable[None]]
    said: Callable[[], str] = str
    freeze: Callable[[bool], Awaitable[bool]] = cannot
    note: Callable[[], Awaitable[str]] = nothing
    token: str = ""


@dataclass(frozen=True, slots=True)
class Kind:
    """A backend, as the roster needs it.

    state: a folder for the backend's own files; created when missing.
    launch: start a machine for a session. Raises MachineError, and leaves nothing behind then.
    problems: what this host lacks, found without starting anything.
    remove: delete a folder of a session (its home, or the browser's beside it).
    hint: what to try when a probe machine does not start.
    start_seconds: how long a guest may take from `launch` to its first answer.
    """

    name: str
    state: Path
    inside: Inside
    launch: Callable[[MachineSpec], Awaitable[Launched]]
    problems: Callable[[], Awaitable[list[Problem]]]
    remove: Callable[[Path], Awaitable[None]] = remove_tree
    hint: str = "Read the message above."
    start_seconds: float = 30.0


@dataclass(slots=True)
class Running:
    """What is kept of one machine."""

    machine: GuestMachine
    link: Link
    launched: Launched
    paused: bool = False
    turn: asyncio.Lock = field(default_factory=asyncio.Lock)


class Roster:
    """A `Backend` of one kind."""

    def __init__(self, kind: Kind) -> None:
        self._kind = kind
        self._running: dict[str, Running] = {}
        self._homes: dict[str, Path] = {}
        self._locks: dict[str, asyncio.Lock] = {}

    @property
    def name(self) -> str:
        return self._kind.name

    async def check(self) -> tuple[Problem, ...]:
        found = await self._kind.problems()
        if any(problem.fatal for problem in found):
            return tuple(found)
        self._kind.state.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=self._kind.state) as home:
            spec = MachineSpec("check", Path(home, "home"), Limits(memory_bytes=256 * 1024**2))
            try:
                machine = await self.start(spec)
                await machine.exec("true", timeout=20)
            except MachineError as error:
                found.append(Problem(f"A probe machine did not start: {error}", self._kind.hint, fatal=True))
            finally:
                await self.destroy("check")
        return tuple(found)

    async def start(self, spec: MachineSpec) -> GuestMachine:
        async with self._lock(spec.session_id):
            running = self._running.get(spec.session_id)
            if running and not running.link.lost:
                await self._wake(spec.session_id)
                return running.machine
            await self._stop(spec.session_id)
            self._homes[spec.session_id] = spec.home
            running = await self._launch(spec)
            self._running[spec.session_id] = running
            return running.machine

    async def pause(self, session_id: str) -> bool:
        running = self._running.get(session_id)
        if not running:
            return False
        async with running.turn:
            if not running.paused and not running.link.lost:
                running.paused = await running.launched.freeze(True)
            return running.paused

    async def destroy(self, session_id: str) -> None:
        async with self._lock(session_id):
            await self._stop(session_id)
            home = self._homes.pop(session_id, None)
            for folder in (home, browser_home(home)) if home else ():
                if folder.exists():
                    await self._kind.remove(folder)
        self._locks.pop(session_id, None)

    async def close(self) -> None:
        await asyncio.gather(*(self._stop(session_id) for session_id in list(self._running)))

    def _lock(self, session_id: str) -> asyncio.Lock:
        return self._locks.setdefault(session_id, asyncio.Lock())

    async def _launch(self, spec: MachineSpec) -> Running:
        for folder, mode in ((spec.home, 0o755), (browser_home(spec.home), 0o700)):
            folder.mkdir(parents=True, exist_ok=True, mode=mode)
        try:
            launched = await self._kind.launch(spec)
        except OSError as error:
            raise MachineUnavailable(f"The machine did not start: {error}") from error
        doors = {} if self._kind.inside.mounted else offered(spec)
        link = Link(launched.reader, launched.writer, doors)
        hooks = Hooks(
            functools.partial(self._wake, spec.session_id),
            launched.note,
            functools.partial(self._stop, spec.session_id),
        )
        running = Running(GuestMachine(spec.session_id, link, spec.limits, hooks), link, launched)
        try:
            hello = link.hello(introduction(spec, self._kind.inside), launched.token)
            await asyncio.wait_for(hello, self._kind.start_seconds)
        except (MachineError, TimeoutError) as error:
            said = launched.said() or "it gave no reason within its time."
            await end(running)
            raise MachineUnavailable(f"The machine did not start: {said}") from error
        except asyncio.CancelledError:
            await end(running)
            raise
        return running

    async def _wake(self, session_id: str) -> None:
        running = self._running.get(session_id)
        if not running or not (running.paused or running.turn.locked()):
            return
        async with running.turn:
            if running.paused:
                await running.launched.freeze(False)
                running.paused = False

    async def _stop(self, session_id: str) -> None:
        running = self._running.pop(session_id, None)
        if running:
            await end(running)


async def end(running: Running) -> None:
    """Stop a machine; whoever waits for it is told."""
    await running.launched.end()
    await running.link.close()


def browser_home(home: Path) -> Path:
    """What the browser keeps: beside the home, for nothing the agent's programs do may reach it."""
    return home.with_name(f"{home.name}.browser")
