"""Attached files go into the machine before the model is told of them; what cannot come is said."""

from __future__ import annotations

import unicodedata
from collections.abc import Sequence

from bot.agent.book import Book
from bot.agent.parts import Parts
from bot.context import human_size
from bot.entries import Brought
from bot.heard import FileRef
from bot.surface import SurfaceError, Unavailable
from bot.wellformed import whole
from sandbox.types import HOME, MachineError

FOLDER = "inbox"
TRIES = 3
LONGEST = 160
"""Bytes of a file's name."""


async def bring(files: Sequence[FileRef], book: Book, parts: Parts) -> None:
    """Put each file into the machine's inbox folder and write down where it is, or why it is not."""
    for file in files:
        await book.write(await _bring_one(file, book, parts))


async def _bring_one(file: FileRef, book: Book, parts: Parts) -> Brought:
    if file.size > parts.file_limit:
        most = human_size(parts.file_limit)
        return _failed(book, file, f"it has {human_size(file.size)}; at most {most} can be taken in")
    surface = parts.surfaces[book.lease.thread.surface]
    error = ""
    for _ in range(TRIES):
        try:
            data = bytearray()
            async for piece in surface.download(book.lease.thread, file, parts.file_limit):
                data += piece
                if len(data) > parts.file_limit:
                    return _failed(book, file, "it is larger than it was said to be")
            machine = await parts.computer(book.lease.thread).machine()
            path = f"{HOME}/{FOLDER}/{_free_name(file, book)}"
            await machine.write(path, bytes(data))
            return Brought(book.now(), file.id, path, len(data))
        except Unavailable as unavailable:
            error = str(unavailable)
        except (SurfaceError, MachineError) as refused:
            return _failed(book, file, str(refused))
    return _failed(book, file, error)


def _failed(book: Book, file: FileRef, why: str) -> Brought:
    return Brought(book.now(), file.id, "", file.size, error=why)


def safe_name(name: str) -> str:
    """The name as one plain path component: no folders, control, bidi or invisible characters, not too long."""
    last = whole(name).replace("\\", "/").rsplit("/", 1)[-1]
    visible = "".join(c for c in last if unicodedata.category(c)[0] != "C" and unicodedata.category(c) != "Zl").strip()
    plain = visible.lstrip(".").strip() or "file"
    stem, dot, ending = plain.rpartition(".")
    if not dot:
        return _fitting(plain, LONGEST)
    return f"{_fitting(stem, LONGEST - 40) or 'file'}.{_fitting(ending, 39)}"


def _fitting(text: str, most: int) -> str:
    """The text's beginning in at most `most` bytes, for a file system counts bytes."""
    return text.encode()[:most].decode(errors="ignore").strip()


def _free_name(file: FileRef, book: Book) -> str:
    """A name no other file of the thread has."""
    name = safe_name(file.name)
    taken = {brought.path.rsplit("/", 1)[-1] for brought in book.state.brought.values() if brought.path}
    if name not in taken:
        return name
    stem, dot, ending = name.rpartition(".")
    count = 2
    while (other := f"{stem or ending}-{count}{dot}{ending if stem else ''}") in taken:
        count += 1
    return other
