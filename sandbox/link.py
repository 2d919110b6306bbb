"""The host's end of the stream to a guest.

Hides frames and channels: one request at a time per channel, many channels at once, and every waiting caller is
told when the machine is gone.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Self

from .doors import Doors
from .guest.carry import CARRIED
from .guest.frames import (
    CHUNK,
    CONTROL,
    DATA,
    END,
    OPEN,
    Broken,
    Frame,
    Message,
    encode,
    encode_message,
    receive,
)
from .types import LimitReached, MachineError, MachineLost, NotFound, PathRefused

GONE = "The machine has stopped. Start it again: its files are kept, its programs are not."


class Link:
    """Many conversations over one stream, and the doors it offers to the guest."""

    def __init__(
        self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, doors: Mapping[str, Path] | None = None
    ) -> None:
        self._doors = Doors(writer, doors or {})
        self._reader = reader
        self._writer = writer
        self._calls: dict[int, Call] = {}
        self._next = 0
        self._lost = False
        self._receiving = asyncio.create_task(self._receive())

    @property
    def lost(self) -> bool:
        return self._lost

    async def hello(self, message: Message, token: str = "") -> Message:
        """Introduce the host to the guest; must be the first request. `token`: what the guest expects."""
        async with self.open({**message, "op": "hello", "token": token}) as call:
            return await call.result()

    def open(self, request: Message) -> Call:
        """Begin a conversation; use it as `async with`."""
        if self._lost:
            raise MachineLost(GONE)
        self._next += 1
        call = Call(self, self._next)
        self._calls[call.number] = call
        self.post(encode_message(OPEN, call.number, request))
        return call

    def post(self, frame: bytes) -> None:
        if not self._lost:
            self._writer.write(frame)

    async def drain(self) -> None:
        with contextlib.suppress(OSError):
            await self._writer.drain()

    def forget(self, number: int) -> None:
        self._calls.pop(number, None)

    async def close(self) -> None:
        self._receiving.cancel()
        await asyncio.wait({self._receiving})
        await self._doors.ended()
        self._writer.close()

    async def _receive(self) -> None:
        try:
            while True:
                frame = await receive(self._reader)
                if frame.channel & CARRIED:
                    await self._doors.take(frame)
                    continue
                call = self._calls.get(frame.channel)
                if call is not None:
                    call.incoming.put_nowait(frame)
        except (Broken, OSError):
            return
        finally:
            self._lost = True
            self._doors.cut()
            self._writer.close()
            for call in self._calls.values():
                call.incoming.put_nowait(None)


@dataclass(slots=True)
class Call:
    """One conversation: send pieces, receive pieces, then the result."""

    link: Link
    number: int
    incoming: asyncio.Queue[Frame | None] = field(default_factory=asyncio.Queue[Frame | None])
    ended: Message | None = None

    async def __aenter__(self) -> Self:
        await self.link.drain()
        return self

    async def __aexit__(self, *_: object) -> None:
        if self.ended is None:
            self.control({"stop": True})
        self.link.forget(self.number)

    def control(self, message: Message) -> None:
        self.link.post(encode_message(CONTROL, self.number, message))

    async def send(self, data: bytes) -> None:
        for start in range(0, len(data), CHUNK):
            self.link.post(encode(DATA, self.number, data[start : start + CHUNK]))
            await self.link.drain()

    async def pieces(self) -> AsyncIterator[bytes]:
        """What the guest sends until it ends the conversation."""
        while self.ended is None:
            frame = await self.incoming.get()
            if frame is None:
                raise MachineLost(GONE)
            if frame.kind == DATA:
                yield frame.payload
            elif frame.kind == END:
                self.ended = frame.message()

    async def result(self) -> Message:
        """The guest's last word, its refusals raised as errors."""
        async for _ in self.pieces():
            pass
        ended = self.ended or {}
        if "error" in ended:
            raise refusal(str(ended["error"]), str(ended.get("message", "")))
        return ended


def refusal(kind: str, message: str) -> MachineError:
    match kind:
        case "path":
            return PathRefused(message)
        case "missing":
            return NotFound(message)
        case "limit":
            return LimitReached(message)
        case _:
            return MachineError(message)
