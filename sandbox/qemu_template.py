"""Machines that have booted already: each new one goes on as a copy of them, within a second.

Hides where they lie and when they are made. A template is a machine that knows nothing of any session, stopped just
before it would; its copies share its memory until they change it. It is made anew when the image, the guest program,
qemu or the shape has changed, and after the host has started: what was not wholly on the disk then is no template.
"""

from __future__ import annotations

import asyncio
import contextlib
import hashlib
import logging
import os
import shutil
import tempfile
from collections.abc import Generator
from dataclasses import dataclass, field, replace
from pathlib import Path

from .cgroup import Group
from .guest_system import GUEST_SOURCE
from .ids import ROOT_BASE
from .qemu_boot import initial
from .qemu_machine import IGNORE_SHARED, KVM, Parts, Shape, Virtual, migrated, start
from .types import MachineError

BOOT_ID = Path("/proc/sys/kernel/random/boot_id")
KEPT = 4
"""How many templates stay: the probe's, the sessions', and those of a process that has not ended yet."""
BOOT_SECONDS = 180.0
FAST_BOOT_SECONDS = 20.0
DRAFT = "draft-"

logger = logging.getLogger(__name__)


@dataclass(slots=True)
class Templates:
    """The templates of one image. accelerator: 'kvm', 'tcg', or empty for the first of them that boots a machine."""

    folder: Path
    image: Path
    accelerator: str = ""
    turn: asyncio.Lock = field(default_factory=asyncio.Lock)
    failed: set[Shape] = field(default_factory=set[Shape])

    async def machine(self, shape: Shape, disk: Path, group: Group | None) -> Virtual:
        """A machine with that disk, which is not begun yet. Raises MachineError, OSError."""
        shape, place = await self._ready(shape)
        if place:
            return await start(shape, self._parts(place, disk, copy=True), group)
        with self._draft(shape) as draft:
            machine = await start(shape, self._parts(draft, disk), group)
        return await booted(machine, BOOT_SECONDS)

    @property
    def ways(self) -> tuple[bool, ...]:
        """Whether the processor runs machines itself: what to try, one after another."""
        if self.accelerator:
            return (self.accelerator == "kvm",)
        return (True, False) if os.access(KVM, os.R_OK | os.W_OK) else (False,)

    async def _ready(self, shape: Shape) -> tuple[Shape, Path | None]:
        """What such a machine is here, and the folder of its template, made if need be; None where none can be made."""
        async with self.turn:
            for fast in self.ways:
                wanted = replace(shape, fast=fast)
                place = self.folder / await asyncio.to_thread(self._key, wanted)
                if place.exists() or await self._made(wanted, place):
                    return wanted, place
        return replace(shape, fast=self.ways[-1]), None

    async def _made(self, shape: Shape, place: Path) -> bool:
        """Make a template, but only once try to."""
        if shape in self.failed:
            return False
        try:
            await self._make(shape, place)
        except (MachineError, OSError) as error:
            logger.warning("A machine to copy could not be made%s: %s", " with kvm" if shape.fast else "", error)
            self.failed.add(shape)
            if shape.fast:
                self.accelerator = self.accelerator or "tcg"
        return place.exists()

    async def _make(self, shape: Shape, place: Path) -> None:
        with self._draft(shape) as draft:
            disk, state = draft / "disk", draft / "state"
            blank(disk, shape.disk_bytes)
            machine = await start(shape, replace(self._parts(draft, disk), shared=True), None)
            try:
                await machine.hear("ready", FAST_BOOT_SECONDS if shape.fast else BOOT_SECONDS)
                await machine.monitor.ask("stop")
                await machine.monitor.ask("migrate-set-capabilities", capabilities=[IGNORE_SHARED])
                with state.open("wb") as file:
                    await machine.monitor.lend("state", file.fileno())
                await machine.monitor.ask("migrate", uri="fd:state")
                await migrated(machine.monitor)
            finally:
                await machine.kill()
            disk.unlink()
            with contextlib.suppress(FileExistsError):
                draft.rename(place)
        self._sweep()

    @contextlib.contextmanager
    def _draft(self, shape: Shape) -> Generator[Path]:
        """A folder with what a machine needs to boot; gone afterwards unless it got another name."""
        self.folder.mkdir(parents=True, exist_ok=True)
        draft = Path(tempfile.mkdtemp(prefix=DRAFT, dir=self.folder))
        try:
            blank(draft / "memory", shape.memory * 1024**2)
            (draft / "initial").write_bytes(initial(self.image))
            yield draft
        finally:
            shutil.rmtree(draft, ignore_errors=True)

    def _parts(self, place: Path, disk: Path, *, copy: bool = False) -> Parts:
        kernel, system = self.image / "vmlinuz", self.image / "rootfs.erofs"
        state = place / "state" if copy else None
        return Parts(kernel, place / "initial", system, disk, place / "memory", shared=False, state=state)

    def _sweep(self) -> None:
        """Machines that were copied from one keep what they need of it."""
        there = [path for path in self.folder.iterdir() if not path.name.startswith(DRAFT)]
        for path in sorted(there, key=lambda path: path.stat().st_mtime, reverse=True)[KEPT:]:
            shutil.rmtree(path, ignore_errors=True)

    def _key(self, shape: Shape) -> str:
        """Another one for everything that makes another machine."""
        told = hashlib.sha256(f"{shape} {BOOT_ID.read_text()}".encode())
        for path in (shutil.which("qemu-system-x86_64") or "", self.image / "vmlinuz", self.image / "rootfs.erofs"):
            status = os.stat(path)
            told.update(f"{path} {status.st_size} {status.st_mtime_ns}".encode())
        for path in sorted([*GUEST_SOURCE.rglob("*.py"), *Path(__file__).parent.glob("qemu*.py")]):
            told.update(path.read_bytes())
        return told.hexdigest()[:24]


async def booted(machine: Virtual, seconds: float) -> Virtual:
    """The machine once it is ready; ended where it is not."""
    try:
        await machine.hear("ready", seconds)
    except BaseException:
        await machine.kill()
        raise
    return machine


def blank(path: Path, size: int) -> None:
    """A file of that size which takes no room yet and belongs to qemu."""
    with path.open("xb") as file:
        file.truncate(size)
    path.chmod(0o600)
    if os.geteuid() == 0:
        os.chown(path, ROOT_BASE, ROOT_BASE)
