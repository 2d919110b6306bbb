"""Machines from Linux namespaces: quick, nothing to install but bubblewrap, shares the host's kernel.

Hides namespaces, user ids, control groups and the start of the guest. Machines live as long as this process:
what runs in them ends with it, files in their homes stay.
"""

from __future__ import annotations

import asyncio
import contextlib
import getpass
import json
import os
import shutil
import socket
import sys
import tempfile
from collections.abc import Generator
from dataclasses import dataclass
from pathlib import Path

from . import bwrap_args, cgroup, launcher
from .bwrap_args import Layout, Mounts
from .contained import Box, group_for
from .desktop import missing_desktop
from .guest_system import BROWSER, FILES, GUEST_SOURCE, MACHINE, UID, Inside, hand_program, put, seccomp_filters
from .ids import ROOT_BASE, Ids, best_ids, subordinate_base
from .roster import Kind, Launched, Roster, browser_home, remove_tree
from .types import MachineSpec, Problem


@dataclass(frozen=True, slots=True)
class Settings:
    """state: a folder for the backend's own files. machine_env: a Python environment (venv) whose programs and
    libraries the machine gets, read-only; None for the plain interpreter. ids: how user ids are separated;
    None chooses the best that this user may have."""

    state: Path
    machine_env: Path | None = None
    ids: Ids | None = None


HINT = "Read the message above; in a container, user namespaces must be allowed."


class BubblewrapBackend(Roster):
    """The default `Backend` on Linux, as root or as an ordinary user."""

    def __init__(self, settings: Settings) -> None:
        host = Host(settings)
        capped, users = host.groups is not None, host.ids != "same"
        inside = Inside(mounted=True, capped=capped, users=users, python=settings.machine_env is not None)
        super().__init__(Kind("bubblewrap", settings.state, inside, host.launch, host.problems, host.remove, HINT))


class Host:
    """This host as a place for machines."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self.ids: Ids = settings.ids or best_ids()
        self.groups = cgroup.Groups.find()
        if self.groups:
            self.groups.sweep()

    async def problems(self) -> list[Problem]:
        """What is missing, and what protects less than it could."""
        return [*missing(), *self._weaker()]

    def _folder(self) -> Path:
        self._settings.state.mkdir(parents=True, exist_ok=True)
        return self._settings.state

    def _weaker(self) -> list[Problem]:
        found: list[Problem] = []
        if self.groups is None:
            what = "No control groups to write to: memory and processes are limited per program, not in sum."
            found.append(Problem(what, "Run as root, or in a systemd unit with Delegate=yes."))
        if self.ids == "same":
            what = "No user ids to map: the agent's programs run as the same user as the guest program."
            fix = f"apt-get install uidmap; then usermod --add-subuids 100000-165535 --add-subgids 100000-165535 {getpass.getuser()}"  # noqa: E501
            found.append(Problem(what, fix))
        env = self._settings.machine_env
        if env is not None and not has_python(env):
            what = f"{env} has no Python: programs in the machine lack pandas, openpyxl and the like."
            found.append(Problem(what, "Run make install, which creates it."))
        return [*found, *missing_desktop(env)]

    async def launch(self, spec: MachineSpec) -> Launched:
        """Start bubblewrap with a socket as its standard input."""
        group = group_for(self.groups, spec)
        ours, theirs = socket.socketpair()
        complaints = tempfile.TemporaryFile()  # noqa: SIM115  (closed when the machine ends)
        with theirs, memory_file(seccomp_filters()[0]) as filter_fd:
            process = await asyncio.create_subprocess_exec(
                *self._command(spec, group, filter_fd),
                stdin=theirs.fileno(),
                stdout=complaints,
                stderr=complaints,
                pass_fds=(filter_fd,),
                env={"PATH": "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"},
            )
        reader, writer = await asyncio.open_connection(sock=ours)
        box = Box(process, group, complaints)
        return Launched(reader, writer, box.end, box.said, box.freeze, box.note)

    def _command(self, spec: MachineSpec, group: cgroup.Group | None, filter_fd: int) -> list[str]:
        mounts = Mounts(staged=os.geteuid() == 0)
        mapped = self.ids != "same"
        arguments = bwrap_args.arguments(self._layout(spec), mounts, mapped=mapped, filter_fd=filter_fd)
        plan = {
            "doors": group.doors if group else (),
            "argv": arguments,
            "ids": self.ids,
            "base": self._base(),
            "owner": UID,
            "owners": {str(spec.home): UID, str(browser_home(spec.home)): self._browser_id()},
            "stage": mounts.places,
        }
        return [sys.executable, "-I", "-S", launcher.__file__, json.dumps(plan)]

    def _browser_id(self) -> int:
        return UID if self.ids == "same" else BROWSER

    def _base(self) -> int:
        match self.ids:
            case "subids":
                return subordinate_base() or 0
            case "root" | "same":
                return ROOT_BASE

    def _layout(self, spec: MachineSpec) -> Layout:
        etc = self._folder() / "etc"
        etc.mkdir(exist_ok=True)
        for name, content in FILES.items():
            put(etc / name, content, 0o644)
        python, folders = self._interpreter()
        put(etc / "hand", hand_program(str(python)), 0o755)
        gate = (spec.egress.socket, spec.egress.ca_certificate) if spec.egress else None
        return Layout(
            spec.home, etc, GUEST_SOURCE, python, folders, browser_home(spec.home), gate, spec.limits, spec.broker
        )

    def _interpreter(self) -> tuple[Path, tuple[tuple[Path, str], ...]]:
        """The interpreter as seen inside, and what must be mounted for it."""
        env = self._settings.machine_env
        folders: list[tuple[Path, str]] = []
        python = Path(sys.base_prefix, "bin", "python3").resolve()
        if env is not None and has_python(env):
            folders.append((env, MACHINE))
            python = (env / "bin/python3").resolve()
        prefix = python.parent.parent
        if not prefix.is_relative_to("/usr"):
            folders.append((prefix, str(prefix)))
        return python, tuple(folders)

    async def remove(self, home: Path) -> None:
        """Delete a home; some of its files may belong to ids that only a mapped root may touch."""
        if self.ids == "subids":
            plan = {"doors": (), "argv": ["rm", "-rf", "--", str(home)], "ids": "subids", "base": self._base()}
            command = [sys.executable, "-I", "-S", launcher.__file__, json.dumps(plan)]
            await (await asyncio.create_subprocess_exec(*command)).wait()
        else:
            await remove_tree(home)


def has_python(env: Path) -> bool:
    return os.access(env / "bin/python3", os.X_OK)


def missing() -> list[Problem]:
    found: list[Problem] = []
    if not sys.platform.startswith("linux"):
        found.append(Problem("bubblewrap needs Linux.", "Use another backend.", fatal=True))
    if shutil.which("bwrap") is None:
        found.append(Problem("The program bwrap is missing.", "apt-get install bubblewrap", fatal=True))
    try:
        seccomp_filters()
    except (OSError, RuntimeError, AttributeError) as error:
        found.append(Problem(f"No seccomp filter: {error}.", "apt-get install libseccomp2", fatal=True))
    return found


@contextlib.contextmanager
def memory_file(content: bytes) -> Generator[int]:
    """A descriptor to read `content` from."""
    descriptor = os.memfd_create("filter")
    try:
        os.write(descriptor, content)
        os.lseek(descriptor, 0, os.SEEK_SET)
        yield descriptor
    finally:
        os.close(descriptor)
