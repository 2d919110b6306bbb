"""A machine's files carried away and brought back, by an agent that lays traps and a stream that tells lies."""

from __future__ import annotations

import io
import tarfile
from collections.abc import AsyncIterator, Callable

import pytest

from sandbox.parcel import Luggage, Mark, Packed, Portable
from sandbox.types import Backend, Machine, MachineError, MachineSpec, NotFound

SpecFor = Callable[[str], MachineSpec]
PLENTY = 64 * 1024**2


def luggage(machine: Machine) -> Luggage:
    assert isinstance(machine, Portable)
    return machine.luggage()


async def packed(machine: Machine, limit: int = PLENTY) -> tuple[bytes, Packed]:
    stream = bytearray()

    async def take(piece: bytes) -> None:
        stream.extend(piece)

    done = await luggage(machine).pack(limit, take)
    return bytes(stream), done


async def in_pieces(data: bytes, size: int = 1000) -> AsyncIterator[bytes]:
    for start in range(0, len(data), size):
        yield data[start : start + size]


def made(*members: tuple[tarfile.TarInfo, bytes]) -> bytes:
    file = io.BytesIO()
    with tarfile.open(fileobj=file, mode="w", format=tarfile.GNU_FORMAT) as tar:
        for info, content in members:
            info.size = len(content)
            tar.addfile(info, io.BytesIO(content))
    return file.getvalue()


def entry(name: str, kind: bytes = tarfile.REGTYPE, link: str = "") -> tarfile.TarInfo:
    info = tarfile.TarInfo(name)
    info.type, info.linkname = kind, link
    info.mode = 0o755 if kind == tarfile.DIRTYPE else 0o644
    return info


async def test_files_come_back_as_they_were_on_another_machine(backend: Backend, spec_for: SpecFor) -> None:
    first = await backend.start(spec_for("first"))
    long = "/".join(["a-folder-with-a-rather-long-name"] * 6)
    made = (
        f"mkdir -p {long} closed && echo deep > {long}/file && printf '#!/bin/sh\\necho ran\\n' > run && chmod 700 run"
        " && echo in > closed/in && chmod 500 closed && ln -s run alias && ln -s /etc/passwd out && ln -s nowhere gone"
        " && printf 'caf\\351' > $'caf\\351.txt' && mkfifo pipe && mkdir .cache && echo x > .cache/x"
        " && python3 -c \"open('large','wb').write(bytes(range(256)) * 4000)\" && touch -d '2020-02-03 04:05:06' run"
    )
    assert (await first.exec(made, timeout=30)).exit_code == 0
    stream, done = await packed(first)
    assert done.left == ()
    with tarfile.open(fileobj=io.BytesIO(stream)) as tar:
        names = tar.getnames()
    assert "home/out" in names
    assert not [name for name in names if "passwd" in name or "pipe" in name or ".cache" in name]
    second = await backend.start(spec_for("second"))
    assert await luggage(second).unpack(in_pieces(stream)) == done.files
    look = (
        f"cat {long}/file; ./alias; cat closed/in; readlink out gone; cat caf*; stat -c '%a %U %Y' run closed/in closed"
    )
    before, after = await first.exec(look, timeout=30), await second.exec(look, timeout=30)
    assert after.output == before.output
    assert after.exit_code == 0
    assert await second.read("large") == bytes(range(256)) * 4000
    assert (await second.exec("echo more >> closed/in && rm -r a-folder*", timeout=30)).exit_code == 0


async def test_a_link_to_a_file_of_the_machine_is_never_followed(machine: Machine) -> None:
    swap = "ln -sfn /etc b; mv -T a c; mv -T b a; rm a; mv -T c a"
    loop = f"mkdir a; echo mine > a/passwd; for i in $(seq 2000); do {swap}; done"
    await machine.exec(f"setsid bash -c '{loop}' >/dev/null 2>&1 &", timeout=30)
    for _ in range(20):
        stream, _ = await packed(machine)
        assert b"root:x:0" not in stream


