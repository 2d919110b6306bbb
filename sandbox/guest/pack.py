"""Out of the machine: what a session keeps, as a tar stream.

Hides what is worth keeping and what is not. Programs of the agent may lay links and change files while we read, so
every path is opened below its root with no link on the way; links themselves are carried as links.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import stat
import tarfile
from collections.abc import Iterator
from dataclasses import dataclass, field

from .files import open_beneath
from .frames import CHUNK

BLOCK = tarfile.BLOCKSIZE
ENTRIES_MOST = 200_000
MARK = ".machine"
HOME_CACHES = frozenset({".cache"})
BROWSER_SCRATCH = frozenset({"tmp", "uploads", "downloads", MARK})
PROFILE_CACHES = frozenset({
    "Cache", "Code Cache", "GPUCache", "DawnCache", "DawnGraphiteCache", "DawnWebGPUCache", "GrShaderCache",
    "GraphiteDawnCache", "ShaderCache", "Service Worker", "Crash Reports", "Crashpad", "BrowserMetrics",
    "component_crx_cache", "extensions_crx_cache", "optimization_guide_model_store", "Safe Browsing",
    "SingletonLock", "SingletonSocket", "SingletonCookie", "LOCK", "lockfile",
})  # fmt: skip


@dataclass(frozen=True, slots=True)
class Item:
    """One thing to carry: `root` is 'home' or 'browser', `path` relative to it."""

    root: str
    path: str
    status: os.stat_result

    @property
    def weight(self) -> int:
        """Bytes it takes in the stream."""
        size = self.status.st_size if stat.S_ISREG(self.status.st_mode) else 0
        return BLOCK + size + -size % BLOCK

    @property
    def shown(self) -> str:
        return f"{'/home/agent' if self.root == 'home' else 'the browser'}/{self.path}"


@dataclass(slots=True)
class Packing:
    """One packing. `left`: what was left out because there was too much, largest first."""

    roots: dict[str, int]
    limit: int
    files: int = 0
    home_files: int = 0
    left: list[Item] = field(default_factory=list[Item])

    async def items(self) -> list[Item]:
        """All that is worth keeping, in the order in which folders come before what is in them."""
        found: list[Item] = []
        for root in self.roots:
            waiting = [""]
            while waiting and len(found) < ENTRIES_MOST:
                folder = waiting.pop()
                for item in self.look(root, folder):
                    found.append(item)
                    if stat.S_ISDIR(item.status.st_mode):
                        waiting.append(item.path)
                await asyncio.sleep(0)
        return self.fitting(found)

    def look(self, root: str, folder: str) -> Iterator[Item]:
        """What is worth keeping in a folder."""
        try:
            descriptor = open_beneath(self.roots[root], folder or ".", os.O_RDONLY | os.O_DIRECTORY, links=False)
        except OSError:
            return
        try:
            for name in sorted(os.listdir(descriptor)):
                if unwanted(root, folder, name):
                    continue
                with contextlib.suppress(OSError):
                    status = os.stat(name, dir_fd=descriptor, follow_symlinks=False)
                    if stat.S_IFMT(status.st_mode) in (stat.S_IFREG, stat.S_IFDIR, stat.S_IFLNK):
                        yield Item(root, f"{folder}/{name}" if folder else name, status)
        finally:
            os.close(descriptor)

    def fitting(self, found: list[Item]) -> list[Item]:
        """As many as fit: the largest stay behind first, so that most files come along."""
        over = sum(item.weight for item in found) - self.limit
        files = sorted((item for item in found if stat.S_ISREG(item.status.st_mode)), key=lambda item: -item.weight)
        for item in files:
            if over <= 0:
                break
            self.left.append(item)
            over -= item.weight
        behind = {id(item) for item in self.left}
        return [item for item in found if id(item) not in behind]

    def pieces(self, item: Item) -> Iterator[bytes]:
        """One item of the stream; nothing when it is gone or has become something else."""
        header = tarfile.TarInfo(f"{item.root}/{item.path}")
        header.mode, header.mtime = stat.S_IMODE(item.status.st_mode), int(item.status.st_mtime)
        match stat.S_IFMT(item.status.st_mode):
            case stat.S_IFDIR:
                header.type = tarfile.DIRTYPE
                yield written(header)
            case stat.S_IFLNK:
                target = self.target(item)
                if target:
                    header.type, header.linkname = tarfile.SYMTYPE, target
                    yield written(header)
            case _:
                yield from self.content(item, header)

    def target(self, item: Item) -> str:
        folder, _, name = item.path.rpartition("/")
        with contextlib.suppress(OSError):
            descriptor = open_beneath(self.roots[item.root], folder or ".", os.O_PATH | os.O_DIRECTORY, links=False)
            try:
                return os.readlink(name, dir_fd=descriptor)
            finally:
                os.close(descriptor)
        return ""

    def content(self, item: Item, header: tarfile.TarInfo) -> Iterator[bytes]:
        flags = os.O_RDONLY | os.O_NONBLOCK | os.O_NOCTTY
        try:
            file = open_beneath(self.roots[item.root], item.path, flags, links=False)
        except OSError:
            return
        try:
            status = os.fstat(file)
            if not stat.S_ISREG(status.st_mode):
                return
            header.size = left = min(status.st_size, item.status.st_size)
            yield written(header)
            while left:
                piece = os.read(file, min(CHUNK, left)) or bytes(min(CHUNK, left))  # it shrank: the rest is zeros
                left -= len(piece)
                yield piece
            yield bytes(-header.size % BLOCK)
        finally:
            os.close(file)
        self.files += 1
        self.home_files += item.root == "home"


def unwanted(root: str, folder: str, name: str) -> bool:
    """Whether this can be made again, or must not be carried to another machine."""
    if root == "home":
        return not folder and name in HOME_CACHES
    return name in PROFILE_CACHES or (not folder and name in BROWSER_SCRATCH) or name.endswith(".part")


def written(header: tarfile.TarInfo) -> bytes:
    return header.tobuf(tarfile.GNU_FORMAT, "utf-8", "surrogateescape")
