"""A machine in memory, for tests of what uses one.

A peer of the real ones: it passes the same conformance suite for files and interruption. Commands are answered
by a script; without one it knows true, false, echo, cat and sleep.
"""

from __future__ import annotations

import asyncio
import io
import json
import posixpath
import tarfile
import time
from collections.abc import AsyncIterable, Awaitable, Callable
from dataclasses import asdict

from sandbox.output import Output
from sandbox.parcel import Found, LeftOut, Mark, Packed
from sandbox.types import (
    HOME,
    READ_MAX,
    ExecResult,
    FileInfo,
    LimitReached,
    MachineLost,
    MachineSpec,
    NotFound,
    PathRefused,
    Problem,
)

MARK = "/home/browser/.machine"
"""Beside the home, where no program of the agent's comes."""

Script = Callable[["FakeMachine", str], Awaitable[tuple[int, bytes]]]
"""Answers a command with its exit code and output; may wait, and is cancelled by an interrupt or a timeout."""


class FakeMachine:
    """Files in a dict, commands by script. `commands` lists what was run."""

    def __init__(self, spec: MachineSpec, files: dict[str, bytes], script: Script) -> None:
        self._spec = spec
        self._files = files
        self._script = script
        self._running: set[asyncio.Task[tuple[int, bytes]]] = set()
        self._lost = False
        self.commands: list[str] = []

    @property
    def session_id(self) -> str:
        return self._spec.session_id

    @property
    def spec(self) -> MachineSpec:
        """What it was started with."""
        return self._spec

    def lose(self) -> None:
        """As if the machine had died."""
        self._lost = True
        for task in self._running:
            task.cancel()

    async def exec(
        self,
        command: str,
        *,
        timeout: float,
        cwd: str | None = None,
        on_output: Callable[[bytes], None] | None = None,
    ) -> ExecResult:
        self._alive()
        self.commands.append(command)
        begun = time.monotonic()
        task = asyncio.create_task(self._play(command))
        self._running.add(task)
        try:
            done, _ = await asyncio.wait({task}, timeout=timeout)
            seconds = time.monotonic() - begun
            if not done:
                return ExecResult(137, b"", timed_out=True, seconds=seconds)
            self._alive()
            if task.cancelled():
                return ExecResult(137, b"", interrupted=True, seconds=seconds)
            code, printed = task.result()
        finally:
            task.cancel()
            self._running.discard(task)
        output = Output(self._spec.limits.output_bytes)
        output.add(printed)
        if on_output is not None and printed:
            on_output(printed)
        kept, hidden = output.kept()
        return ExecResult(code, kept, hidden=hidden, seconds=seconds)

    async def interrupt(self) -> None:
        self._alive()
        running = list(self._running)
        for task in running:
            task.cancel()
        if running:
            await asyncio.wait(running)

    async def read(self, path: str, *, offset: int = 0, limit: int = READ_MAX) -> bytes:
        self._alive()
        if limit > READ_MAX:
            raise LimitReached(f"At most {READ_MAX} bytes are read at a time.")
        place = inside(path)
        if place not in self._files:
            if self._is_folder(place):
                raise PathRefused(f"{path} is not a file.")
            raise NotFound(f"There is no {place}.")
        return self._files[place][offset : offset + limit]

    async def write(self, path: str, content: bytes | AsyncIterable[bytes], *, mode: int = 0o644) -> FileInfo:
        self._alive()
        place = inside(path)
        if self._is_folder(place):
            raise PathRefused(f"{path} is a folder.")
        data = content if isinstance(content, bytes) else b"".join([piece async for piece in content])
        total = len(data) + sum(len(other) for name, other in self._files.items() if name != place)
        if total > self._spec.limits.disk_bytes:
            raise LimitReached("The files take more than this session may use. Delete some.")
        self._files[place] = data
        return await self.stat(place)

    async def list(self, path: str = ".") -> tuple[FileInfo, ...]:
        self._alive()
        place = inside(path)
        if not self._is_folder(place):
            raise PathRefused(f"{path} is no folder.") if place in self._files else NotFound(f"No {place}.")
        names = {name[len(place) + 1 :].split("/")[0] for name in self._files if name.startswith(f"{place}/")}
        return tuple([await self.stat(f"{place}/{name}") for name in sorted(names)])

    async def stat(self, path: str) -> FileInfo:
        self._alive()
        place = inside(path)
        if place in self._files:
            return FileInfo(place, "file", len(self._files[place]), 0.0, 0o644)
        if self._is_folder(place):
            return FileInfo(place, "folder", 0, 0.0, 0o755)
        raise NotFound(f"There is no {place}.")

    async def close(self) -> None:
        self.lose()

    def luggage(self) -> FakeLuggage:
        self._alive()
        return FakeLuggage(self, self._files)

    async def _play(self, command: str) -> tuple[int, bytes]:
        return await self._script(self, command)

    def _is_folder(self, place: str) -> bool:
        return place == HOME or any(name.startswith(f"{place}/") for name in self._files)

    def _alive(self) -> None:
        if self._lost:
            raise MachineLost("The machine has stopped. Start it again.")


