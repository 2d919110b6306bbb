"""Files at rest that nobody may read or change: sealed as they are written, opened as they are read, at any size.

Hides the cipher (AES-256-GCM in pieces, the order and the end authenticated too). Each file has a key of its own,
derived from the deployment's and bound to what the file is for; keys rotate as in bot.vault.
"""

from __future__ import annotations

import secrets
import struct
import zlib
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import BinaryIO

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

MAGIC = b"threadhand sealed 1\n"
SALT = 16
PIECE = 256 * 1024
LENGTH = struct.Struct("!I")
TAG = 16


class SealBroken(Exception):
    """The file is damaged, cut short, or was sealed by another key or for another purpose."""


class Sealing:
    """Writes one sealed file. `write` and `finish` block: call them in a thread."""

    def __init__(self, file: BinaryIO, key: bytes, context: str) -> None:
        salt = secrets.token_bytes(SALT)
        self._file, self._cipher = file, _cipher(key, salt, context)
        self._packer = zlib.compressobj(1)
        self._held = bytearray()
        self._count = 0
        file.write(MAGIC + salt)

    def write(self, data: bytes) -> None:
        """More of the content."""
        self._held += self._packer.compress(data)
        while len(self._held) > PIECE:
            self._piece(bytes(self._held[:PIECE]), last=False)
            del self._held[:PIECE]

    def finish(self) -> None:
        """That was all; without this the file cannot be opened."""
        self._held += self._packer.flush()
        while len(self._held) > PIECE:
            self._piece(bytes(self._held[:PIECE]), last=False)
            del self._held[:PIECE]
        self._piece(bytes(self._held), last=True)

    def _piece(self, data: bytes, *, last: bool) -> None:
        sealed = self._cipher.encrypt(_nonce(self._count, last=last), data, None)
        self._count += 1
        self._file.write(LENGTH.pack(len(sealed)) + sealed)


def unsealed(path: Path, keys: Sequence[bytes], context: str) -> Iterator[bytes]:
    """The content in pieces. Raises SealBroken, at the latest after the last piece; OSError."""
    with path.open("rb") as file:
        if file.read(len(MAGIC)) != MAGIC:
            raise SealBroken("it is no sealed file of this version")
        salt = file.read(SALT)
        ciphers = [_cipher(key, salt, context) for key in keys]
        unpacker, count, piece = zlib.decompressobj(), 0, _next(file)
        while piece:
            following = _next(file)
            ciphers, data = _opened(ciphers, piece, _nonce(count, last=not following))
            count, piece = count + 1, following
            yield unpacker.decompress(data)
        if not unpacker.eof:
            raise SealBroken("it is cut short")


def _next(file: BinaryIO) -> bytes:
    head = file.read(LENGTH.size)
    if not head:
        return b""
    size = LENGTH.unpack(head)[0] if len(head) == LENGTH.size else 0
    data = file.read(size) if TAG <= size <= PIECE + TAG else b""
    if not data or len(data) != size:
        raise SealBroken("it is cut short or damaged")
    return data


def _opened(ciphers: list[AESGCM], piece: bytes, nonce: bytes) -> tuple[list[AESGCM], bytes]:
    """The piece, and the one cipher that fits from now on."""
    for cipher in ciphers:
        try:
            return [cipher], cipher.decrypt(nonce, piece, None)
        except InvalidTag:
            continue
    raise SealBroken("it was changed, or sealed with another THREADHAND_SECRET_KEY")


def _nonce(count: int, *, last: bool) -> bytes:
    return count.to_bytes(11) + bytes([last])


def _cipher(key: bytes, salt: bytes, context: str) -> AESGCM:
    info = b"threadhand sealed 1:" + context.encode()
    return AESGCM(HKDF(algorithm=SHA256(), length=32, salt=salt, info=info).derive(key))
