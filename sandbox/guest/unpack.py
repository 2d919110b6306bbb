"""Into the machine: a tar stream's files, put where they belong.

Hides the suspicion. The stream is believed no more than a stranger's: nothing outside the two roots, no device, no
hard link, and no link is ever followed on the way to where a file is put.
"""

from __future__ import annotations

import contextlib
import os
import stat
import tarfile
from collections.abc import AsyncIterator
from dataclasses import dataclass, field

from .disk import Disk
from .files import Refused, open_beneath
from .frames import CHUNK

BLOCK = tarfile.BLOCKSIZE
NAME_MOST = 64 * 1024


@dataclass(slots=True)
class Unpacking:
    """One unpacking: `owners` are the ids of each root's files; `over`: whether it replaces what is there."""

    roots: dict[str, int]
    owners: dict[str, tuple[int, int]]
    disk: Disk
    stream: AsyncIterator[bytes]
    over: bool
    held: bytearray = field(default_factory=bytearray)
    folders: list[tuple[str, str, tarfile.TarInfo]] = field(default_factory=list[tuple[str, str, tarfile.TarInfo]])
    files: int = 0

    async def all(self) -> None:
        """Everything up to the stream's end."""
        while True:
            block = await self.exactly(BLOCK)
            if not block.strip(b"\0"):
                break
            await self.member(block)
        async for _ in self.stream:
            pass  # the padding at a tar's end
        for root, path, header in reversed(self.folders):  # last, for a folder may forbid writing into it
            with contextlib.suppress(OSError):
                folder = open_beneath(self.roots[root], path, os.O_RDONLY | os.O_DIRECTORY, links=False)
                os.utime(folder, (header.mtime, header.mtime))
                os.fchmod(folder, header.mode & 0o777)
                os.close(folder)

    async def member(self, block: bytes) -> None:
        names: dict[bytes, str] = {}
        header = parsed(block)
        while header.type in (tarfile.GNUTYPE_LONGNAME, tarfile.GNUTYPE_LONGLINK):
            if header.size > NAME_MOST:
                raise Refused("path", "The saved files hold a name that is too long.")
            data = await self.exactly(header.size + -header.size % BLOCK)
            names[header.type] = os.fsdecode(data[: header.size].rstrip(b"\0"))
            header = parsed(await self.exactly(BLOCK))
        name = names.get(tarfile.GNUTYPE_LONGNAME, header.name)
        link = names.get(tarfile.GNUTYPE_LONGLINK, header.linkname)
        root, path = self.place(name)
        if not self.over and header.type != tarfile.DIRTYPE and self.there(root, path):
            await self.skip(header.size + -header.size % BLOCK)
        elif header.type == tarfile.DIRTYPE:
            self.folder(root, path, header)
        elif header.type == tarfile.SYMTYPE:
            self.link(root, path, link)
        elif header.type in (tarfile.REGTYPE, tarfile.AREGTYPE):
            await self.file(root, path, header)
        else:
            raise Refused("path", f"{name}: only files, folders and links are taken in, no device or hard link.")

    def place(self, name: str) -> tuple[str, str]:
        """Root and path below it; Refused for whatever is not plainly inside."""
        root, _, path = name.rstrip("/").partition("/")
        parts = path.split("/")
        if root not in self.roots or any(part in ("", ".", "..") for part in parts) or "\0" in name:
            raise Refused("path", f"{name!r} is no place inside the machine's home.")
        return root, path

    def there(self, root: str, path: str) -> bool:
        parent, name = self.parent(root, path)
        try:
            os.stat(name, dir_fd=parent, follow_symlinks=False)
        except FileNotFoundError:
            return False
        finally:
            os.close(parent)
        return True

    async def skip(self, size: int) -> None:
        while size:
            size -= len(await self.exactly(min(CHUNK, size)))

    def parent(self, root: str, path: str) -> tuple[int, str]:
        folder, _, name = path.rpartition("/")
        return open_beneath(self.roots[root], folder or ".", os.O_RDONLY | os.O_DIRECTORY, links=False), name

    def folder(self, root: str, path: str, header: tarfile.TarInfo) -> None:
        parent, name = self.parent(root, path)
        try:
            with contextlib.suppress(FileExistsError):
                os.mkdir(name, 0o700, dir_fd=parent)
            if not stat.S_ISDIR(os.stat(name, dir_fd=parent, follow_symlinks=False).st_mode):
                raise Refused("path", f"{path} is in the way of a folder that was saved.")
            self.own(root, parent, name)
        finally:
            os.close(parent)
        self.folders.append((root, path, header))

    def link(self, root: str, path: str, target: str) -> None:
        parent, name = self.parent(root, path)
        try:
            with contextlib.suppress(FileNotFoundError):
                os.unlink(name, dir_fd=parent)
            os.symlink(target, name, dir_fd=parent)
            self.own(root, parent, name)
        finally:
            os.close(parent)

    async def file(self, root: str, path: str, header: tarfile.TarInfo) -> None:
        await self.room(header.size)
        parent, name = self.parent(root, path)
        try:
            with contextlib.suppress(FileNotFoundError):
                os.unlink(name, dir_fd=parent)
            flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC
            file = os.open(name, flags, 0o600, dir_fd=parent)
        finally:
            os.close(parent)
        try:
            left = header.size
            while left:
                piece = await self.exactly(min(CHUNK, left))
                left -= len(piece)
                view = memoryview(piece)
                while view:
                    view = view[os.write(file, view) :]
            await self.exactly(-header.size % BLOCK)
            if os.geteuid() == 0:
                os.fchown(file, *self.owners[root])
            os.fchmod(file, header.mode & 0o777)
            os.utime(file, (header.mtime, header.mtime))
        finally:
            os.close(file)
        self.files += 1

    async def room(self, size: int) -> None:
        self.disk.used += size
        if self.disk.full:
            await self.disk.measure()
            self.disk.used += size
        if self.disk.full:
            raise Refused("limit", self.disk.note())

    def own(self, root: str, parent: int, name: str) -> None:
        if os.geteuid() == 0:
            os.chown(name, *self.owners[root], dir_fd=parent, follow_symlinks=False)

    async def exactly(self, size: int) -> bytes:
        while len(self.held) < size:
            piece = await anext(self.stream, b"")
            if not piece:
                raise Refused("path", "The saved files break off in the middle.")
            self.held += piece
        taken = bytes(self.held[:size])
        del self.held[:size]
        return taken


def parsed(block: bytes) -> tarfile.TarInfo:
    try:
        return tarfile.TarInfo.frombuf(block, "utf-8", "surrogateescape")
    except tarfile.HeaderError as error:
        raise Refused("path", f"The saved files are damaged: {error}.") from error
