"""A machine in memory with a screen and terminals: what a person sends arrives here, byte by byte.

The screen speaks RFB 3.8 without a password as the real one does, shows one grey picture, and keeps all it was sent.
"""

from __future__ import annotations

import asyncio
import struct
from dataclasses import dataclass, field
from typing import Any

from sandbox.browser import Act, View
from sandbox.types import MachineSpec
from tests.support.machine import FakeBackend, FakeMachine, Script, everyday

WIDTH, HEIGHT = 64, 48
PIXEL_FORMAT = struct.pack("!BBBBHHHBBBxxx", 32, 24, 0, 1, 255, 255, 255, 16, 8, 0)
INIT = struct.pack("!HH", WIDTH, HEIGHT) + PIXEL_FORMAT + struct.pack("!I", 7) + b"machine"
UPDATE = struct.pack("!BxHHHHHi", 0, 1, 0, 0, WIDTH, HEIGHT, 0) + bytes([128]) * (WIDTH * HEIGHT * 4)


@dataclass
class Screen:
    """One connection to the screen. `received`: everything the viewer's side sent."""

    received: bytearray = field(default_factory=bytearray)
    closed: bool = False
    _out: asyncio.Queue[bytes] = field(default_factory=asyncio.Queue[bytes])

    def __post_init__(self) -> None:
        self._out.put_nowait(b"RFB 003.008\n")

    async def read(self) -> bytes:
        return await self._out.get()

    async def write(self, data: bytes) -> None:
        before = len(self.received)
        self.received += data
        for length, answer in ((12, b"\x01\x01"), (13, bytes(4)), (14, INIT + UPDATE)):
            if before < length <= len(self.received):
                self._out.put_nowait(answer)

    def show(self) -> None:
        """The picture changes."""
        self._out.put_nowait(UPDATE)

    async def close(self) -> None:
        self.closed = True
        self._out.put_nowait(b"")

    @property
    def messages(self) -> bytes:
        """What came after the greeting."""
        return bytes(self.received[14:])


@dataclass
class Shell:
    """A terminal that echoes."""

    typed: bytearray = field(default_factory=bytearray)
    size: tuple[int, int] = (0, 0)
    closed: bool = False
    _out: asyncio.Queue[bytes] = field(default_factory=asyncio.Queue[bytes])

    async def read(self) -> bytes:
        return await self._out.get()

    async def write(self, data: bytes) -> None:
        self.typed += data
        self._out.put_nowait(data)

    async def resize(self, rows: int, columns: int) -> None:
        self.size = (rows, columns)

    async def close(self) -> None:
        self.closed = True


@dataclass
class PageBrowser:
    """A browser that stands on one page."""

    on: bool = False
    url: str = "https://portal.example.com/invoices?token=abc#there"
    title: str = "Invoices"

    async def running(self) -> bool:
        return self.on

    async def act(self, act: Act) -> View:
        del act
        self.on = True
        return View(self.url, self.title, "1", True, "", "", 1, 1, "", False)


class ScreenMachine(FakeMachine):
    """A FakeMachine that can be looked at."""

    def __init__(self, spec: MachineSpec, files: dict[str, bytes], script: Script) -> None:
        super().__init__(spec, files, script)
        self.screens: list[Screen] = []
        self.shells: list[Shell] = []
        self.page = PageBrowser()

    async def desktop(self) -> Screen:
        self.screens.append(Screen())
        return self.screens[-1]

    def browser(self) -> Any:
        return self.page

    async def terminal(self, *, rows: int = 24, columns: int = 80) -> Shell:
        self.shells.append(Shell(size=(rows, columns)))
        return self.shells[-1]


class ScreenBackend(FakeBackend):
    """Machines with screens, in memory."""

    async def start(self, spec: MachineSpec) -> ScreenMachine:
        running = self.machines.get(spec.session_id)
        if isinstance(running, ScreenMachine):
            return running
        made = ScreenMachine(spec, self.homes.setdefault(spec.session_id, {}), everyday)
        self.machines[spec.session_id] = made
        return made
