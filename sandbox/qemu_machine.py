"""One running virtual machine.

Hides qemu's command line and its three sockets: its monitor, the guest's stream, and the line to the guest's process 1
(guest/power.py). They are pairs that only this process holds, so there is no name for anybody else to connect to. The
files come as open descriptors: qemu runs as a user that may open nothing else of ours.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import secrets
import socket
import tempfile
import time
from collections.abc import Generator
from dataclasses import dataclass, field
from pathlib import Path

from .cgroup import Group
from .contained import Box
from .guest.frames import Message
from .ids import ROOT_BASE
from .qmp import Monitor
from .types import MachineError, MachineUnavailable

KVM = Path("/dev/kvm")
BOARD = "q35,usb=off,vmport=off,i8042=off,smbus=off,sata=off,memory-backend=ram"
NAMED = "x-use-canonical-path-for-ramblock-id=off"
"""Memory is known by its name here, for the file it is in is another one in a copy."""
GUARD = "on,obsolete=deny,elevateprivileges=deny,spawn=deny,resourcecontrol=deny"
KERNEL = "console=ttyS0 quiet panic=-1"
SLOW = ("tcg,thread=multi,tb-size=256", "max")
FAST = ("kvm", "host")
OFF_SECONDS = 10.0


@dataclass(frozen=True, slots=True)
class Shape:
    """What a machine consists of; the copy of a machine has the same. memory: MiB."""

    memory: int
    cpus: int
    disk_bytes: int
    fast: bool


@dataclass(frozen=True, slots=True)
class Parts:
    """The files of one machine. memory: what its memory is kept in; shared: changes reach that file; state: the rest of
    a machine that it is to be a copy of."""

    kernel: Path
    initial: Path
    system: Path
    disk: Path
    memory: Path
    shared: bool
    state: Path | None = None


@dataclass(slots=True)
class Virtual(Box):
    """A `Box` with qemu in it."""

    monitor: Monitor = field(kw_only=True)
    line: tuple[asyncio.StreamReader, asyncio.StreamWriter] = field(kw_only=True)
    guest: tuple[asyncio.StreamReader, asyncio.StreamWriter] = field(kw_only=True)

    async def hear(self, word: str, seconds: float) -> None:
        """Wait until process 1 says it. Raises MachineUnavailable."""
        try:
            async with asyncio.timeout(seconds):
                said: Message = json.loads(await self.line[0].readline() or "{}")
        except (OSError, ValueError, TimeoutError):
            said = {}
        if word not in said:
            why = str(said.get("error") or self.said() or "it gave no reason within its time.")
            raise MachineUnavailable(f"The machine did not start: {why}")

    async def begin(self, scratch: int, seconds: float) -> None:
        """Make it the machine of a session, whose disk it has."""
        self._say({"now": time.time(), "seed": secrets.token_hex(64), "scratch": scratch})
        await self.hear("started", seconds)

    async def freeze(self, frozen: bool) -> bool:
        await self.monitor.ask("stop" if frozen else "cont")
        if not frozen:
            # Its clock stood still meanwhile.
            self._say({"now": time.time()})
        return True

    async def end(self) -> None:
        with contextlib.suppress(MachineError, OSError):
            if self.process.returncode is None:
                await self.monitor.ask("cont")
                self._say({"off": True})
                await self.hear("off", OFF_SECONDS)
        await self.kill()

    async def kill(self) -> None:
        """End it as it is."""
        for writer in (self.line[1], self.guest[1], self.monitor.writer):
            writer.close()
        await Box.end(self)

    def _say(self, message: Message) -> None:
        self.line[1].write(json.dumps(message).encode() + b"\n")


async def start(shape: Shape, parts: Parts, group: Group | None) -> Virtual:
    """Start qemu; a copy goes on where the machine was that it is a copy of. Raises MachineError, OSError."""
    complaints = tempfile.TemporaryFile()  # noqa: SIM115  (closed when the machine ends)
    pairs = [socket.socketpair() for _ in range(3)]
    with opened(parts) as files:
        theirs = [other.fileno() for _, other in pairs]
        process = await asyncio.create_subprocess_exec(
            *rank(shape),
            *command(shape, parts, files, theirs),
            stdin=asyncio.subprocess.DEVNULL,
            stdout=complaints,
            stderr=complaints,
            pass_fds=[*files.values(), *theirs],
        )
        for door in group.doors if group else ():
            with contextlib.suppress(ProcessLookupError):
                Path(door).write_text(str(process.pid))
        for _, other in pairs:
            other.close()
        monitor, line, guest = [await asyncio.open_connection(sock=ours) for ours, _ in pairs]
        machine = Virtual(process, group, complaints, monitor=Monitor(*monitor), line=line, guest=guest)
        try:
            await resume(machine, files.get("state"))
        except BaseException:
            said = machine.said()
            await machine.kill()
            if said:
                raise MachineUnavailable(f"The machine did not start: {said}") from None
            raise
        return machine


async def resume(machine: Virtual, state: int | None) -> None:
    """Make the machine run, from the beginning or from what was kept."""
    if state is not None:
        await machine.monitor.ask("migrate-set-capabilities", capabilities=[IGNORE_SHARED])
        await machine.monitor.ask("migrate-incoming", uri=f"fd:{state}")
        await migrated(machine.monitor)
    await machine.monitor.ask("cont")


IGNORE_SHARED = {"capability": "x-ignore-shared", "state": True}


async def migrated(monitor: Monitor) -> None:
    """Wait until a machine's state has been written or read."""
    while (status := (await monitor.ask("query-migrate")).get("status")) != "completed":
        if status in ("failed", "cancelled"):
            raise MachineUnavailable("qemu could not keep or take up a machine's state.")
        await asyncio.sleep(0.005)


