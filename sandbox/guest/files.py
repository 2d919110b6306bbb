"""File operations that cannot leave the home, whatever links a program of the agent lays in the way.

Hides openat2: every path is opened by the kernel beneath the home's own descriptor, so there is no moment
between check and use. A link that stays within the home is followed, one that leads out is refused.
"""

from __future__ import annotations

import contextlib
import ctypes
import errno
import os
import secrets
import stat
from collections.abc import Generator
from dataclasses import dataclass

from .confine import libc
from .frames import Message

SYS_OPENAT2 = 437
RESOLVE_NO_MAGICLINKS = 0x02
RESOLVE_NO_SYMLINKS = 0x04
RESOLVE_BENEATH = 0x08
LIST_MAX = 10_000


class Refused(Exception):
    """A file operation's answer in words. kind: 'path', 'missing' or 'limit'."""

    def __init__(self, kind: str, message: str) -> None:
        super().__init__(message)
        self.kind = kind


class OpenHow(ctypes.Structure):
    _fields_ = [("flags", ctypes.c_uint64), ("mode", ctypes.c_uint64), ("resolve", ctypes.c_uint64)]


def open_beneath(directory: int, path: str, flags: int, *, links: bool = True) -> int:
    """Open `path` below a directory's descriptor; without `links` there may be no link on the way nor at its end."""
    resolve = RESOLVE_BENEATH | RESOLVE_NO_MAGICLINKS | (0 if links else RESOLVE_NO_SYMLINKS)
    how = OpenHow(flags | os.O_CLOEXEC, 0, resolve)
    libc.syscall.restype = ctypes.c_long
    name = os.fsencode(path)
    for _ in range(8):
        found = libc.syscall(SYS_OPENAT2, directory, name, ctypes.byref(how), ctypes.sizeof(how))
        if found >= 0:
            return int(found)
        # EAGAIN: a folder on the way was renamed meanwhile; the kernel asks to look again.
        if ctypes.get_errno() != errno.EAGAIN:
            break
    raise OSError(ctypes.get_errno(), os.strerror(ctypes.get_errno()), path)


@dataclass(slots=True)
class Home:
    """The home folder; new files belong to `uid` and `gid`."""

    root: str
    uid: int
    gid: int
    descriptor: int = -1

    def open(self) -> None:
        self.descriptor = os.open(self.root, os.O_PATH | os.O_DIRECTORY)

    def inside(self, path: str) -> str:
        """`path` relative to the home; absolute ones must lie in it."""
        if "\0" in path:
            raise Refused("path", "A path cannot contain a zero byte.")
        cleaned = os.path.normpath(os.path.join(self.root, path))
        if cleaned != self.root and not cleaned.startswith(self.root + "/"):
            raise Refused("path", f"{path} is outside {self.root}. Use a path inside it.")
        return os.path.relpath(cleaned, self.root)

    def shown(self, relative: str) -> str:
        return self.root if relative == "." else f"{self.root}/{relative}"

    def descend(self, path: str, flags: int) -> int:
        relative = self.inside(path)
        try:
            return open_beneath(self.descriptor, relative, flags)
        except OSError as error:
            if error.errno != errno.EXDEV:
                raise said(error, self.shown(relative)) from error
        # A link with an absolute target may still lead back into the home: resolve, then open it as strictly.
        target = os.path.realpath(self.shown(relative))
        try:
            return open_beneath(self.descriptor, self.inside(target), flags)
        except (OSError, Refused) as error:
            message = f"{self.shown(relative)} leads out of {self.root} through a link. Use a path inside it."
            raise Refused("path", message) from error

    def parent(self, path: str) -> tuple[int, str]:
        """A descriptor of the folder that holds `path`, and the name in it."""
        relative = self.inside(path)
        if relative == ".":
            raise Refused("path", f"{self.root} is the home folder itself. Name a file in it.")
        folder, _, name = relative.rpartition("/")
        return self.descend(folder or ".", os.O_PATH | os.O_DIRECTORY), name

    def stat(self, path: str) -> Message:
        relative = self.inside(path)
        if relative == ".":
            return info(self.root, os.fstat(self.descriptor))
        with held(self.parent(path)) as (folder, name):
            try:
                return info(self.shown(relative), os.stat(name, dir_fd=folder, follow_symlinks=False))
            except OSError as error:
                raise said(error, self.shown(relative)) from error

    def list(self, path: str) -> list[Message]:
        shown = self.shown(self.inside(path))
        folder = self.descend(path, os.O_RDONLY | os.O_DIRECTORY)
        found: list[Message] = []
        try:
            for name in sorted(os.listdir(folder))[:LIST_MAX]:
                with contextlib.suppress(OSError):
                    status = os.stat(name, dir_fd=folder, follow_symlinks=False)
                    found.append(info(f"{shown}/{name}", status))
        finally:
            os.close(folder)
        return found

    def read(self, path: str, offset: int, limit: int) -> bytes:
        file = self.descend(path, os.O_RDONLY | os.O_NONBLOCK | os.O_NOCTTY)
        try:
            if not stat.S_ISREG(os.fstat(file).st_mode):
                raise Refused("path", f"{path} is not a file. List it if it is a folder.")
            return os.pread(file, limit, offset)
        finally:
            os.close(file)

    def folders(self, path: str) -> None:
        """Create the folders on the way to `path`."""
        parts = self.inside(path).split("/")[:-1]
        for depth in range(1, len(parts) + 1):
            step = "/".join(parts[:depth])
            with held(self.parent(step)) as (folder, name):
                try:
                    os.mkdir(name, 0o755, dir_fd=folder)
                    os.chown(name, self.uid, self.gid, dir_fd=folder, follow_symlinks=False)
                except FileExistsError:
                    continue
                except OSError as error:
                    raise said(error, self.shown(step)) from error


