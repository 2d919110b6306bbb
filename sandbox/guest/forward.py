"""The machine's only way out: 127.0.0.1:3128, carried to the gate's Unix socket.

Hides that the machine has no network: programs see an ordinary HTTP proxy.
"""

from __future__ import annotations

import asyncio
import contextlib

PORT = 3128
GATE = "/run/threadhand/gate"
BROKER, HAND = "/run/threadhand/broker", "/opt/threadhand/bin/hand"
CERTIFICATE = "/run/threadhand/ca.pem"
CONNECTIONS_MAX = 256


class Forwarder:
    def __init__(self, gate: str) -> None:
        self.gate = gate
        self.open = 0

    async def listen(self) -> asyncio.Server:
        return await asyncio.start_server(self.carry, "127.0.0.1", PORT)

    async def carry(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        if self.open >= CONNECTIONS_MAX:
            writer.close()
            return
        self.open += 1
        try:
            there, back = await asyncio.open_unix_connection(self.gate)
            try:
                await asyncio.gather(pipe(reader, back), pipe(there, writer))
            finally:
                back.close()
        except OSError:
            return
        finally:
            writer.close()
            self.open -= 1


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
