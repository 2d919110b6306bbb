"""A machine that is a process of this host in a control group of its own.

Hides the group: what it may use, stopping and going on with all of it, what a limit did, and ending every last program.
"""

from __future__ import annotations

import asyncio
import contextlib
import hashlib
import os
from dataclasses import dataclass
from typing import IO

from . import cgroup
from .types import Limits, MachineSpec


def group_for(groups: cgroup.Groups | None, spec: MachineSpec, limits: Limits | None = None) -> cgroup.Group | None:
    """The group of a session's machine, where this host lets us make one."""
    name = f"{os.getpid()}-{hashlib.sha256(spec.session_id.encode()).hexdigest()[:16]}"
    return groups.make(name, limits or spec.limits) if groups else None


@dataclass(slots=True)
class Box:
    """One machine: everything inside dies with its first process or with its group."""

    process: asyncio.subprocess.Process
    group: cgroup.Group | None
    complaints: IO[bytes]
    memory_kills: int = 0
    refused: int = 0

    async def freeze(self, frozen: bool) -> bool:
        return self.group is not None and self.group.freeze(frozen)

    async def note(self) -> str:
        if not self.group:
            return ""
        kills, refused = self.group.killed_for_memory(), self.group.refused_processes()
        memory, processes = kills > self.memory_kills, refused > self.refused
        self.memory_kills, self.refused = kills, refused
        if memory:
            return "The machine's memory was used up, so the program that used most of it was ended. Use less."
        if processes:
            return "Too many programs ran at once, so no more could be started. Start fewer."
        return ""

    def said(self) -> str:
        self.complaints.seek(0)
        return self.complaints.read()[-2000:].decode("utf-8", "replace").strip()

    async def end(self) -> None:
        if self.group:
            self.group.freeze(False)
        with contextlib.suppress(ProcessLookupError):
            self.process.kill()
        await self.process.wait()
        self.complaints.close()
        if self.group:
            await self.group.remove()
