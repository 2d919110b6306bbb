"""Machines that have nothing of the host but the stream to their guest, for each way in which the host comes to one.

Isolated just enough for tests, by bubblewrap with one user: what matters is that the ways out travel over the stream.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import secrets
import sys
import tempfile
import tty
from dataclasses import dataclass
from pathlib import Path
from typing import IO

from sandbox.bubblewrap import memory_file
from sandbox.bwrap_args import Layout, Mounts, arguments
from sandbox.guest.arrival import joined
from sandbox.guest_system import FILES, GUEST_SOURCE, Inside, seccomp_filters
from sandbox.roster import Kind, Launched, Roster, browser_home
from sandbox.types import MachineSpec, Problem
from tests.support.waiting import until

OWN = ("/run/threadhand", "/opt/threadhand/bin")
"""Folders that the guest writes to."""
PORT = "/dev/port"


async def no_problems() -> list[Problem]:
    return []


@dataclass(frozen=True, slots=True)
class Process:
    """A machine as a process of the host."""

    child: asyncio.subprocess.Process
    complaints: IO[bytes]

    def said(self) -> str:
        self.complaints.seek(0)
        return self.complaints.read().decode()

    async def end(self) -> None:
        with contextlib.suppress(ProcessLookupError):
            self.child.kill()
        await self.child.wait()
        self.complaints.close()


@dataclass(frozen=True, slots=True)
class Streamed:
    """Launches machines to which the host comes by `way`: 'pipes', 'device' or 'listen'."""

    folder: Path
    way: str

    def roster(self) -> Roster:
        """The backend."""
        inside = Inside(mounted=False, capped=False, users=False, python=False)
        return Roster(Kind(f"streamed-{self.way}", self.folder, inside, self.launch, no_problems))

    async def launch(self, spec: MachineSpec) -> Launched:
        match self.way:
            case "pipes":
                process = await self.run(spec, "pipes")
                reader, writer = process.child.stdout, process.child.stdin
                assert reader
                assert writer
                return Launched(reader, writer, process.end, process.said)
            case "device":
                ours, theirs = os.openpty()
                tty.setraw(theirs)
                process = await self.run(spec, "device", PORT, port=os.ttyname(theirs))
                reader, writer = await joined(ours, os.dup(ours))

                async def end() -> None:
                    await process.end()
                    os.close(theirs)

                return Launched(reader, writer, end, process.said)
            case _:
                token = secrets.token_urlsafe()
                (spec.home / "token").write_text(token)
                process = await self.run(spec, "listen", "/home/agent/socket", "/home/agent/token")
                socket = spec.home / "socket"
                await until(socket.exists)
                reader, writer = await asyncio.open_unix_connection(str(socket))
                return Launched(reader, writer, process.end, process.said, token=token)

    async def run(self, spec: MachineSpec, *way: str, port: str = "") -> Process:
        complaints = tempfile.TemporaryFile()  # noqa: SIM115  (closed when the machine ends)
        with memory_file(seccomp_filters()[0]) as filter_fd:
            child = await asyncio.create_subprocess_exec(
                *self.command(spec, filter_fd, port),
                *way,
                stdin=asyncio.subprocess.PIPE,
                stdout=asyncio.subprocess.PIPE,
                stderr=complaints,
                pass_fds=(filter_fd,),
            )
        return Process(child, complaints)

    def command(self, spec: MachineSpec, filter_fd: int, port: str) -> list[str]:
        etc = self.folder / "etc"
        etc.mkdir(parents=True, exist_ok=True)
        for name, content in FILES.items():
            (etc / name).write_text(content)
        prefix = Path(sys.base_prefix).resolve()
        folders = () if prefix.is_relative_to("/usr") else ((prefix, str(prefix)),)
        python = (prefix / "bin/python3").resolve()
        layout = Layout(spec.home, etc, GUEST_SOURCE, python, folders, browser_home(spec.home), None, spec.limits)
        found = arguments(layout, Mounts(staged=False), mapped=False, filter_fd=filter_fd)
        added = [part for folder in OWN for part in ("--perms", "0755", "--tmpfs", folder)]
        added += ["--dev-bind", port, PORT] if port else []
        place = found.index("--remount-ro")
        return [*found[:place], *added, *found[place:]]
