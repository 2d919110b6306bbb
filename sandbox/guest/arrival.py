"""How the host comes to the guest: the stream it serves, and that whoever speaks first is the host.

Hides the kinds of stream, which the guest's arguments name:
  (none)                       standard input, a socket
  pipes                        standard input and output
  device PATH                  a character device: a port of a virtual machine
  listen ADDRESS TOKEN_FILE    the first connection that knows the token; ADDRESS is host:port or the path of a socket
"""

from __future__ import annotations

import asyncio
import contextlib
import hmac
import os
import select
import socket
from collections.abc import Sequence
from dataclasses import dataclass

from .frames import OPEN, Broken, Frame, receive

HELLO_SECONDS = 20.0
STRANGERS_MAX = 32


@dataclass(frozen=True, slots=True)
class Arrived:
    """The host is there, and this is its hello."""

    reader: asyncio.StreamReader
    writer: asyncio.StreamWriter
    hello: Frame


async def arrival(way: Sequence[str]) -> Arrived | None:
    """Wait for the host; None when what came first was something else."""
    match way:
        case []:
            return await greeted(*await asyncio.open_connection(sock=socket.socket(fileno=0)))
        case ["pipes"]:
            return await greeted(*await pipes())
        case ["device", path]:
            return await greeted(*await device(path))
        case ["listen", address, token_file]:
            return await Reception(secret(token_file)).first(address)
        case _:
            raise SystemExit(f"The guest does not know this way for the host to come: {' '.join(way)}")


async def greeted(
    reader: asyncio.StreamReader, writer: asyncio.StreamWriter, token: str | None = None
) -> Arrived | None:
    """The host that says hello. `token` is None where the stream itself is private to the host."""
    first = await receive(reader)
    hello = first.message()
    if first.kind != OPEN or hello.get("op") != "hello":
        return None
    if token is not None and not hmac.compare_digest(token.encode(), str(hello.get("token")).encode()):
        return None
    return Arrived(reader, writer, first)


def secret(path: str) -> str:
    """The token in a file, which nobody else can read after this."""
    with open(path, encoding="utf-8") as file:
        token = file.read().strip()
    os.unlink(path)
    if not token:
        raise SystemExit(f"There is no token in {path}.")
    return token


async def pipes() -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
    """Standard input and output, which are moved away so that nothing else reads or prints there."""
    read, write, nothing = os.dup(0), os.dup(1), os.open(os.devnull, os.O_RDWR)
    os.dup2(nothing, 0)
    os.dup2(2, 1)
    os.close(nothing)
    return await joined(read, write)


async def device(path: str) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
    """A character device, once the host has opened its end: before that it reads as ended."""
    descriptor = os.open(path, os.O_RDWR | os.O_NOCTTY | os.O_NONBLOCK)
    state = select.poll()
    state.register(descriptor, select.POLLIN)
    while any(event & select.POLLHUP for _, event in state.poll(0)):  # noqa: ASYNC110 (it has no event)
        await asyncio.sleep(0.02)
    return await joined(descriptor, os.dup(descriptor))


async def joined(read: int, write: int) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
    """Two descriptors as one stream."""
    loop = asyncio.get_running_loop()
    reader = asyncio.StreamReader()
    await loop.connect_read_pipe(lambda: asyncio.StreamReaderProtocol(reader), os.fdopen(read, "rb", 0))
    transport, protocol = await loop.connect_write_pipe(
        lambda: asyncio.StreamReaderProtocol(asyncio.StreamReader()), os.fdopen(write, "wb", 0)
    )
    return reader, asyncio.StreamWriter(transport, protocol, None, loop)


class Reception:
    """Takes connections until one knows the token; the others are hung up on."""

    def __init__(self, token: str) -> None:
        self.token = token
        self.host: asyncio.Future[Arrived] = asyncio.get_running_loop().create_future()
        self.strangers = 0

    async def first(self, address: str) -> Arrived:
        """The host; nobody else may connect from then on."""
        if address.startswith("/"):
            server = await asyncio.start_unix_server(self.meet, address)
        else:
            name, _, port = address.rpartition(":")
            server = await asyncio.start_server(self.meet, name.strip("[]"), int(port))
        try:
            return await self.host
        finally:
            server.close()

    async def meet(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Hear who it is."""
        self.strangers += 1
        try:
            if self.strangers <= STRANGERS_MAX and not self.host.done():
                with contextlib.suppress(Broken, TimeoutError):
                    arrived = await asyncio.wait_for(greeted(reader, writer, self.token), HELLO_SECONDS)
                    if arrived and not self.host.done():
                        self.host.set_result(arrived)
                        return
            writer.close()
        finally:
            self.strangers -= 1