async def test_what_there_is_no_room_for_is_named_and_the_rest_comes_along(machine: Machine) -> None:
    await machine.exec(
        "head -c 3000000 /dev/urandom > film; head -c 2000000 /dev/urandom > song; echo a > note", timeout=30
    )
    stream, done = await packed(machine, 1024**2)
    assert [one.path for one in done.left] == ["/home/agent/film", "/home/agent/song"]
    assert done.left[0].size == 3_000_000
    assert done.left_count == 2
    assert len(stream) < 1024**2
    with tarfile.open(fileobj=io.BytesIO(stream)) as tar:
        assert "home/note" in tar.getnames()


@pytest.mark.parametrize(
    "bad",
    [
        entry("home/../../etc/evil"),
        entry("/etc/evil"),
        entry("home//etc/evil"),
        entry("elsewhere/evil"),
        entry("home/hard", tarfile.LNKTYPE, "/etc/passwd"),
        entry("home/disk", tarfile.BLKTYPE),
        entry("home/tty", tarfile.CHRTYPE),
        entry("home/pipe", tarfile.FIFOTYPE),
    ],
    ids=lambda info: info.name,
)
async def test_a_stream_that_reaches_out_is_refused(machine: Machine, bad: tarfile.TarInfo) -> None:
    with pytest.raises(MachineError):
        await luggage(machine).unpack(in_pieces(made((bad, b""))))
    assert await machine.list() == ()


async def test_a_link_in_a_stream_does_not_lead_what_follows_it_outside(machine: Machine) -> None:
    stream = made((entry("home/way", tarfile.SYMTYPE, "/tmp"), b""), (entry("home/way/evil"), b"x"))
    with pytest.raises(MachineError):
        await luggage(machine).unpack(in_pieces(stream))
    assert (await machine.exec("ls /tmp/evil", timeout=30)).exit_code != 0


async def test_a_stream_that_breaks_off_or_is_too_large_says_so(backend: Backend, spec_for: SpecFor) -> None:
    machine = await backend.start(spec_for("s1"))
    whole = made((entry("home/file"), bytes(100_000)))
    with pytest.raises(MachineError, match="break off"):
        await luggage(machine).unpack(in_pieces(whole[:50_000]))
    most = spec_for("s1").limits.disk_bytes
    with pytest.raises(MachineError, match="Delete files"):
        await luggage(machine).unpack(in_pieces(made((entry("home/huge"), bytes(most + 4096))), 65536))


async def test_the_mark_tells_a_machine_again_and_is_no_business_of_its_programs(
    backend: Backend, spec_for: SpecFor
) -> None:
    machine = await backend.start(spec_for("s1"))
    assert await luggage(machine).found() == await luggage(machine).found()
    assert (await luggage(machine).found()).mark is None
    assert (await luggage(machine).found()).empty
    await luggage(machine).set_mark(Mark("s1", 3))
    await machine.write("file", b"x")
    stream, _ = await packed(machine)
    await machine.close()
    again = await backend.start(spec_for("s1"))
    found = await luggage(again).found()
    assert found.mark == Mark("s1", 3)
    assert not found.empty
    assert b"generation" not in stream, "the mark is the machine's own, not its files'"
    with pytest.raises(NotFound):
        await again.stat(".machine")


async def test_what_is_there_stays_unless_it_is_to_be_replaced(machine: Machine) -> None:
    stream = made(
        (entry("home/work", tarfile.DIRTYPE), b""), (entry("home/work/a"), b"old"), (entry("home/work/b"), b"b")
    )
    await machine.write("work/a", b"new")
    assert await luggage(machine).unpack(in_pieces(stream)) == 1
    assert await machine.read("work/a") == b"new"
    assert await machine.read("work/b") == b"b"
    assert await luggage(machine).unpack(in_pieces(stream), over=True) == 2
    assert await machine.read("work/a") == b"old"
