"""The product as it is run: `threadhand` processes with only environment variables, killed and paused at will."""

from __future__ import annotations

import asyncio
import os
import signal
import sys
from collections.abc import AsyncGenerator, Mapping, Sequence
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path

import aiohttp

from tests.support.servers import free_port
from tests.support.waiting import until_true

ROOT = Path(__file__).parents[2]
THREADHAND = Path(sys.executable).with_name("threadhand")
START_SECONDS = 60.0


@dataclass
class Process:
    """One process of a deployment. `healthy` waits for /healthz, where the process serves the web."""

    command: str
    environment: Mapping[str, str]
    log: Path
    port: int
    program: Sequence[str] = (str(THREADHAND),)
    _running: asyncio.subprocess.Process | None = None
    starts: int = 0

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    @property
    def pid(self) -> int:
        """Its number."""
        assert self._running is not None, "not started"
        return self._running.pid

    async def start(self) -> None:
        """Start it; it appends to its log."""
        self.starts += 1
        with self.log.open("ab") as log:
            self._running = await asyncio.create_subprocess_exec(
                *self.program, self.command, cwd=ROOT, env=dict(self.environment), stdout=log, stderr=log
            )

    async def healthy(self) -> None:
        """Wait until it says that it is well."""
        await self.answers("/healthz")

    async def answers(self, path: str) -> None:
        """Wait until it answers there."""
        async with aiohttp.ClientSession() as http:

            async def well() -> bool:
                assert self._running is not None, "not started"
                assert self._running.returncode is None, self.log.read_text()[-4000:]
                try:
                    async with http.get(f"{self.url}{path}") as response:
                        return response.status == 200
                except aiohttp.ClientError:
                    return False

            await until_true(well, START_SECONDS)

    def signal(self, number: signal.Signals) -> None:
        """Send a signal, if it runs."""
        if self._running is not None and self._running.returncode is None:
            with suppress(ProcessLookupError):
                self._running.send_signal(number)

    async def ended(self, seconds: float) -> bool:
        """Whether it ends by itself within so long."""
        assert self._running is not None, "not started"
        with suppress(TimeoutError):
            await asyncio.wait_for(self._running.wait(), seconds)
        return self._running.returncode is not None

    async def kill(self) -> None:
        """kill -9, and wait until it is gone."""
        self.signal(signal.SIGKILL)
        if self._running is not None:
            await self._running.wait()

    async def end(self, seconds: float = 30.0) -> int:
        """SIGTERM, and its exit code; kill -9 when it does not end."""
        if self._running is None:
            return 0
        self.signal(signal.SIGCONT)
        self.signal(signal.SIGTERM)
        try:
            return await asyncio.wait_for(self._running.wait(), seconds)
        except TimeoutError:
            await self.kill()
            return -9


@dataclass
class Deployment:
    """The processes of one deployment; `add` makes another that shares everything."""

    folder: Path
    environment: dict[str, str]
    program: Sequence[str] = (str(THREADHAND),)
    processes: list[Process] = field(default_factory=list[Process])

    def add(self, command: str = "serve", **more: str) -> Process:
        """A further process, not started yet."""
        port = free_port()
        name = f"{command}-{len(self.processes)}"
        environment = {**self.environment, "THREADHAND_PORT": str(port), **more}
        process = Process(command, environment, self.folder / f"{name}.log", port, self.program)
        self.processes.append(process)
        return process

    def logs(self) -> str:
        """Everything any process wrote."""
        return "\n".join(process.log.read_text() for process in self.processes if process.log.exists())


@asynccontextmanager
async def deployment(
    folder: Path, environment: Mapping[str, str], program: Sequence[str] = (str(THREADHAND),)
) -> AsyncGenerator[Deployment]:
    """A deployment with its data under `folder`; every process is ended at the end. program: what is run for each."""
    base = {name: os.environ[name] for name in ("PATH", "HOME", "LANG") if name in os.environ}
    given = {**base, "THREADHAND_DATA_DIR": str(folder / "data"), "THREADHAND_LOG_LEVEL": "info", **environment}
    made = Deployment(folder, given, program)
    try:
        yield made
    finally:
        await asyncio.gather(*(process.end() for process in made.processes))
