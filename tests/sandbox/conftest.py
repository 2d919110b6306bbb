"""Machines for the tests: each backend that can run here, each machine on a home of its own."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path

import pytest

from sandbox.bubblewrap import BubblewrapBackend, Settings
from sandbox.qemu import QemuBackend
from sandbox.qemu import Settings as QemuSettings
from sandbox.types import Backend, Limits, Machine, MachineSpec
from tests.support.machine import FakeBackend

LIMITS = Limits(memory_bytes=192 * 1024**2, processes=96, disk_bytes=48 * 1024**2, cpu=2.0, output_bytes=16 * 1024)

IMAGE = Path(__file__).parents[2] / ".setup/image/base"

REAL: dict[str, Callable[[Path], Backend]] = {
    "bubblewrap": lambda folder: BubblewrapBackend(Settings(folder / "state")),
    "bubblewrap-one-user": lambda folder: BubblewrapBackend(Settings(folder / "state", ids="same")),
    "qemu": lambda folder: QemuBackend(QemuSettings(folder.parent / "qemu", IMAGE, "tcg")),
}
ALL: dict[str, Callable[[Path], Backend]] = {**REAL, "fake": lambda folder: FakeBackend()}
SLOW = {"bubblewrap-one-user", "qemu"}
"""Backends and variants that run in CI's slow step only."""


def params(backends: dict[str, Callable[[Path], Backend]]) -> list[object]:
    return [pytest.param(name, marks=[pytest.mark.slow] if name in SLOW else []) for name in sorted(backends)]


Start = Callable[[str], Awaitable[Machine]]


@pytest.fixture(params=params(ALL))
async def any_backend(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[Backend]:
    """Every backend, the one in memory too."""
    backend = ALL[request.param](tmp_path)
    yield backend
    await backend.close()


@pytest.fixture(params=params(REAL))
async def backend(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[Backend]:
    """Every backend that isolates."""
    backend = REAL[request.param](tmp_path)
    yield backend
    await backend.close()


@pytest.fixture
def spec_for(tmp_path: Path) -> Callable[[str], MachineSpec]:
    return lambda session: MachineSpec(session, tmp_path / "homes" / session, LIMITS)


@pytest.fixture
async def machine(backend: Backend, spec_for: Callable[[str], MachineSpec]) -> Machine:
    return await backend.start(spec_for("s1"))


@pytest.fixture
async def any_machine(any_backend: Backend, spec_for: Callable[[str], MachineSpec]) -> Machine:
    return await any_backend.start(spec_for("s1"))
