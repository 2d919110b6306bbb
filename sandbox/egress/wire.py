"""HTTP/1.1 over a pair of asyncio streams.

Hides h11's state machine, which refuses whatever two parsers could read differently; nothing here parses HTTP.
"""

from __future__ import annotations

import asyncio
from typing import cast

import h11

HEAD_MAX = 64 * 1024
READ = 64 * 1024

HOP_BY_HOP = frozenset(
    {
        "connection",
        "keep-alive",
        "proxy-authenticate",
        "proxy-authorization",
        "proxy-connection",
        "te",
        "trailer",
        "transfer-encoding",
        "upgrade",
    }
)


class Wire:
    """One connection. idle: seconds without a byte from the other side before TimeoutError."""

    def __init__(
        self,
        role: type[h11.CLIENT] | type[h11.SERVER],
        streams: tuple[asyncio.StreamReader, asyncio.StreamWriter],
        idle: float,
    ) -> None:
        self.http = h11.Connection(role, max_incomplete_event_size=HEAD_MAX)
        self.reader, self.writer = streams
        self._idle = idle

    async def event(self) -> h11.Event | type[h11.NEED_DATA] | type[h11.PAUSED]:
        """The next event. h11.RemoteProtocolError for what is not HTTP, TimeoutError, OSError."""
        while True:
            event = self.http.next_event()
            if event is not h11.NEED_DATA:
                return event
            self.http.receive_data(await asyncio.wait_for(self.reader.read(READ), self._idle))

    async def send(self, *events: h11.Event) -> None:
        for event in events:
            data = self.http.send(event)
            if data:
                self.writer.write(data)
        await asyncio.wait_for(self.writer.drain(), self._idle)

    def pause(self) -> None:
        """Leave further bytes to whoever takes the connection over, which must resume reading (`start_tls` does)."""
        cast(asyncio.ReadTransport, self.writer.transport).pause_reading()

    def resume(self) -> None:
        """Read on after `pause`."""
        cast(asyncio.ReadTransport, self.writer.transport).resume_reading()

    def close(self) -> None:
        self.writer.close()


def end_to_end(headers: list[tuple[bytes, bytes]]) -> tuple[tuple[str, str], ...]:
    """Headers meant for the other end, names in lower case: those for this connection only are left out."""
    pairs = [(name.decode("latin-1").lower(), value.decode("latin-1")) for name, value in headers]
    named = {token.strip().lower() for name, value in pairs if name == "connection" for token in value.split(",")}
    return tuple((name, value) for name, value in pairs if name not in HOP_BY_HOP | named)
