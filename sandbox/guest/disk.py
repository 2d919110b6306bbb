"""Keeping one session's files within its share of the host's disk.

Hides the counting. A plain folder has no quota, so while programs run the guest counts what the home holds and
ends them when it is over; the kernel's limit on one file's size stops the quickest way to fill a disk at once.
"""

from __future__ import annotations

import asyncio
import os
from collections.abc import Awaitable, Callable

EVERY = 0.5
EACH = 4096
"""Bytes that any file counts at least: even an empty one takes its place on the disk."""
FILES = 5_000


class Disk:
    def __init__(self, root: str, limit: int) -> None:
        self.root = root
        self.limit = limit
        self.used = 0
        self.free = -1
        self.free_files = 0
        self.stopped_at = 0

    def note(self) -> str:
        return (
            f"The files in {self.root} take {self.used // 2**20} MiB, more than the {self.limit // 2**20} MiB "
            "this session may use, so what was running was stopped. Delete files you no longer need."
        )

    @property
    def full(self) -> bool:
        return self.used > self.limit

    async def measure(self) -> None:
        """Count what the home holds, giving way to other work between folders."""
        total, waiting = 0, [self.root]
        while waiting:
            try:
                with os.scandir(waiting.pop()) as entries:
                    for entry in entries:
                        if entry.is_dir(follow_symlinks=False):
                            waiting.append(entry.path)
                        else:
                            total += max(entry.stat(follow_symlinks=False).st_blocks * 512, EACH)
            except OSError:
                continue
            await asyncio.sleep(0)
        self.used = total

    async def guard(self, over: Callable[[], Awaitable[None]]) -> None:
        """Until cancelled: call `over` whenever more is written past the share. Counts only when the disk's free space
        has changed by a good part of the share since the last count, which is cheap to see."""
        while True:
            status = os.statvfs(self.root)
            free = status.f_bavail * status.f_frsize
            changed = abs(self.free - free) > self.limit // 64 or abs(self.free_files - status.f_ffree) > FILES
            if self.full or self.free < 0 or changed:
                self.free, self.free_files = free, status.f_ffree
                await self.measure()
                await self.judge(over)
            await asyncio.sleep(EVERY)

    async def judge(self, over: Callable[[], Awaitable[None]]) -> None:
        """Stop what writes on, but let what tidies up run although it is still too much."""
        if not self.full:
            self.stopped_at = 0
        elif self.used > self.stopped_at + (self.limit // 64 if self.stopped_at else 0):
            await over()
            await self.measure()
            self.stopped_at = self.used
