"""Files of sessions on disk, named by the hash of their bytes: nothing is kept twice, and damage is noticed."""

from __future__ import annotations

import asyncio
import hashlib
import os
import re
import secrets
from collections.abc import AsyncIterator
from pathlib import Path
from typing import BinaryIO

_SHA = re.compile(r"[0-9a-f]{64}")
_CHUNK = 1 << 20


class BlobError(Exception):
    """A blob is missing, damaged, or larger than allowed."""


class Blobs:
    """Content-addressed files under `root`, which must be the bot's own directory."""

    def __init__(self, root: Path) -> None:
        self._root = root

    async def put(self, data: bytes | AsyncIterator[bytes], limit: int | None = None) -> tuple[str, int]:
        """Keep the bytes; returns their sha256 and size. Raises BlobError when there are more than `limit`."""
        self._root.mkdir(parents=True, exist_ok=True, mode=0o700)
        temporary = self._root / f".{secrets.token_hex(12)}"
        flags = os.O_CREAT | os.O_EXCL | os.O_WRONLY | os.O_NOFOLLOW | os.O_CLOEXEC
        digest, size = hashlib.sha256(), 0
        try:
            with os.fdopen(os.open(temporary, flags, 0o600), "wb") as file:
                async for chunk in _once(data) if isinstance(data, bytes) else data:
                    size += len(chunk)
                    if limit is not None and size > limit:
                        raise BlobError(f"The file is larger than the {limit:,} bytes that are allowed.")
                    digest.update(chunk)
                    await asyncio.to_thread(file.write, chunk)
                await asyncio.to_thread(_flush, file)
            await asyncio.to_thread(_settle, temporary, self.path(digest.hexdigest()))
        finally:
            temporary.unlink(missing_ok=True)
        return digest.hexdigest(), size

    def path(self, sha: str) -> Path:
        """Where the blob lies. Raises BlobError when `sha` is not 64 lower-case hexadecimal digits."""
        if not _SHA.fullmatch(sha):
            raise BlobError("That is not the name of a stored file.")
        return self._root / sha[:2] / sha

    async def read(self, sha: str) -> bytes:
        """The whole blob, checked. Raises BlobError when it is missing or damaged."""
        return b"".join([chunk async for chunk in self.open(sha)])

    async def open(self, sha: str) -> AsyncIterator[bytes]:
        """The blob in pieces. Raises BlobError: missing at the start, damaged before the last piece is given."""
        digest, held = hashlib.sha256(), b""
        with self._file(sha) as file:
            while chunk := await asyncio.to_thread(file.read, _CHUNK):
                if held:
                    yield held
                digest.update(chunk)
                held = chunk
        if digest.hexdigest() != sha:
            raise BlobError("The stored file is damaged: its bytes are not what was put there.")
        if held:
            yield held

    def _file(self, sha: str) -> BinaryIO:
        path = self.path(sha)
        try:
            return os.fdopen(os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_CLOEXEC), "rb")
        except OSError as error:
            raise BlobError("The stored file is not there any more.") from error


async def _once(data: bytes) -> AsyncIterator[bytes]:
    yield data


def _flush(file: BinaryIO) -> None:
    file.flush()
    os.fsync(file.fileno())


def _settle(temporary: Path, final: Path) -> None:
    final.parent.mkdir(mode=0o700, exist_ok=True)
    temporary.replace(final)
    directory = os.open(final.parent, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC)
    try:
        os.fsync(directory)
    finally:
        os.close(directory)