class FakeLuggage:
    """A real tar of a machine in memory."""

    def __init__(self, machine: FakeMachine, files: dict[str, bytes]) -> None:
        self._machine, self._files = machine, files

    async def pack(self, limit: int, take: Callable[[bytes], Awaitable[None]]) -> Packed:
        mine = {name: data for name, data in self._files.items() if name != MARK}
        left: list[LeftOut] = []
        for name in sorted(mine, key=lambda name: -len(mine[name])):
            if sum(len(data) for data in mine.values()) > limit:
                left.append(LeftOut(name, len(mine.pop(name))))
        file = io.BytesIO()
        with tarfile.open(fileobj=file, mode="w") as tar:
            for name, data in mine.items():
                info = tarfile.TarInfo(f"home/{name[len(HOME) + 1 :]}")
                info.size = len(data)
                tar.addfile(info, io.BytesIO(data))
        packed = file.getvalue()
        for start in range(0, len(packed), 4096):
            self._machine.luggage()  # it may have died meanwhile
            await take(packed[start : start + 4096])
        return Packed(len(mine), len(mine), tuple(left), len(left))

    async def unpack(self, stream: AsyncIterable[bytes], *, over: bool = False) -> int:
        file = io.BytesIO(b"".join([piece async for piece in stream]))
        count = 0
        with tarfile.open(fileobj=file) as tar:
            for info in tar:
                name = f"{HOME}/{info.name.removeprefix('home/')}"
                content = tar.extractfile(info)
                if content is not None and (over or name not in self._files):
                    self._files[name] = content.read()
                    count += 1
        return count

    async def found(self) -> Found:
        mark = Mark(**json.loads(self._files[MARK])) if MARK in self._files else None
        return Found(mark, not any(name != MARK for name in self._files))

    async def set_mark(self, mark: Mark) -> None:
        self._files[MARK] = json.dumps(asdict(mark)).encode()

    async def settle(self) -> None:
        self._machine.luggage()


class FakeBackend:
    """Machines in memory. `homes` maps a session to its files, which outlive its machine; `fail` is raised by
    the next start."""

    def __init__(self, script: Script | None = None) -> None:
        self._script = script or everyday
        self.homes: dict[str, dict[str, bytes]] = {}
        self.machines: dict[str, FakeMachine] = {}
        self.fail: Exception | None = None

    @property
    def name(self) -> str:
        return "fake"

    async def check(self) -> tuple[Problem, ...]:
        return ()

    async def start(self, spec: MachineSpec) -> FakeMachine:
        if self.fail is not None:
            failure, self.fail = self.fail, None
            raise failure
        running = self.machines.get(spec.session_id)
        if running is not None and not running._lost:  # pyright: ignore[reportPrivateUsage]
            return running
        machine = FakeMachine(spec, self.homes.setdefault(spec.session_id, {}), self._script)
        self.machines[spec.session_id] = machine
        return machine

    async def pause(self, session_id: str) -> bool:
        return session_id in self.machines

    async def destroy(self, session_id: str) -> None:
        machine = self.machines.pop(session_id, None)
        if machine is not None:
            machine.lose()
        self.homes.pop(session_id, None)

    async def close(self) -> None:
        for machine in self.machines.values():
            machine.lose()


async def everyday(machine: FakeMachine, command: str) -> tuple[int, bytes]:
    """The script of a machine that was given none."""
    name, _, rest = command.partition(" ")
    match name:
        case "true" | "false":
            return int(name == "false"), b""
        case "echo":
            return 0, f"{rest}\n".encode()
        case "cat":
            return 0, await machine.read(rest)
        case "sleep":
            await asyncio.sleep(float(rest))
            return 0, b""
        case _:
            return 127, f"bash: {name}: command not found\n".encode()


def inside(path: str) -> str:
    place = posixpath.normpath(posixpath.join(HOME, path))
    if "\0" in path or (place != HOME and not place.startswith(f"{HOME}/")):
        raise PathRefused(f"{path} is outside {HOME}.")
    return place
