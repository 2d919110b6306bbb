"""What a session keeps, as one parcel: the agent's home and the browser's folder, out of the machine and back in.

Hides where the two are, and the mark beside the browser's files by which a machine is known again: whoever finds
another mark, or none, knows that this is not the machine it was.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
from collections.abc import AsyncIterator, Generator
from dataclasses import dataclass

from .desktop import BROWSER_HOME, Desktop, Talk
from .disk import Disk
from .files import Home, Refused
from .frames import DATA, Message
from .pack import BLOCK, MARK, Packing
from .unpack import Unpacking

NAMED_MOST = 20
"""How many of the files that were left out are named."""
BROWSER_SECONDS = 5.0


@dataclass(frozen=True, slots=True)
class Parcel:
    """The operations of one guest: pack, unpack, and the mark that tells whose machine this is."""

    home: Home
    disk: Disk
    desktop: Desktop

    async def pack(self, talk: Talk, request: Message) -> None:
        """Send everything worth keeping, at most `limit` bytes of it; the end names what was left out."""
        await self.tell_browser("keep", talk)
        with opened(self.home.root) as roots:
            packing = Packing(roots, int(request["limit"]))
            for item in await packing.items():
                for piece in packing.pieces(item):
                    if piece:
                        await talk.send(piece)
            await talk.send(bytes(2 * BLOCK))
        left = [{"path": item.shown, "size": item.status.st_size} for item in packing.left[:NAMED_MOST]]
        counts = {"files": packing.files, "home_files": packing.home_files, "left_count": len(packing.left)}
        await talk.end({**counts, "left": left})

    async def settle(self, talk: Talk, request: Message) -> None:
        """End the browser properly, so that all that its pages stored is on the disk."""
        await self.tell_browser("leave", talk)
        await talk.end({})

    async def tell_browser(self, word: str, talk: Talk) -> None:
        """One that does not run has nothing to keep; one that leaves does not answer."""
        driver = self.desktop.driver
        if driver is not None and not driver.gone:
            with contextlib.suppress(Refused, TimeoutError):
                await asyncio.wait_for(driver.ask({"do": word}, talk), BROWSER_SECONDS)

    async def unpack(self, talk: Talk, request: Message) -> None:
        """Put a stream's files where they belong; `over`: also where others are."""
        agent = (self.home.uid, self.home.gid)
        owners = {"home": agent, "browser": (self.desktop.uid, self.desktop.uid)}
        with opened(self.home.root) as roots:
            unpacking = Unpacking(roots, owners, self.disk, arriving(talk), bool(request["over"]))
            await unpacking.all()
        await talk.end({"files": unpacking.files})

    async def mark(self, talk: Talk, request: Message) -> None:
        """Write the mark if one is given; say which there is, and whether the home holds anything."""
        path = f"{BROWSER_HOME}/{MARK}"
        if "set" in request:
            write(path, json.dumps(request["set"]))
        mark: object = None
        with contextlib.suppress(OSError, ValueError):
            mark = json.loads(read(path))
        await talk.end({"mark": mark, "empty": not os.listdir(self.home.root)})


@contextlib.contextmanager
def opened(home: str) -> Generator[dict[str, int]]:
    """The two roots, opened."""
    roots = {"home": os.open(home, os.O_PATH | os.O_DIRECTORY)}
    try:
        roots["browser"] = os.open(BROWSER_HOME, os.O_PATH | os.O_DIRECTORY)
        yield roots
    finally:
        for descriptor in roots.values():
            os.close(descriptor)


async def arriving(talk: Talk) -> AsyncIterator[bytes]:
    """What the host sends until it says that this is all."""
    while (frame := await talk.incoming.get()).kind == DATA:
        yield frame.payload
    if frame.message().get("stop"):
        raise Refused("path", "Unpacking was broken off.")


def write(path: str, text: str) -> None:
    """Replace a file as a whole."""
    with open(f"{path}.part", "w", opener=lambda name, flags: os.open(name, flags, 0o600)) as file:
        file.write(text)
    os.replace(f"{path}.part", path)


def read(path: str) -> str:
    with open(path) as file:
        return file.read()