@dataclass(slots=True)
class Draft:
    """A file being written beside its final name; it takes that name only when complete."""

    home: Home
    path: str
    folder: int
    name: str
    draft: str
    file: int

    @classmethod
    def begin(cls, home: Home, path: str) -> Draft:
        home.folders(path)
        folder, name = home.parent(path)
        try:
            with contextlib.suppress(FileNotFoundError):
                if stat.S_ISDIR(os.stat(name, dir_fd=folder, follow_symlinks=False).st_mode):
                    raise Refused("path", f"{path} is a folder. Name a file in it.")
            draft = f".{secrets.token_hex(8)}.part"
            flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW
            return cls(home, path, folder, name, draft, os.open(draft, flags, 0o600, dir_fd=folder))
        except (OSError, Refused) as error:
            os.close(folder)
            raise (error if isinstance(error, Refused) else said(error, path)) from error

    def add(self, data: bytes) -> None:
        view = memoryview(data)
        try:
            while view:
                view = view[os.write(self.file, view) :]
        except OSError as error:
            raise said(error, self.path) from error

    def finish(self, mode: int) -> Message:
        try:
            os.fchown(self.file, self.home.uid, self.home.gid)
            os.fchmod(self.file, mode & 0o777)
            os.replace(self.draft, self.name, src_dir_fd=self.folder, dst_dir_fd=self.folder)
        except OSError as error:
            raise said(error, self.path) from error
        return info(self.home.shown(self.home.inside(self.path)), os.fstat(self.file))

    def close(self) -> None:
        with contextlib.suppress(FileNotFoundError):
            os.unlink(self.draft, dir_fd=self.folder)
        os.close(self.file)
        os.close(self.folder)


@contextlib.contextmanager
def held(place: tuple[int, str]) -> Generator[tuple[int, str]]:
    try:
        yield place
    finally:
        os.close(place[0])


def info(path: str, status: os.stat_result) -> Message:
    mode = status.st_mode
    kind = "file" if stat.S_ISREG(mode) else "folder" if stat.S_ISDIR(mode) else "other"
    return {
        "path": path,
        "kind": "link" if stat.S_ISLNK(mode) else kind,
        "size": status.st_size,
        "modified": status.st_mtime,
        "mode": stat.S_IMODE(mode),
    }


def said(error: OSError, path: str) -> Refused:
    match error.errno:
        case errno.ENOENT:
            return Refused("missing", f"There is no {path}. List its folder to see what is there.")
        case errno.ENOTDIR:
            return Refused("path", f"{path}: a part of it is a file, not a folder.")
        case errno.EISDIR:
            return Refused("path", f"{path} is a folder.")
        case errno.ENOSPC | errno.EDQUOT | errno.EFBIG:
            return Refused("limit", f"No room to write {path}. Delete files you no longer need.")
        case _:
            return Refused("path", f"{path}: {error.strerror}.")
