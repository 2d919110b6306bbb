"""One connection of a program, carried over the stream between guest and host.

Hides back-pressure. At most WINDOW bytes are under way in each direction: the receiver says how many it has passed on
(`took`), so a slow consumer fills nobody's memory and never holds up other channels. A half-closed side stays half
open for the answer (`eof`). Both ends use this; only a guest opens such a channel, and its number is over CARRIED.
"""

from __future__ import annotations

import asyncio

from .frames import CHUNK, CONTROL, DATA, END, Frame, encode, encode_message

CARRIED = 1 << 31
CARRIED_MAX = 256
WINDOW = 256 * 1024


class Carried:
    """One end of a channel; `line` is the stream that all channels share."""

    def __init__(self, number: int, line: asyncio.StreamWriter) -> None:
        self.number = number
        self.line = line
        self.room = WINDOW
        self.more = asyncio.Event()
        self.held = 0
        self.incoming: asyncio.Queue[bytes] = asyncio.Queue()
        self.eof = self.ended = self.broken = False
        self.sending: asyncio.Task[None] | None = None
        self.passing: asyncio.Task[None] | None = None

    def take(self, frame: Frame) -> None:
        """What came on this channel; never waits."""
        if self.ended or self.broken:
            return
        match frame.kind, {} if frame.kind == DATA else frame.message():
            case (kind, _) if kind == DATA and frame.payload and not self.eof:
                self.held += len(frame.payload)
                if self.held > WINDOW:
                    self.abort()
                self.incoming.put_nowait(frame.payload)
            case (kind, {"took": int(size)}) if kind == CONTROL and size > 0:
                self.room = min(self.room + size, WINDOW)
                self.more.set()
            case (kind, {"eof": True}) if kind == CONTROL and not self.eof:
                self.eof = True
                self.incoming.put_nowait(b"")
            case (kind, message) if kind == END and "error" not in message:
                self.ended = True
                self.incoming.put_nowait(b"")
                if self.sending:
                    self.sending.cancel()
            case (kind, _):
                self.ended = kind == END
                self.abort()

    def abort(self) -> None:
        """Stop at once; what was not passed on is lost."""
        self.broken = True
        for task in (self.sending, self.passing):
            if task:
                task.cancel()

    async def run(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Carry until both directions have ended, or one has broken; then `writer` is closed."""
        whole = False
        try:
            if not self.broken:
                async with asyncio.TaskGroup() as both:
                    self.sending = both.create_task(self.send(reader))
                    self.passing = both.create_task(self.pass_on(writer))
                whole = not self.broken
        except* OSError:
            pass
        finally:
            if whole:
                writer.close()
            else:
                writer.transport.abort()
            self.end(whole)

    def end(self, whole: bool) -> None:
        """Say that this end is done with the channel, unless the other was first."""
        if not self.ended and not self.line.is_closing():
            self.line.write(encode_message(END, self.number, {} if whole else {"error": "broken"}))

    async def send(self, reader: asyncio.StreamReader) -> None:
        """From the program's connection to the line."""
        while not self.ended and (data := await reader.read(CHUNK)):
            while data:
                while not self.room:
                    self.more.clear()
                    await self.more.wait()
                piece, data = data[: self.room], data[self.room :]
                self.room -= len(piece)
                self.line.write(encode(DATA, self.number, piece))
                await self.line.drain()
        self.line.write(encode_message(CONTROL, self.number, {"eof": True}))

    async def pass_on(self, writer: asyncio.StreamWriter) -> None:
        """From the line to the program's connection."""
        while data := await self.incoming.get():
            writer.write(data)
            await writer.drain()
            self.held -= len(data)
            self.line.write(encode_message(CONTROL, self.number, {"took": len(data)}))
            await self.line.drain()
        if writer.can_write_eof():
            writer.write_eof()
