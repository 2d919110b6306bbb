"""Pixels: seeing the whole screen, and mouse and keyboard as a person at it would use them.

Hides the VNC protocol (RFB 3.8) and PNG. Input goes to whatever has the focus on the screen, native popups
included.
"""

from __future__ import annotations

import asyncio
import contextlib
import itertools
import struct
import zlib
from dataclasses import dataclass, field

PIXEL_FORMAT = struct.pack("!BBBBHHHBBBxxx", 32, 24, 0, 1, 255, 255, 255, 16, 8, 0)
BUTTONS = {"left": 1, "middle": 2, "right": 4, "wheel": 2}
NOTCH = 100
"""Pixels that one turn of the wheel stands for."""
STEP = 0.012

KEYS = {
    "enter": 0xFF0D, "return": 0xFF0D, "tab": 0xFF09, "escape": 0xFF1B, "esc": 0xFF1B, "backspace": 0xFF08,
    "delete": 0xFFFF, "insert": 0xFF63, "home": 0xFF50, "end": 0xFF57, "pageup": 0xFF55, "pagedown": 0xFF56,
    "left": 0xFF51, "up": 0xFF52, "right": 0xFF53, "down": 0xFF54, "arrowleft": 0xFF51, "arrowup": 0xFF52,
    "arrowright": 0xFF53, "arrowdown": 0xFF54, "space": 0x20, "shift": 0xFFE1, "ctrl": 0xFFE3, "control": 0xFFE3,
    "alt": 0xFFE9, "option": 0xFFE9, "meta": 0xFFEB, "cmd": 0xFFE3, "super": 0xFFEB, "capslock": 0xFFE5,
    **{f"f{number}": 0xFFBD + number for number in range(1, 13)},
}  # fmt: skip


@dataclass(slots=True)
class Screen:
    """A connection to the VNC server. `width`, `height`: pixels; `image`: four bytes a pixel, blue first."""

    reader: asyncio.StreamReader
    writer: asyncio.StreamWriter
    width: int = 0
    height: int = 0
    at: tuple[int, int] = (0, 0)
    image: bytearray = field(default_factory=bytearray)

    @classmethod
    async def connect(cls, path: str) -> Screen:
        screen = cls(*await asyncio.open_unix_connection(path))
        await screen.reader.readexactly(12)
        screen.writer.write(b"RFB 003.008\n")
        await screen.reader.readexactly((await screen.reader.readexactly(1))[0])
        screen.writer.write(b"\x01")
        await screen.reader.readexactly(4)
        screen.writer.write(b"\x01")
        screen.width, screen.height = struct.unpack("!HH", await screen.reader.readexactly(4))
        await screen.reader.readexactly(16)
        await screen.reader.readexactly(struct.unpack("!I", await screen.reader.readexactly(4))[0])
        screen.writer.write(b"\0\0\0\0" + PIXEL_FORMAT + struct.pack("!BxHi", 2, 1, 0))
        screen.image = bytearray(screen.width * screen.height * 4)
        return screen

    async def shot(self) -> bytes:
        """The screen as PNG."""
        self.writer.write(struct.pack("!BBHHHH", 3, 0, 0, 0, self.width, self.height))
        async with asyncio.timeout(20):
            while (kind := (await self.reader.readexactly(1))[0]) != 0:
                await self.skip(kind)
            await self.update()
        return await asyncio.to_thread(png, bytes(self.image), self.width, self.height)

    async def skip(self, kind: int) -> None:
        """A message that is of no interest: colours, bell, clipboard."""
        if kind == 1:
            count = struct.unpack("!xHH", await self.reader.readexactly(5))[1]
            await self.reader.readexactly(count * 6)
        elif kind == 3:
            await self.reader.readexactly(struct.unpack("!3xI", await self.reader.readexactly(7))[0])

    async def update(self) -> None:
        count = struct.unpack("!xH", await self.reader.readexactly(3))[0]
        for _ in range(count):
            x, y, width, height, _ = struct.unpack("!HHHHi", await self.reader.readexactly(12))
            for row in range(y, y + height):
                start = (row * self.width + x) * 4
                self.image[start : start + width * 4] = await self.reader.readexactly(width * 4)

    def pointer(self, mask: int) -> None:
        self.writer.write(struct.pack("!BBHH", 5, mask, *self.at))

    async def move(self, x: int, y: int, mask: int = 0) -> None:
        self.at = (min(max(x, 0), self.width - 1), min(max(y, 0), self.height - 1))
        self.pointer(mask)
        await self.pause()

    async def pause(self) -> None:
        await self.writer.drain()
        await asyncio.sleep(STEP)

    async def click(self, x: int, y: int, button: str, times: int) -> None:
        mask = BUTTONS.get(button, 1)
        await self.move(x, y)
        for _ in range(times):
            self.pointer(mask)
            await self.pause()
            self.pointer(0)
            await self.pause()

    async def drag(self, path: list[tuple[int, int]]) -> None:
        await self.move(*path[0])
        await self.move(*path[0], 1)
        for before, after in itertools.pairwise(path):
            for part in range(1, 9):
                x = before[0] + (after[0] - before[0]) * part // 8
                await self.move(x, before[1] + (after[1] - before[1]) * part // 8, 1)
        await self.move(*path[-1], 0)

    async def scroll(self, x: int, y: int, right: int, down: int) -> None:
        await self.move(x, y)
        for step, masks in ((right, (32, 64)), (down, (8, 16))):
            for _ in range(min(-(-abs(step) // NOTCH), 100)):
                self.pointer(masks[step > 0])
                self.pointer(0)
                await self.pause()

    def key(self, symbol: int, *, down: bool) -> None:
        self.writer.write(struct.pack("!BBxxI", 4, int(down), symbol))

    async def press(self, names: list[str]) -> None:
        """Hold all keys down in order, release them in reverse."""
        symbols = [symbol_of(name) for name in names]
        for symbol in symbols:
            self.key(symbol, down=True)
            await self.pause()
        for symbol in reversed(symbols):
            self.key(symbol, down=False)
            await self.pause()

    async def type(self, text: str) -> None:
        for character in text:
            await self.press(["enter" if character == "\n" else "tab" if character == "\t" else character])

    def close(self) -> None:
        with contextlib.suppress(OSError):
            self.writer.close()


def symbol_of(name: str) -> int:
    """The X key symbol of a key's name or of a character; ValueError when there is none."""
    if name.lower() in KEYS:
        return KEYS[name.lower()]
    if len(name) != 1:
        raise ValueError(
            f"There is no key {name!r}. Use names like Enter, Tab, ctrl, shift, ArrowDown, or a character."
        )
    code = ord(name)
    return code if 0x20 <= code <= 0xFF else 0x01000000 + code


def png(image: bytes, width: int, height: int) -> bytes:
    """A PNG of 24 bits from pixels of four bytes, blue first."""
    rgb = bytearray(width * height * 3)
    rgb[0::3], rgb[1::3], rgb[2::3] = image[2::4], image[1::4], image[0::4]
    rows = b"".join(b"\0" + rgb[row * width * 3 : (row + 1) * width * 3] for row in range(height))
    header = struct.pack("!IIBBBBB", width, height, 8, 2, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", zlib.compress(rows, 3)) + chunk(b"IEND", b"")


def chunk(kind: bytes, data: bytes) -> bytes:
    return struct.pack("!I", len(data)) + kind + data + struct.pack("!I", zlib.crc32(kind + data))
