"""The machine's ways out: 127.0.0.1:3128 to the gate, and the socket that `hand` speaks to.

Hides that the machine has no network: programs see an ordinary HTTP proxy. What they send goes to sockets of the host,
which are mounted in the machine, or else are the doors that the host offers on the guest's own stream.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import sys
from collections.abc import Sequence

from .carry import CARRIED, CARRIED_MAX, Carried
from .frames import OPEN, Frame, Message, encode_message

PORT = 3128
GATE = "/run/threadhand/gate"
BROKER, HAND = "/run/threadhand/broker", "/opt/threadhand/bin/hand"
CERTIFICATE = "/run/threadhand/ca.pem"


class Doors:
    """The guest's end of the doors; `line` is the stream to the host."""

    def __init__(self, line: asyncio.StreamWriter) -> None:
        self.line = line
        self.carried: dict[int, Carried] = {}
        self.opened = 0

    def take(self, frame: Frame) -> None:
        """What the host sent on a channel that was opened here."""
        if carried := self.carried.get(frame.channel):
            carried.take(frame)

    async def carry(self, door: str, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Carry a program's connection to a door of the host until it ends."""
        self.opened += 1
        number = CARRIED | self.opened
        carried = self.carried[number] = Carried(number, self.line)
        try:
            self.line.write(encode_message(OPEN, number, {"door": door}))
            await carried.run(reader, writer)
        finally:
            del self.carried[number]


class Forwarder:
    """Takes connections of programs and carries each to a mounted socket, or to a door."""

    def __init__(self, way: str, doors: Doors | None) -> None:
        self.way = way
        self.doors = doors
        self.open = 0

    async def carry(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        if self.open >= CARRIED_MAX:
            writer.close()
            return
        self.open += 1
        try:
            if self.doors:
                await self.doors.carry(self.way, reader, writer)
                return
            there, back = await asyncio.open_unix_connection(self.way)
            try:
                await asyncio.gather(pipe(reader, back), pipe(there, writer))
            finally:
                back.close()
        except OSError:
            return
        finally:
            writer.close()
            self.open -= 1


async def listen(hello: Message, doors: Doors) -> Sequence[asyncio.Server]:
    """Open the ways out that `hello` names. Keep what this returns."""
    offered: list[str] = hello["doors"]
    servers: list[asyncio.Server] = []
    if hello["gate"]:
        gate = Forwarder("gate", doors) if "gate" in offered else Forwarder(str(hello["gate"]), None)
        servers.append(await asyncio.start_server(gate.carry, "127.0.0.1", PORT))
    if hello["certificate"]:
        put(CERTIFICATE, str(hello["certificate"]), 0o644)
    if "broker" in offered:
        os.makedirs(os.path.dirname(BROKER), 0o755, exist_ok=True)
        with contextlib.suppress(FileNotFoundError):
            os.unlink(BROKER)
        servers.append(await asyncio.start_unix_server(Forwarder("broker", doors).carry, BROKER))
        os.chmod(BROKER, 0o666)  # noqa: S103  (the agent's programs speak to it)
        if not os.path.exists(HAND):
            put(HAND, hand_program(), 0o755)
    return servers


def hand_program() -> str:
    """The command `hand` for the interpreter that runs this."""
    with open(os.path.join(os.path.dirname(__file__), "hand.py"), encoding="utf-8") as source:
        return f"#!{sys.executable} -I\n{source.read()}"


def put(path: str, text: str, mode: int) -> None:
    """A file of the machine's own that the agent's programs may read."""
    os.makedirs(os.path.dirname(path), 0o755, exist_ok=True)
    with open(path, "w", encoding="utf-8") as file:
        file.write(text)
    os.chmod(path, mode)


async def pipe(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """Copy until the end; a half-closed side stays half open for the answer."""
    try:
        while data := await reader.read(64 * 1024):
            writer.write(data)
            await writer.drain()
        if writer.can_write_eof():
            writer.write_eof()
    except (OSError, RuntimeError):
        with contextlib.suppress(OSError, RuntimeError):
            writer.close()
