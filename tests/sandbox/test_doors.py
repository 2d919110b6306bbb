"""Ways out that travel over the guest's own stream, with real guests that have nothing else of the host."""

from __future__ import annotations

import asyncio
import dataclasses
import hashlib
import socket
from collections.abc import AsyncIterator, Callable
from pathlib import Path

import pytest

from sandbox.guest.carry import CARRIED, CARRIED_MAX, WINDOW
from sandbox.guest.frames import CONTROL, DATA, END, OPEN, Frame, encode, encode_message, receive
from sandbox.link import Link
from sandbox.roster import Roster
from sandbox.types import EgressPort, Machine, MachineSpec
from tests.support.waiting import until, until_true

from .egress_setup import running
from .streamed import Streamed

BIG = 20_000_000


class Peer:
    """What the machine's programs reach through the door: a server on a Unix socket."""

    def __init__(self, socket: Path) -> None:
        self.socket = socket
        self.open = 0
        self.most = 0
        self.sent = 0
        self.heard: list[bytes] = []

    async def echo(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Answer after all was said, as only a half-closed connection allows."""
        self.open += 1
        self.most = max(self.most, self.open)
        try:
            said = await reader.read(-1)
            self.heard.append(said)
            writer.write(hashlib.sha256(said).hexdigest().encode())
            await writer.drain()
        except OSError:
            return
        finally:
            writer.close()
            self.open -= 1

    async def pour(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Send without end for as long as it is taken."""
        try:
            while True:
                writer.write(bytes(64 * 1024))
                await writer.drain()
                self.sent += 64 * 1024
        except OSError:
            return
        finally:
            writer.close()


ASK = """
import hashlib, socket, sys
size = int(sys.argv[1])
link = socket.socket(socket.AF_UNIX)
link.connect("/run/threadhand/broker")
data = bytes(range(256)) * (size // 256)
link.sendall(data)
link.shutdown(socket.SHUT_WR)
answer = b""
while piece := link.recv(65536):
    answer += piece
print(answer.decode() == hashlib.sha256(data).hexdigest())
"""

STALL = """
import socket, sys, time
link = socket.socket(socket.AF_UNIX)
link.connect("/run/threadhand/broker")
print(len(link.recv(1)), flush=True)
time.sleep(600)
"""

MANY = """
import socket, sys
links = []
for _ in range(int(sys.argv[1])):
    link = socket.socket(socket.AF_UNIX)
    link.connect("/run/threadhand/broker")
    link.settimeout(30)
    links.append(link)
refused = 0
for link in links[-4:]:
    try:
        refused += not link.recv(1)
    except ConnectionError:
        refused += 1
print(refused)
"""


@pytest.fixture
def peer(tmp_path: Path) -> Peer:
    return Peer(tmp_path / "peer.sock")


@pytest.fixture
async def roster(tmp_path: Path) -> AsyncIterator[Roster]:
    roster = Streamed(tmp_path / "state", "pipes").roster()
    yield roster
    await roster.close()


@pytest.fixture
async def machine(roster: Roster, peer: Peer, spec_for: Callable[[str], MachineSpec]) -> Machine:
    return await roster.start(dataclasses.replace(spec_for("s1"), broker=peer.socket))


async def run(machine: Machine, program: str, *words: object) -> str:
    await machine.write("program.py", program.encode())
    result = await machine.exec(f"python3 program.py {' '.join(map(str, words))}", timeout=90)
    return result.text.strip()


@pytest.mark.parametrize("size", [256, pytest.param(BIG, marks=pytest.mark.slow)])
async def test_bytes_go_both_ways_and_a_half_closed_side_gets_its_answer(
    machine: Machine, peer: Peer, size: int
) -> None:
    async with await asyncio.start_unix_server(peer.echo, str(peer.socket)):
        assert await run(machine, ASK, size) == "True"
    assert [len(said) for said in peer.heard] == [size - size % 256]


async def test_a_reader_that_stalls_holds_up_nobody_else_and_fills_no_memory(machine: Machine, peer: Peer) -> None:
    async with await asyncio.start_unix_server(peer.pour, str(peer.socket)):
        await machine.write("stall.py", STALL.encode())
        pieces: list[bytes] = []
        stalled = asyncio.create_task(machine.exec("python3 stall.py", timeout=600, on_output=pieces.append))
        await until(lambda: bool(pieces))
        for _ in range(3):
            assert (await machine.exec("echo on", timeout=30)).text == "on\n"
            content = bytes(3_000_000)
            await machine.write("other.bin", content)
            assert await machine.read("other.bin") == content
        assert peer.sent < 8 * WINDOW
        await machine.interrupt()
        assert (await stalled).interrupted


@pytest.mark.slow
async def test_more_connections_than_allowed_are_refused_and_room_comes_back(machine: Machine, peer: Peer) -> None:
    async with await asyncio.start_unix_server(peer.echo, str(peer.socket)):
        assert await run(machine, MANY, CARRIED_MAX + 4) == "4"
        assert peer.most <= CARRIED_MAX

        async def there_is_room() -> bool:
            return await run(machine, ASK, 256) == "True"

        await until_true(there_is_room)


async def test_a_door_with_nobody_behind_it_hangs_up(machine: Machine) -> None:
    said = await run(machine, ASK, 256)
    assert "True" not in said


async def test_the_gate_is_a_proxy_whose_certificate_the_machine_trusts(
    roster: Roster, spec_for: Callable[[str], MachineSpec], tmp_path: Path
) -> None:
    async with running(tmp_path) as setup:
        port = EgressPort(setup.socket, setup.authority.certificate)
        machine = await roster.start(dataclasses.replace(spec_for("s1"), egress=port))
        said = await machine.exec(f"curl -sS {setup.secure.url('/b')}; ls /run/threadhand", timeout=60)
        assert "Hello from /b" in said.text
        assert "broker" not in said.text
        assert {record.outcome for record in setup.desk.records} == {"sent"}
        await machine.close()


class Guest:
    """The guest's end of a stream, under the test's hand: it keeps to no rule."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.reader = reader
        self.writer = writer

    async def say(self, kind: int, number: int, payload: dict[str, object]) -> Frame:
        self.writer.write(encode_message(kind, number, payload))
        return await asyncio.wait_for(receive(self.reader), 30)

    async def next(self, kind: int) -> Frame:
        """The next frame of a kind."""
        async with asyncio.timeout(30):
            while (frame := await receive(self.reader)).kind != kind:
                pass
            return frame


@pytest.fixture
async def guest(peer: Peer) -> AsyncIterator[Guest]:
    ours, theirs = socket.socketpair()
    link = Link(*await asyncio.open_connection(sock=ours), {"broker": peer.socket})
    reader, writer = await asyncio.open_connection(sock=theirs)
    yield Guest(reader, writer)
    await link.close()
    writer.close()


async def test_a_door_that_was_not_offered_is_refused(guest: Guest) -> None:
    for number, door in enumerate(("gate", "", "/etc/passwd", "../broker"), CARRIED | 1):
        frame = await guest.say(OPEN, number, {"door": door})
        assert (frame.kind, frame.channel) == (END, number)
        assert frame.message()["error"] == "door"


async def test_a_guest_opens_nothing_but_doors(guest: Guest, peer: Peer) -> None:
    async with await asyncio.start_unix_server(peer.echo, str(peer.socket)):
        guest.writer.write(encode_message(OPEN, 7, {"door": "broker"}))
        guest.writer.write(encode_message(OPEN, 8, {"op": "exec", "command": "true"}))
        frame = await guest.say(OPEN, CARRIED | 1, {"op": "exec", "command": "true"})
        assert frame.channel == CARRIED | 1
        assert frame.message()["error"] == "door"
    assert peer.heard == []


async def test_more_than_the_window_at_once_breaks_the_connection(guest: Guest, peer: Peer) -> None:
    async with await asyncio.start_unix_server(peer.pour, str(peer.socket)):
        guest.writer.write(encode_message(OPEN, CARRIED | 1, {"door": "broker"}))
        for _ in range(64):
            guest.writer.write(encode(DATA, CARRIED | 1, bytes(64 * 1024)))
        frame = await guest.next(END)
        assert frame.message() == {"error": "broken"}


async def test_what_is_not_of_the_protocol_ends_the_stream(guest: Guest) -> None:
    guest.writer.write(encode(OPEN, CARRIED | 1, b"no JSON"))
    guest.writer.write(encode_message(CONTROL, CARRIED | 1, {}))
    assert await asyncio.wait_for(guest.reader.read(1), 30) == b""