@contextlib.contextmanager
def opened(parts: Parts) -> Generator[dict[str, int]]:
    """The files, opened for qemu to open again."""
    wanted = {
        "kernel": (parts.kernel, os.O_RDONLY),
        "initial": (parts.initial, os.O_RDONLY),
        "system": (parts.system, os.O_RDONLY),
        "disk": (parts.disk, os.O_RDWR),
        "memory": (parts.memory, os.O_RDWR),
    }
    if parts.state:
        wanted["state"] = (parts.state, os.O_RDONLY)
    files: dict[str, int] = {}
    try:
        for name, (path, flags) in wanted.items():
            files[name] = os.open(path, flags)
        yield files
    finally:
        for descriptor in files.values():
            os.close(descriptor)


def rank(shape: Shape) -> list[str]:
    """Who qemu is: nobody who owns anything else, and gone when this process is."""
    if os.geteuid() != 0:
        return ["setpriv", "--pdeathsig", "TERM", "--"]
    groups = f"--groups={KVM.stat().st_gid}" if shape.fast else "--clear-groups"
    ids = (f"--reuid={ROOT_BASE}", f"--regid={ROOT_BASE}", groups)
    return ["setpriv", *ids, "--no-new-privs", "--inh-caps=-all", "--pdeathsig", "TERM", "--"]


def command(shape: Shape, parts: Parts, files: dict[str, int], sockets: list[int]) -> list[str]:
    paths = {name: f"/proc/self/fd/{descriptor}" for name, descriptor in files.items()}
    accelerator, processor = FAST if shape.fast else SLOW
    monitor, line, guest = sockets
    memory = f"memory-backend-file,id=ram,{NAMED},size={shape.memory}M,mem-path={paths['memory']}"
    drive = "driver=raw,node-name={0},file.driver=file,file.filename={1},read-only={2},discard=unmap"
    boot = ["-kernel", paths["kernel"], "-initrd", paths["initial"], "-append", KERNEL]
    return [
        *("qemu-system-x86_64", "-S", "-M", BOARD, "-accel", accelerator, "-cpu", processor, "-smp", str(shape.cpus)),
        *("-m", f"{shape.memory}M", "-object", f"{memory},share={'on' if parts.shared else 'off'}"),
        *("-nodefaults", "-no-user-config", "-display", "none", "-no-reboot", "-sandbox", GUARD),
        *("-serial", "stdio", "-chardev", f"socket,id=monitor,fd={monitor}", "-mon", "chardev=monitor,mode=control"),
        *boot,
        *("-blockdev", drive.format("system", paths["system"], "on"), "-device", "virtio-blk-pci,drive=system"),
        *("-blockdev", drive.format("home", paths["disk"], "off"), "-device", "virtio-blk-pci,drive=home"),
        *("-device", "virtio-serial-pci", "-device", "virtio-rng-pci"),
        *("-chardev", f"socket,id=line,fd={line}", "-device", "virtserialport,chardev=line,nr=1"),
        *("-chardev", f"socket,id=guest,fd={guest}", "-device", "virtserialport,chardev=guest,nr=2"),
        *(("-incoming", "defer") if parts.state else ()),
    ]
