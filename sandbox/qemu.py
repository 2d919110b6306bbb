"""Virtual machines (qemu): a kernel of their own, by the processor's virtualisation or, much slower, without.

Hides the disk of a session. Its home and the browser's are folders of one file system in the file `home/disk`, which
takes only the room of what lies in it. No network device exists: the ways out travel over the guest's own stream.
Machines live as long as this process; their disks stay.
"""

from __future__ import annotations

import asyncio
import math
import os
import shutil
from dataclasses import dataclass, replace
from pathlib import Path

from . import cgroup
from .contained import group_for
from .guest_system import Inside
from .qemu_machine import Shape
from .qemu_template import Templates, blank
from .roster import Kind, Launched, Roster
from .types import MachineSpec, MachineUnavailable, Problem

MIB = 1024**2
KERNEL_BYTES = 192 * MIB
"""What a machine's own kernel and guest program may use beyond the session's memory."""
QEMU_BYTES = 512 * MIB
"""And what qemu may use beyond that, most of it for translated code."""
QEMU_THREADS = 128
DISK = "disk"
BEGIN_SECONDS = 60.0
PROGRAMS = {
    "qemu-system-x86_64": "apt-get install qemu-system-x86",
    "mkfs.ext4": "apt-get install e2fsprogs",
    "setpriv": "apt-get install util-linux",
}
HINT = "Read the message above. THREADHAND_QEMU_ACCEL=tcg does without the processor's virtualisation, much slower."


@dataclass(frozen=True, slots=True)
class Settings:
    """state: a folder for the backend's own files. image: the folder of a machine's system, as `make image` makes it.
    accelerator: 'kvm', 'tcg', or empty for kvm where a machine really boots with it."""

    state: Path
    image: Path
    accelerator: str = ""


class QemuBackend(Roster):
    """A `Backend` on an x86-64 host with qemu."""

    def __init__(self, settings: Settings) -> None:
        host = Host(settings)
        inside = Inside(capped=False)
        kind = Kind("qemu", settings.state, inside, host.launch, host.problems, hint=HINT, start_seconds=90.0)
        super().__init__(kind)


class Host:
    """This host as a place for machines."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._templates = Templates(settings.state.resolve() / "templates", settings.image, settings.accelerator)
        self._groups = cgroup.Groups.find()
        if self._groups:
            self._groups.sweep()

    async def problems(self) -> list[Problem]:
        """What is missing."""
        found: list[Problem] = []
        for program, fix in PROGRAMS.items():
            if which(program) is None:
                found.append(Problem(f"The program {program} is missing.", f"Install it ({fix}).", fatal=True))
        for part in ("vmlinuz", "rootfs.erofs", "rootfs", "modules"):
            if not (self._settings.image / part).exists():
                what = f"{self._settings.image} holds no system for machines: {part} is missing."
                found.append(Problem(what, "Run make image, or set THREADHAND_IMAGE to where it is.", fatal=True))
                break
        if not self._templates.ways[0]:
            what = "/dev/kvm cannot be used: machines run, but ten to twenty times slower than on the processor."
            found.append(Problem(what, "Use a host with virtualisation, and let the bot's user into its group kvm."))
        if self._groups is None:
            what = "No control groups to write to: what qemu itself uses has no limit, its machines have."
            found.append(Problem(what, "Run in a systemd unit with Delegate=yes."))
        return found

    async def launch(self, spec: MachineSpec) -> Launched:
        """Start qemu with the session's disk."""
        limits = spec.limits
        disk = spec.home / DISK
        shape = shape_for(spec)
        if not disk.exists():
            await make_disk(disk, shape.disk_bytes)
        memory = shape.memory * MIB + QEMU_BYTES
        group = group_for(self._groups, spec, replace(limits, memory_bytes=memory, processes=QEMU_THREADS))
        try:
            machine = await self._templates.machine(shape, disk, group)
        except BaseException:
            if group:
                await group.remove()
            raise
        try:
            await machine.begin(max(limits.disk_bytes // 4, 16 * MIB), BEGIN_SECONDS)
        except BaseException:
            await machine.kill()
            raise
        return Launched(*machine.guest, machine.end, machine.said, machine.freeze, machine.note)


def shape_for(spec: MachineSpec) -> Shape:
    """The disk is larger than what the guest lets a session use, so that what it says of a full disk comes first."""
    limits = spec.limits
    memory = math.ceil((limits.memory_bytes + KERNEL_BYTES) / (2 * MIB)) * 2
    cpus = max(1, min(math.ceil(limits.cpu), os.cpu_count() or 1))
    return Shape(memory, cpus, math.ceil((limits.disk_bytes * 2 + 128 * MIB) / MIB) * MIB, fast=False)


async def make_disk(path: Path, size: int) -> None:
    """An empty file system in a file."""
    draft = path.with_name(f".{path.name}.{os.getpid()}")
    draft.unlink(missing_ok=True)
    blank(draft, size)
    process = await asyncio.create_subprocess_exec(
        *(which("mkfs.ext4") or "mkfs.ext4", "-q", "-m", "0", "-E", "lazy_itable_init=1,nodiscard", str(draft)),
        stdin=asyncio.subprocess.DEVNULL,
        stdout=asyncio.subprocess.DEVNULL,
        stderr=asyncio.subprocess.PIPE,
    )
    _, said = await process.communicate()
    if process.returncode:
        draft.unlink(missing_ok=True)
        raise MachineUnavailable(f"The machine's disk could not be made: {said.decode('utf-8', 'replace').strip()}")
    draft.replace(path)


def which(program: str) -> str | None:
    """A program, also one of those that are for administrators."""
    return shutil.which(program, path=f"{os.defpath}:/usr/local/bin:/usr/sbin:/sbin")
