"""What every machine does, whichever backend it comes from: a new backend is one line in conftest."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable

import pytest

from sandbox.types import HOME, Backend, LimitReached, Machine, MachineLost, MachineSpec, NotFound, PathRefused

SpecFor = Callable[[str], MachineSpec]


async def test_a_command_answers_with_its_exit_code(any_machine: Machine) -> None:
    assert (await any_machine.exec("true", timeout=20)).exit_code == 0
    assert (await any_machine.exec("false", timeout=20)).exit_code == 1


async def test_what_a_command_prints_comes_while_it_runs_and_at_the_end(any_machine: Machine) -> None:
    pieces: list[bytes] = []
    result = await any_machine.exec("echo hello", timeout=20, on_output=pieces.append)
    assert result.text == "hello\n"
    assert b"".join(pieces) == b"hello\n"


async def test_a_command_that_takes_too_long_is_ended(any_machine: Machine) -> None:
    result = await any_machine.exec("sleep 600", timeout=0.2)
    assert result.timed_out
    assert not result.interrupted
    assert result.exit_code != 0


async def test_an_interrupt_ends_what_runs(any_machine: Machine) -> None:
    running = [asyncio.create_task(any_machine.exec("sleep 600", timeout=600)) for _ in range(2)]
    await asyncio.sleep(0)
    while not all(task.done() for task in running):
        await any_machine.interrupt()
    assert all(task.result().interrupted for task in running)
    assert (await any_machine.exec("echo on", timeout=20)).text == "on\n"


@pytest.mark.slow
async def test_an_interrupt_when_nothing_runs_does_nothing(any_machine: Machine) -> None:
    await any_machine.interrupt()
    assert (await any_machine.exec("true", timeout=20)).exit_code == 0


async def test_a_file_that_was_written_is_read_back(any_machine: Machine) -> None:
    content = bytes(range(256)) * 3000
    info = await any_machine.write("reports/march/a b.bin", content)
    assert info.path == f"{HOME}/reports/march/a b.bin"
    assert (info.kind, info.size) == ("file", len(content))
    assert await any_machine.read("reports/march/a b.bin") == content
    assert await any_machine.read(f"{HOME}/reports/march/a b.bin", offset=256, limit=256) == bytes(range(256))
    assert await any_machine.read("reports/march/a b.bin", offset=len(content)) == b""


async def test_a_file_can_be_written_piece_by_piece_and_replaced(any_machine: Machine) -> None:
    async def pieces() -> AsyncIterator[bytes]:
        for number in range(100):
            yield f"{number}\n".encode()

    await any_machine.write("numbers.txt", b"old")
    await any_machine.write("numbers.txt", pieces())
    assert (await any_machine.read("numbers.txt")).splitlines()[-1] == b"99"


async def test_a_write_whose_source_fails_leaves_the_old_file(any_machine: Machine) -> None:
    async def pieces() -> AsyncIterator[bytes]:
        yield b"new"
        raise ConnectionError("the upload broke off")

    await any_machine.write("kept.txt", b"old")
    with pytest.raises(ConnectionError):
        await any_machine.write("kept.txt", pieces())
    assert await any_machine.read("kept.txt") == b"old"
    assert [entry.name for entry in await any_machine.list()] == ["kept.txt"]


async def test_a_folder_lists_its_entries_by_name(any_machine: Machine) -> None:
    await any_machine.write("b.txt", b"b")
    await any_machine.write("a/inner.txt", b"inner")
    entries = await any_machine.list()
    assert [(entry.name, entry.kind) for entry in entries] == [("a", "folder"), ("b.txt", "file")]
    assert (await any_machine.stat("b.txt")).size == 1
    assert (await any_machine.stat(".")).kind == "folder"


@pytest.mark.parametrize("path", ["../x", "/etc/passwd", "/", "a/../../x", "/home/agent/../x", "a\0b"])
async def test_paths_outside_the_home_are_refused(any_machine: Machine, path: str) -> None:
    with pytest.raises(PathRefused):
        await any_machine.read(path)
    with pytest.raises(PathRefused):
        await any_machine.write(path, b"x")


async def test_a_file_that_is_not_there_is_said_to_be_missing(any_machine: Machine) -> None:
    for attempt in (any_machine.read("no.txt"), any_machine.stat("no.txt"), any_machine.list("no")):
        with pytest.raises(NotFound):
            await attempt


@pytest.mark.slow
async def test_a_folder_is_not_read_as_a_file_nor_a_file_as_a_folder(any_machine: Machine) -> None:
    await any_machine.write("folder/file.txt", b"x")
    with pytest.raises(PathRefused):
        await any_machine.read("folder")
    with pytest.raises(PathRefused):
        await any_machine.write("folder", b"x")
    with pytest.raises(PathRefused):
        await any_machine.list("folder/file.txt")


async def test_more_than_the_disk_share_cannot_be_written(any_machine: Machine) -> None:
    async def pieces() -> AsyncIterator[bytes]:
        for _ in range(60):
            yield bytes(1024**2)

    with pytest.raises(LimitReached):
        await any_machine.write("large.bin", pieces())
    await any_machine.write("small.bin", b"x")


@pytest.mark.slow
async def test_more_than_one_reading_holds_is_refused(any_machine: Machine) -> None:
    with pytest.raises(LimitReached):
        await any_machine.read("any", limit=2**40)


async def test_files_survive_the_machine(any_backend: Backend, spec_for: SpecFor) -> None:
    machine = await any_backend.start(spec_for("s1"))
    await machine.write("kept.txt", b"still here")
    await machine.close()
    again = await any_backend.start(spec_for("s1"))
    assert await again.read("kept.txt") == b"still here"


async def test_starting_twice_gives_the_running_machine(any_backend: Backend, spec_for: SpecFor) -> None:
    first, second = await asyncio.gather(any_backend.start(spec_for("s1")), any_backend.start(spec_for("s1")))
    assert first is second


async def test_a_closed_machine_says_it_is_lost(any_machine: Machine) -> None:
    await any_machine.close()
    await any_machine.close()
    with pytest.raises(MachineLost):
        await any_machine.exec("true", timeout=20)
    with pytest.raises(MachineLost):
        await any_machine.read("x")


async def test_a_destroyed_session_leaves_no_files(any_backend: Backend, spec_for: SpecFor) -> None:
    machine = await any_backend.start(spec_for("s1"))
    await machine.write("gone.txt", b"x")
    await any_backend.destroy("s1")
    fresh = await any_backend.start(spec_for("s1"))
    assert await fresh.list() == ()
    await any_backend.destroy("never-started")


async def test_a_paused_machine_wakes_when_it_is_used(any_backend: Backend, spec_for: SpecFor) -> None:
    machine = await any_backend.start(spec_for("s1"))
    for _ in range(2):
        await machine.write("kept.txt", b"x")
        await any_backend.pause("s1")
        assert (await machine.exec("cat kept.txt", timeout=20)).text == "x"


@pytest.mark.slow
async def test_nothing_is_missing_on_this_host(any_backend: Backend) -> None:
    assert not [problem for problem in await any_backend.check() if problem.fatal]
