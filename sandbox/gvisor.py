"""Machines with a kernel of their own in user space (gVisor): a stronger wall than namespaces, without virtualisation.

Hides runsc and its bundles. A program in such a machine never speaks to the host's kernel, only to gVisor's. The
machine's system is an image (deploy/image), the way out goes over the guest's own stream. Machines live as long as this
process; files in their homes stay. Needs root.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import re
import shutil
import sys
import tempfile
from dataclasses import dataclass, replace
from pathlib import Path

from . import cgroup, gvisor_bundle, launcher
from .contained import Box, group_for
from .guest_system import BROWSER, UID, Inside, hand_program, put
from .gvisor_bundle import PYTHON, Files
from .ids import ROOT_BASE
from .roster import Kind, Launched, Roster, browser_home
from .types import MachineSpec, MachineUnavailable, Problem

KERNEL_BYTES = 512 * 1024**2
"""What gVisor's own kernel may use beyond the session's memory."""
KERNEL_THREADS = 4096
NEW_ENOUGH = 2024
"""Builds of 2022 lack openat2, without which no file of a machine is opened safely, and flags that coreutils 9 uses."""
ENDING_SECONDS = 20.0
HINT = "Read the message above; gVisor needs root, and where it runs in a container, that container must be privileged."


@dataclass(frozen=True, slots=True)
class Settings:
    """state: a folder for the backend's own files. image: the folder of a machine's system, as `make image` makes it
    (rootfs). platform: how runsc catches system calls ('systrap', 'kvm', 'ptrace'); empty for its own choice."""

    state: Path
    image: Path
    platform: str = ""


class GvisorBackend(Roster):
    """A `Backend` on a Linux host with runsc."""

    def __init__(self, settings: Settings) -> None:
        host = Host(settings)
        inside = Inside(capped=False)
        kind = Kind("gvisor", settings.state, inside, host.launch, host.problems, hint=HINT, start_seconds=90.0)
        super().__init__(kind)


@dataclass(slots=True)
class Sandbox(Box):
    """One machine's runsc. `name`: what runsc calls it."""

    name: str = ""
    bundle: Path = Path()

    async def end(self) -> None:
        if self.group:
            self.group.freeze(False)
        await runsc(self.bundle.parent, "delete", "--force", self.name)
        await Box.end(self)
        await asyncio.to_thread(shutil.rmtree, self.bundle, ignore_errors=True)


class Host:
    """This host as a place for machines."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._groups = cgroup.Groups.find()
        if self._groups:
            self._groups.sweep()

    async def problems(self) -> list[Problem]:
        """What is missing."""
        found: list[Problem] = []
        if shutil.which("runsc") is None:
            fix = "Install gVisor (apt-get install runsc, or the maker's own newer package)."
            found.append(Problem("The program runsc is missing.", fix, fatal=True))
        elif (year := await built()) and year < NEW_ENOUGH:
            what = f"This runsc is of {year}, which is too old: files of its machines cannot be opened safely."
            fix = "Install the package of gVisor's makers, which is newer than the distribution's."
            found.append(Problem(what, fix, fatal=True))
        if os.geteuid() != 0:
            found.append(Problem("gVisor needs root.", "Run as root, or choose bubblewrap.", fatal=True))
        if not (self._settings.image / "usr/bin/python3").exists():
            what = f"{self._settings.image} holds no system for machines."
            found.append(Problem(what, "Run make image, or set THREADHAND_IMAGE to where it is.", fatal=True))
        if self._groups is None:
            what = "No control groups to write to: a machine's memory is limited per program, not in sum."
            found.append(Problem(what, "Run in a systemd unit with Delegate=yes."))
        return found

    async def launch(self, spec: MachineSpec) -> Launched:
        """Start runsc with pipes to its guest."""
        state = self._folder()
        bundle = Path(tempfile.mkdtemp(prefix="b-", dir=state))
        complaints = tempfile.TemporaryFile()  # noqa: SIM115  (closed when the machine ends)
        memory = spec.limits.memory_bytes + KERNEL_BYTES
        group = group_for(self._groups, spec, replace(spec.limits, memory_bytes=memory, processes=KERNEL_THREADS))
        process = await asyncio.create_subprocess_exec(
            *(sys.executable, "-I", "-S", launcher.__file__, json.dumps(self._plan(spec, bundle, group))),
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
            stderr=complaints,
        )
        box = Sandbox(process, group, complaints, name=bundle.name, bundle=bundle)
        return Launched(*streams(process), box.end, box.said, box.freeze, box.note)

    def _plan(self, spec: MachineSpec, bundle: Path, group: cgroup.Group | None) -> dict[str, object]:
        """What the launcher is to do."""
        flags = ["--root", str(bundle.parent), "--network=none", "--ignore-cgroups", "--overlay2=none"]
        if self._settings.platform:
            flags.append(f"--platform={self._settings.platform}")
        places = gvisor_bundle.write(
            bundle, spec, Files(self._settings.image, self._programs() if spec.broker else None)
        )
        return {
            "doors": group.doors if group else (),
            "argv": ["runsc", *flags, "run", "-bundle", str(bundle), bundle.name],
            "ids": "later",
            "base": ROOT_BASE,
            "owner": UID,
            "owners": {str(spec.home): UID, str(browser_home(spec.home)): BROWSER},
            "stage": places,
        }

    def _folder(self) -> Path:
        state = self._settings.state.resolve()
        state.mkdir(parents=True, exist_ok=True)
        return state

    def _programs(self) -> Path:
        folder = self._folder() / "bin"
        folder.mkdir(exist_ok=True)
        put(folder / "hand", hand_program(PYTHON), 0o755)
        return folder


def streams(process: asyncio.subprocess.Process) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
    """What a process writes, and what it reads."""
    if process.stdout is None or process.stdin is None:
        raise MachineUnavailable("The machine was started without a stream.")
    return process.stdout, process.stdin


async def built() -> int:
    """The year runsc is of; 0 where it does not say."""
    pipe = asyncio.subprocess.PIPE
    process = await asyncio.create_subprocess_exec("runsc", "--version", stdout=pipe)
    said, _ = await process.communicate()
    found = re.search(rb"20\d\d", said)
    return int(found[0]) if found else 0


async def runsc(state: Path, *arguments: str) -> None:
    """One command of runsc, whatever comes of it."""
    nothing = asyncio.subprocess.DEVNULL
    process = await asyncio.create_subprocess_exec(
        "runsc", "--root", str(state), *arguments, stdin=nothing, stdout=nothing, stderr=nothing
    )
    try:
        async with asyncio.timeout(ENDING_SECONDS):
            await process.wait()
    except TimeoutError:
        with contextlib.suppress(ProcessLookupError):
            process.kill()
        await process.wait()
