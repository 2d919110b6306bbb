"""Keeping one session's files within its share of the host's disk.

Hides the counting. A plain folder has no quota, so while programs run the guest counts what the home holds and
ends them when it is over; the kernel's limit on one file's size stops the quickest way to fill a disk at once.
"""

from __future__ import annotations

import asyncio
import os
from collections.abc import Awaitable, Callable

EVERY = 0.5


class Disk:
    def __init__(self, root: str, limit: int) -> None:
        self.root = root
        self.limit = limit
        self.used = 0
        self.free = -1

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
                            total += entry.stat(follow_symlinks=False).st_blocks * 512
            except OSError:
                continue
            await asyncio.sleep(0)
        self.used = total

    async def guard(self, over: Callable[[], Awaitable[None]]) -> None:
        """Until cancelled: call `over` whenever the share is exceeded. Counts only when the disk's free space
        has changed by a good part of the share since the last count, which is cheap to see."""
        while True:
            status = os.statvfs(self.root)
            free = status.f_bavail * status.f_frsize
            if self.full or self.free < 0 or abs(self.free - free) > self.limit // 64:
                self.free = free
                await self.measure()
                if self.full:
                    await over()
            await asyncio.sleep(EVERY)
