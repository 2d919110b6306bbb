"""Saves of a computer's files: sealed, complete or not there, the last two kept, within a bound."""

from __future__ import annotations

import io
import random
from collections.abc import AsyncGenerator, AsyncIterable, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest

from bot.saves import Bounds, SaveFailed, Saves
from bot.sealed import SealBroken, Sealing, unsealed
from bot.store import SaveRow, Store
from sandbox.parcel import Found, Luggage, Mark, Packed
from sandbox.types import HOME, MachineLost, MachineSpec
from tests.support.machine import FakeBackend, FakeMachine

KEY, OTHER = b"k" * 40, b"o" * 40


@dataclass
class Shelf:
    """Saves on a folder, and machines to save."""

    saves: Saves
    store: Store
    folder: Path
    backend: FakeBackend

    async def machine(self, name: str) -> FakeMachine:
        return await self.backend.start(MachineSpec(name, self.folder / name))

    def with_keys(self, *keys: bytes, bounds: Bounds | None = None) -> Saves:
        return Saves(self.folder / "saves", keys, self.store.homes, bounds)

    def files(self) -> list[Path]:
        return sorted(path for path in (self.folder / "saves").rglob("*") if path.is_file())


@asynccontextmanager
async def shelf(folder: Path) -> AsyncGenerator[Shelf]:
    store = await Store.open(f"sqlite:///{folder}/bot.db")
    try:
        yield Shelf(Saves(folder / "saves", [KEY], store.homes), store, folder, FakeBackend())
    finally:
        await store.close()


@pytest.fixture
async def here(tmp_path: Path) -> AsyncGenerator[Shelf]:
    async with shelf(tmp_path) as made:
        yield made


class Torn:
    """A machine that dies while its files are read."""

    def __init__(self, luggage: Luggage) -> None:
        self._luggage = luggage

    async def pack(self, limit: int, take: Callable[[bytes], Awaitable[None]]) -> Packed:
        await take(b"the beginning of it")
        raise MachineLost("it died")

    async def unpack(self, stream: AsyncIterable[bytes], *, over: bool = False) -> int:
        return await self._luggage.unpack(stream, over=over)

    async def found(self) -> Found:
        return await self._luggage.found()

    async def set_mark(self, mark: Mark) -> None:
        await self._luggage.set_mark(mark)

    async def settle(self) -> None:
        await self._luggage.settle()


async def test_files_come_back_and_nobody_reads_them_on_the_disk(here: Shelf) -> None:
    machine = await here.machine("a")
    await machine.write("diary.txt", b"dear diary " * 1000)
    await machine.write("work/data.bin", bytes(range(256)) * 8000)
    row = await here.saves.make("a", machine.luggage())
    assert (row.files, row.home_files, row.omitted) == (2, 2, ())
    [file] = here.files()
    assert b"diary" not in file.read_bytes()
    assert file.stat().st_mode & 0o777 == 0o600
    other = await here.machine("b")
    assert await here.saves.restore("a", other.luggage(), over=False) == (row, 2)
    assert await other.read("diary.txt") == b"dear diary " * 1000
    assert await other.read("work/data.bin") == bytes(range(256)) * 8000


async def test_the_last_two_saves_are_kept(here: Shelf) -> None:
    machine = await here.machine("a")
    for number in range(5):
        await machine.write("n", str(number).encode())
        await here.saves.make("a", machine.luggage())
    assert len(here.files()) == 2
    assert len(await here.store.homes.saves("a")) == 2


async def test_a_save_that_broke_off_leaves_the_one_before(here: Shelf) -> None:
    machine = await here.machine("a")
    await machine.write("n", b"good")
    good = await here.saves.make("a", machine.luggage())
    with pytest.raises(MachineLost):
        await here.saves.make("a", Torn(machine.luggage()))
    assert here.files() == [here.saves.path(good)]
    other = await here.machine("b")
    restored = await here.saves.restore("a", other.luggage(), over=False)
    assert restored == (good, 1)


