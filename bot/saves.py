"""Saves of sessions' computers: what a lost host cannot take along.

Hides where they lie and how. A save is a sealed file, complete under its name or not there at all; the two newest of
a session are kept, and all together stay within a bound.
"""

from __future__ import annotations

import asyncio
import contextlib
import hashlib
import logging
import os
import secrets
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import BinaryIO

from bot.sealed import SealBroken, Sealing, unsealed
from bot.store import Homes, SaveRow
from sandbox.parcel import Luggage

log = logging.getLogger(__name__)

KEPT = 2
CHUNK = 1 << 20
STALE = 3600.0
"""Seconds after which a file without a row is nobody's."""
HEAPED = 4 * CHUNK
"""Bytes that are gathered before a thread seals them."""


class SaveFailed(Exception):
    """A save could not be made or brought back; the message says why."""


@dataclass(frozen=True, slots=True)
class Bounds:
    """Bytes of files in one save, and of all saves together on the disk."""

    each: int = 512 * 2**20
    total: int = 20 * 2**30


class Saves:
    """The saves of a deployment, in `folder`. `keys`: the deployment's, the newest first."""

    def __init__(self, folder: Path, keys: Sequence[bytes], homes: Homes, bounds: Bounds | None = None) -> None:
        self._folder, self._keys, self._homes = folder, keys, homes
        self._bounds = bounds or Bounds()

    async def make(self, session: str, luggage: Luggage) -> SaveRow:
        """Save a machine's files now. Raises SaveFailed, MachineError, StoreDown; the saves before stay."""
        row = await self._written(session, luggage)
        try:
            await self._homes.saved(row)
        except BaseException:
            self.path(row).unlink(missing_ok=True)
            raise
        rows = await self._homes.saves(session)
        await self._drop(rows[KEPT:])
        await self._drop([old for old in await self._homes.beyond(self._bounds.total) if old.id != row.id])
        await asyncio.to_thread(self._sweep, session, {kept.id for kept in rows[:KEPT]})
        return row

    async def restore(self, session: str, luggage: Luggage, *, over: bool) -> tuple[SaveRow, int] | None:
        """Bring the newest good save back into a machine; returns it and the number of files. None: there is none.

        Raises SaveFailed when there were saves and none could be read, MachineError when the machine cannot take it.
        """
        why = ""
        for row in await self._homes.saves(session):
            try:
                await asyncio.to_thread(self._check, row)
                return row, await luggage.unpack(self._pieces(row), over=over)
            except (OSError, SealBroken) as error:
                why = "the saved file is not there any more" if isinstance(error, FileNotFoundError) else str(error)
                log.error("save %s of session %s cannot be used: %s", row.id, session, error)
        if why:
            raise SaveFailed(why)
        return None

    async def newest(self, session: str) -> SaveRow | None:
        """The session's newest save."""
        return next(iter(await self._homes.saves(session)), None)

    def path(self, row: SaveRow) -> Path:
        """Where a save lies."""
        return self._place(row.session) / f"{row.id}.sealed"

    def _place(self, session: str) -> Path:
        return self._folder / hashlib.sha256(session.encode()).hexdigest()[:32]

    async def _written(self, session: str, luggage: Luggage) -> SaveRow:
        """The file of a new save, whole, under its final name."""
        began, name = datetime.now(UTC), secrets.token_hex(12)
        place = self._place(session)
        draft = place / f".{name}.part"
        try:
            await asyncio.to_thread(place.mkdir, parents=True, exist_ok=True, mode=0o700)
            with os.fdopen(os.open(draft, os.O_CREAT | os.O_EXCL | os.O_RDWR | os.O_CLOEXEC, 0o600), "w+b") as file:
                writer = _Writer(file, Sealing(file, self._keys[0], _context(session, name)))
                packed = await luggage.pack(self._bounds.each, writer.take)
                size, sha = await asyncio.to_thread(writer.finish)
            omitted = tuple((one.path, one.size) for one in packed.left)
            row = SaveRow(name, session, began, size, sha, packed.files, packed.home_files, packed.left_count, omitted)
            await asyncio.to_thread(_settle, draft, self.path(row))
        except OSError as error:
            raise SaveFailed(f"the files could not be saved in {self._folder}: {error}") from error
        finally:
            draft.unlink(missing_ok=True)
        return row

    def _check(self, row: SaveRow) -> None:
        """The whole file before anything of it is used."""
        with self.path(row).open("rb") as file:
            if _hash(file) != row.sha256:
                raise SealBroken("the saved file is damaged")

    async def _pieces(self, row: SaveRow) -> AsyncIterator[bytes]:
        pieces = unsealed(self.path(row), self._keys, _context(row.session, row.id))
        while (piece := await asyncio.to_thread(next, pieces, None)) is not None:
            yield piece

    async def _drop(self, rows: Sequence[SaveRow]) -> None:
        """Forget saves: the row first, so that no row ever names a file that was deleted."""
        if rows:
            await self._homes.unsave([row.id for row in rows])
        for row in rows:
            with contextlib.suppress(OSError):
                self.path(row).unlink(missing_ok=True)

    def _sweep(self, session: str, kept: set[str]) -> None:
        """Delete what a process that died half-way left behind."""
        now = datetime.now(UTC).timestamp()
        for path in self._place(session).iterdir():
            with contextlib.suppress(OSError):
                if path.name.split(".")[0] not in kept and now - path.stat().st_mtime > STALE:
                    path.unlink()


class _Writer:
    """Gathers small pieces, so that a thread is asked once for many."""

    def __init__(self, file: BinaryIO, sealing: Sealing) -> None:
        self._file, self._sealing, self._heap = file, sealing, bytearray()

    async def take(self, piece: bytes) -> None:
        self._heap += piece
        if len(self._heap) >= HEAPED:
            await asyncio.to_thread(self._seal)

    def finish(self) -> tuple[int, str]:
        """Everything on the disk; returns the file's size and sha256."""
        self._seal()
        self._sealing.finish()
        self._file.flush()
        os.fsync(self._file.fileno())
        return self._file.tell(), _hash(self._file)

    def _seal(self) -> None:
        heap, self._heap = bytes(self._heap), bytearray()
        self._sealing.write(heap)


def _hash(file: BinaryIO) -> str:
    """Of the whole file."""
    file.seek(0)
    digest = hashlib.sha256()
    while chunk := file.read(CHUNK):
        digest.update(chunk)
    return digest.hexdigest()


def _context(session: str, name: str) -> str:
    """What a save is sealed for: it opens as no other session's and as no other save."""
    return f"save:{session}:{name}"


def _settle(draft: Path, final: Path) -> None:
    draft.replace(final)
    directory = os.open(final.parent, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        os.fsync(directory)
    finally:
        os.close(directory)
