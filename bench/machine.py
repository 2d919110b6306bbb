"""The machine: ready, a command's round trip, pause and wake, of each backend that is quick to set up, against a plain
process and a plain bubblewrap."""

from __future__ import annotations

import asyncio
import statistics
import tempfile
import time
from collections.abc import Awaitable, Callable
from pathlib import Path

from bench.figures import line
from sandbox.bubblewrap import BubblewrapBackend, Settings
from sandbox.qemu import QemuBackend
from sandbox.qemu import Settings as QemuSettings
from sandbox.types import Backend, MachineSpec

IMAGE = Path(__file__).parents[1] / ".setup/image/base"
PLAIN = ("bwrap", "--unshare-all", "--ro-bind", "/usr", "/usr", "--symlink", "usr/lib", "/lib")
LINKS = ("--symlink", "usr/lib64", "/lib64", "--symlink", "usr/bin", "/bin", "--proc", "/proc", "--dev", "/dev")


async def timed(work: Callable[[], Awaitable[object]], times: int) -> list[float]:
    """Seconds of each."""
    taken: list[float] = []
    for _ in range(times):
        began = time.perf_counter()
        await work()
        taken.append(time.perf_counter() - began)
    return taken


async def run(*command: str) -> None:
    """A process to its end."""
    process = await asyncio.create_subprocess_exec(*command)
    assert await process.wait() == 0


async def measure(backend: Backend, folder: Path) -> float:
    """Figures of one backend; returns the median of a round trip."""
    name = backend.name
    started: list[float] = []
    for number in range(8):
        spec = MachineSpec(f"bench{number}", folder / name / f"home{number}")
        started += await timed(lambda spec=spec: backend.start(spec), 1)
    print(line(f"{name}: first machine ready", started[:1]))
    print(line(f"{name}: machine ready", started[1:]))
    machine = await backend.start(MachineSpec("bench0", folder / name / "home0"))
    trips = await timed(lambda: machine.exec("true", timeout=20), 50)
    print(line(f"{name}: command `true` in the machine", trips))

    async def nap() -> None:
        await backend.pause("bench0")
        await machine.exec("true", timeout=20)

    print(line(f"{name}: pause, wake and run a command", await timed(nap, 20)))
    await backend.close()
    return statistics.median(trips)


async def main() -> None:
    """Figures of the backends and their peers."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        trip = await measure(BubblewrapBackend(Settings(folder / "state")), folder)
        await measure(QemuBackend(QemuSettings(folder / "qemu-state", IMAGE)), folder)
        process = await timed(lambda: run("true"), 50)
        plain = await timed(lambda: run(*PLAIN, *LINKS, "true"), 20)
        print(line("peer: process `true` on the host", process))
        print(line("peer: bwrap `true`, started each time", plain))
        print(f"ratio of a command to a host process: {trip / statistics.median(process):.1f}")