async def test_a_damaged_save_is_passed_over_and_said_when_it_was_the_last(here: Shelf) -> None:
    machine = await here.machine("a")
    rows: list[SaveRow] = []
    for text in (b"one", b"two"):
        await machine.write("n", text)
        rows.append(await here.saves.make("a", machine.luggage()))
    spoilt = here.saves.path(rows[1])
    spoilt.write_bytes(spoilt.read_bytes()[:-1] + b"x")
    other = await here.machine("b")
    assert await here.saves.restore("a", other.luggage(), over=False) == (rows[0], 1)
    assert await other.read("n") == b"one"
    here.saves.path(rows[0]).unlink()
    with pytest.raises(SaveFailed, match="not there any more"):
        await here.saves.restore("a", other.luggage(), over=False)


async def test_without_a_save_there_is_nothing_to_bring_back(here: Shelf) -> None:
    assert await here.saves.restore("a", (await here.machine("a")).luggage(), over=False) is None


async def test_a_key_that_was_changed_still_opens_and_a_strangers_does_not(here: Shelf) -> None:
    machine = await here.machine("a")
    await machine.write("n", b"1")
    row = await here.saves.make("a", machine.luggage())
    other = await here.machine("b")
    assert await here.with_keys(OTHER, KEY).restore("a", other.luggage(), over=False) == (row, 1)
    with pytest.raises(SaveFailed, match="THREADHAND_SECRET_KEY"):
        await here.with_keys(OTHER).restore("a", other.luggage(), over=False)


async def test_a_save_opens_as_no_other_sessions(here: Shelf) -> None:
    rows: list[SaveRow] = []
    for name in ("a", "b"):
        machine = await here.machine(name)
        await machine.write("n", name.encode())
        rows.append(await here.saves.make(name, machine.luggage()))
    here.saves.path(rows[1]).write_bytes(here.saves.path(rows[0]).read_bytes())
    with pytest.raises(SaveFailed):
        await here.saves.restore("b", (await here.machine("c")).luggage(), over=False)


async def test_what_is_too_large_is_named(here: Shelf) -> None:
    machine = await here.machine("a")
    await machine.write("film", bytes(5000))
    await machine.write("note", b"n")
    row = await here.with_keys(KEY, bounds=Bounds(each=1000)).make("a", machine.luggage())
    assert (row.omitted, row.omitted_count, row.files) == (((f"{HOME}/film", 5000),), 1, 1)


async def test_all_saves_together_stay_within_their_bound(here: Shelf) -> None:
    sizes: list[int] = []
    for name in ("a", "b", "c"):
        machine = await here.machine(name)
        await machine.write("n", name.encode() * 10)
        sizes.append((await here.saves.make(name, machine.luggage())).size)
    tight = here.with_keys(KEY, bounds=Bounds(total=sum(sizes[1:]) + sizes[0] // 2))
    await tight.make("c", (await here.machine("c")).luggage())
    left = [len(await here.store.homes.saves(name)) for name in ("a", "b", "c")]
    assert left == [0, 1, 1]
    assert len(here.files()) == 2


@pytest.mark.parametrize("size", [0, 1, 256 * 1024, 3_000_000])
def test_a_sealed_file_opens_to_what_was_written(tmp_path: Path, size: int) -> None:
    content = bytes(i * 7 % 251 for i in range(1000)) * (size // 1000) + bytes(size % 1000)
    with (tmp_path / "f").open("wb") as file:
        sealing = Sealing(file, KEY, "test")
        for start in range(0, len(content), 70_000):
            sealing.write(content[start : start + 70_000])
        sealing.finish()
    assert b"".join(unsealed(tmp_path / "f", [KEY], "test")) == content


def test_a_sealed_file_that_is_cut_reordered_or_meant_for_something_else_does_not_open(tmp_path: Path) -> None:
    whole = io.BytesIO()
    sealing = Sealing(whole, KEY, "test")
    noise = random.Random(1).randbytes(1_000_000)
    sealing.write(noise)
    sealing.finish()
    data, head, piece = whole.getvalue(), 36, 4 + 256 * 1024 + 16
    first, second = data[head : head + piece], data[head + piece : head + 2 * piece]
    for bad in (
        data[:-1],
        data[: head + piece],
        data[:head],
        b"",
        data[:head] + second + first + data[head + 2 * piece :],
    ):
        (tmp_path / "f").write_bytes(bad)
        with pytest.raises(SealBroken):
            list(unsealed(tmp_path / "f", [KEY], "test"))
    (tmp_path / "f").write_bytes(data)
    with pytest.raises(SealBroken):
        list(unsealed(tmp_path / "f", [KEY], "another"))
