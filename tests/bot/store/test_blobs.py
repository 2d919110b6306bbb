"""Files on disk, named by what is in them."""

from __future__ import annotations

import hashlib
import os
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from bot.store import BlobError, Blobs


async def pieces(*parts: bytes) -> AsyncIterator[bytes]:
    for part in parts:
        yield part


async def test_what_was_put_is_read_back_by_its_hash(tmp_path: Path) -> None:
    blobs = Blobs(tmp_path / "blobs")
    sha, size = await blobs.put(b"hello")
    assert (sha, size) == (hashlib.sha256(b"hello").hexdigest(), 5)
    assert await blobs.read(sha) == b"hello"
    assert await blobs.put(pieces(b"he", b"", b"llo")) == (sha, size)
    assert await blobs.read((await blobs.put(b""))[0]) == b""
    assert blobs.path(sha).stat().st_mode & 0o777 == 0o600
    assert [path.name for path in (tmp_path / "blobs").rglob(".*")] == []


async def test_a_large_file_comes_in_pieces(tmp_path: Path) -> None:
    blobs = Blobs(tmp_path)
    data = os.urandom(3_000_000)
    sha, _ = await blobs.put(data)
    parts = [part async for part in blobs.open(sha)]
    assert len(parts) == 3
    assert b"".join(parts) == data


async def test_too_much_is_refused_and_leaves_nothing(tmp_path: Path) -> None:
    blobs = Blobs(tmp_path)
    with pytest.raises(BlobError, match="larger than the 10 bytes"):
        await blobs.put(pieces(b"123456", b"123456"), limit=10)
    assert list(tmp_path.iterdir()) == []
    assert (await blobs.put(b"1234567890", limit=10))[1] == 10


async def test_damage_is_noticed(tmp_path: Path) -> None:
    blobs = Blobs(tmp_path)
    sha, _ = await blobs.put(b"hello")
    blobs.path(sha).write_bytes(b"hullo")
    with pytest.raises(BlobError, match="damaged"):
        await blobs.read(sha)
    await blobs.put(b"hello")  # putting it again mends it
    assert await blobs.read(sha) == b"hello"


async def test_a_link_in_place_of_a_blob_is_not_followed(tmp_path: Path) -> None:
    blobs = Blobs(tmp_path / "blobs")
    sha, _ = await blobs.put(b"hello")
    secret = tmp_path / "secret"
    secret.write_bytes(b"hello")
    blobs.path(sha).unlink()
    blobs.path(sha).symlink_to(secret)
    with pytest.raises(BlobError, match="not there"):
        await blobs.read(sha)


@pytest.mark.parametrize("name", ["../../etc/passwd", "", "A" * 64, "a" * 63, "a" * 64 + "\n"])
async def test_only_hashes_are_names(tmp_path: Path, name: str) -> None:
    with pytest.raises(BlobError):
        Blobs(tmp_path).path(name)
