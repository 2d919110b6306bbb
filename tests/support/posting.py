"""A program in a machine in memory that writes to the outside: through the gate's real socket, as any program must."""

from __future__ import annotations

import asyncio
from urllib.parse import urlsplit

from tests.support.machine import FakeMachine, everyday


async def posting(machine: FakeMachine, command: str) -> tuple[int, bytes]:
    """`post URL TEXT` sends the text; `make PATH TEXT` writes a file; anything else is everyday."""
    name, _, rest = command.partition(" ")
    first, _, text = rest.partition(" ")
    match name:
        case "post":
            return 0, await send(machine, first, text.encode())
        case "make":
            await machine.write(first, text.encode())
            return 0, b""
        case _:
            return await everyday(machine, command)


async def send(machine: FakeMachine, url: str, body: bytes) -> bytes:
    """POST through the gate; returns what the gate answers, head and all."""
    assert machine.spec.egress is not None
    reader, writer = await asyncio.open_unix_connection(str(machine.spec.egress.socket))
    head = f"POST {url} HTTP/1.1\r\nHost: {urlsplit(url).netloc}\r\nContent-Type: text/plain\r\n"
    writer.write(f"{head}Content-Length: {len(body)}\r\nConnection: close\r\n\r\n".encode() + body)
    try:
        return await asyncio.wait_for(reader.read(-1), 20)
    finally:
        writer.close()
