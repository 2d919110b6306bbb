"""Interactive shells on a pseudo-terminal, for people who watch or take over.

Hides the terminal device. Output waits for its reader: the other side acknowledges what it has shown, and the
shell is slowed when it runs ahead.
"""

from __future__ import annotations

import asyncio
import contextlib
import fcntl
import os
import struct
import termios

AHEAD_MAX = 256 * 1024


class Pseudo:
    """The guest's end of a pseudo-terminal; `slave` is for the shell and closed once it runs."""

    def __init__(self) -> None:
        self.master, self.slave = os.openpty()
        os.set_blocking(self.master, False)
        self.ahead = 0
        self.wanted = asyncio.Event()
        self.wanted.set()

    def resize(self, rows: int, columns: int) -> None:
        fcntl.ioctl(self.master, termios.TIOCSWINSZ, struct.pack("HHHH", rows, columns, 0, 0))

    def acknowledge(self, size: int) -> None:
        self.ahead -= size
        if self.ahead < AHEAD_MAX:
            self.wanted.set()

    async def output(self) -> bytes:
        """The next output; empty when the shell and all that held the terminal are gone."""
        await self.wanted.wait()
        await ready(self.master, reading=True)
        try:
            data = os.read(self.master, 32 * 1024)
        except BlockingIOError:
            return await self.output()
        except OSError:
            return b""
        self.ahead += len(data)
        if self.ahead >= AHEAD_MAX:
            self.wanted.clear()
        return data

    async def type(self, data: bytes) -> None:
        while data:
            try:
                data = data[os.write(self.master, data) :]
            except BlockingIOError:
                await ready(self.master, reading=False)
            except OSError:
                return

    def close(self) -> None:
        with contextlib.suppress(OSError):
            os.close(self.master)


async def ready(descriptor: int, *, reading: bool) -> None:
    loop = asyncio.get_running_loop()
    done: asyncio.Future[None] = loop.create_future()
    add, remove = (loop.add_reader, loop.remove_reader) if reading else (loop.add_writer, loop.remove_writer)
    add(descriptor, lambda: None if done.done() else done.set_result(None))
    try:
        await done
    finally:
        remove(descriptor)
