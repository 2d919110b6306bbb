"""Limits that hold for a machine as a whole: memory, processes, processor time, and freezing it.

Hides the two versions of Linux control groups, and that an ordinary user may have none: then `Groups.find` is
None and the machine has per-process limits only, which `check` says.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from .types import Limits

ROOT = Path("/sys/fs/cgroup")
PARENT = "threadhand"
BELOW = "bot"
NEEDED = ("memory", "pids")
PERIOD = 100_000


@dataclass(frozen=True, slots=True)
class Groups:
    """Where this process may make groups. base: one folder per controller (version 1), or one in all."""

    version: Literal[1, 2]
    base: dict[str, Path]

    @classmethod
    def find(cls, root: Path = ROOT) -> Groups | None:
        """The groups this process may use; None when there are none it may write to."""
        try:
            if (root / "cgroup.controllers").exists():
                return unified(root)
            return separate(root)
        except OSError:
            return None

    def make(self, name: str, limits: Limits) -> Group:
        folders = {controller: base / name for controller, base in self.base.items()}
        for folder in folders.values():
            folder.mkdir(exist_ok=True)
        group = Group(self.version, folders)
        group.limit(limits)
        return group

    def sweep(self) -> None:
        """Let go of what a bot that was killed left behind: its frozen programs can only die once they run.
        A group's name begins with the process id of the bot that made it."""
        for folder in {path for base in self.base.values() for path in base.glob("*-*") if path.is_dir()}:
            if not Path("/proc", folder.name.split("-")[0]).exists():
                group = Group(self.version, {name: base / folder.name for name, base in self.base.items()})
                group.freeze(False)
                with contextlib.suppress(OSError):
                    folder.rmdir()


@dataclass(frozen=True, slots=True)
class Group:
    """One machine's group."""

    version: Literal[1, 2]
    folders: dict[str, Path]

    @property
    def doors(self) -> tuple[str, ...]:
        """Files to write a process id to, so that it and what it starts belong to the group."""
        return tuple(sorted({str(folder / "cgroup.procs") for folder in self.folders.values()}))

    def limit(self, limits: Limits) -> None:
        quota = int(limits.cpu * PERIOD)
        if self.version == 2:
            self.set("memory", "memory.max", limits.memory_bytes)
            self.set("memory", "memory.swap.max", 0)
            self.set("memory", "memory.oom.group", 0)
            self.set("cpu", "cpu.max", f"{quota} {PERIOD}")
        else:
            self.set("memory", "memory.limit_in_bytes", limits.memory_bytes)
            self.set("memory", "memory.memsw.limit_in_bytes", limits.memory_bytes)
            self.set("cpu", "cpu.cfs_period_us", PERIOD)
            self.set("cpu", "cpu.cfs_quota_us", quota)
        self.set("pids", "pids.max", limits.processes)

    def set(self, controller: str, file: str, value: object) -> None:
        """Set one value where the kernel has it (swap accounting, for one, is often off)."""
        if controller in self.folders:
            with contextlib.suppress(OSError):
                (self.folders[controller] / file).write_text(str(value))

    def freeze(self, frozen: bool) -> bool:
        """Stop or continue every program; False where the kernel has no freezer."""
        try:
            if self.version == 2:
                (self.folders["memory"] / "cgroup.freeze").write_text("1" if frozen else "0")
            elif "freezer" in self.folders:
                (self.folders["freezer"] / "freezer.state").write_text("FROZEN" if frozen else "THAWED")
            else:
                return False
        except OSError:
            return False
        return True

    def killed_for_memory(self) -> int:
        """How often the kernel ended a program of the group because its memory was used up."""
        file = "memory.events" if self.version == 2 else "memory.oom_control"
        return self.counted("memory", file, "oom_kill")

    def refused_processes(self) -> int:
        """How often a program could not start another because there were too many."""
        return self.counted("pids", "pids.events", "max")

    def counted(self, controller: str, file: str, key: str) -> int:
        with contextlib.suppress(OSError, ValueError):
            for line in (self.folders[controller] / file).read_text().splitlines():
                name, _, value = line.partition(" ")
                if name == key:
                    return int(value)
        return 0

    async def remove(self) -> None:
        """Remove the group once its last process is gone."""
        for folder in set(self.folders.values()):
            for _ in range(100):
                try:
                    folder.rmdir()
                    break
                except FileNotFoundError:
                    break
                except OSError:
                    await asyncio.sleep(0.02)


def separate(root: Path) -> Groups | None:
    """Version 1: a tree per controller."""
    base: dict[str, Path] = {}
    for controller in (*NEEDED, "freezer", "cpu"):
        tree = root / controller
        if tree.is_dir() and os.access(tree, os.W_OK):
            base[controller] = tree / PARENT
            base[controller].mkdir(exist_ok=True)
    return Groups(1, base) if all(name in base for name in NEEDED) else None


def unified(root: Path) -> Groups | None:
    """Version 2: one tree, in which a folder that hands controllers down may hold no process itself. Root makes
    its groups at the top; others beside themselves, which moves this process's own group one level down."""
    own = root / Path("/proc/self/cgroup").read_text().split("::")[1].split("\n")[0].lstrip("/")
    if own.name == BELOW and (own.parent / PARENT).is_dir():
        own = own.parent
    for place in dict.fromkeys((root, own) if os.geteuid() == 0 else (own,)):
        base = place / PARENT
        try:
            base.mkdir(exist_ok=True)
            if not handed_down(place):
                move_down(place)
            hand_down(place)
            hand_down(base)
        except OSError:
            with contextlib.suppress(OSError):
                base.rmdir()
            continue
        return Groups(2, dict.fromkeys((*NEEDED, "cpu"), base))
    return None


def handed_down(place: Path) -> bool:
    return set(NEEDED) <= set((place / "cgroup.subtree_control").read_text().split())


def move_down(place: Path) -> None:
    """Move what runs in `place` into a group of its own below it (the root group is exempt from the rule)."""
    if (place / "cgroup.type").exists():
        below = place / BELOW
        below.mkdir(exist_ok=True)
        for pid in (place / "cgroup.procs").read_text().split():
            with contextlib.suppress(ProcessLookupError):
                (below / "cgroup.procs").write_text(pid)


def hand_down(place: Path) -> None:
    there = (place / "cgroup.controllers").read_text().split()
    for controller in (*NEEDED, "cpu"):
        if controller in there:
            (place / "cgroup.subtree_control").write_text(f"+{controller}")
    if not handed_down(place):
        raise OSError("the controllers cannot be handed down")
