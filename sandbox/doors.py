"""What a machine may reach on the host: the sockets of its spec, over the guest's own stream.

Hides that a machine elsewhere cannot have the host's sockets. A guest opens a channel to a door by name; any other
name, too many channels at once, or a channel that breaks the rules is refused, and nothing else of the host is offered.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from pathlib import Path

from .guest.carry import CARRIED_MAX, Carried
from .guest.frames import END, OPEN, Frame, encode_message
from .types import MachineSpec

GATE, BROKER = "gate", "broker"
CONNECTING_MAX = 16
"""Connections begun at a time: a socket's queue is short, and what does not fit is lost."""


def offered(spec: MachineSpec) -> dict[str, Path]:
    """The doors of a machine: name and socket on the host."""
    doors: dict[str, Path] = {}
    if spec.egress:
        doors[GATE] = spec.egress.socket
    if spec.broker:
        doors[BROKER] = spec.broker
    return doors


class Doors:
    """The host's end of one machine's doors; `line` is the stream to its guest."""

    def __init__(self, line: asyncio.StreamWriter, offered: Mapping[str, Path]) -> None:
        self._line = line
        self._offered = offered
        self._carried: dict[int, Carried] = {}
        self._tasks: set[asyncio.Task[None]] = set()
        self._connecting = asyncio.Semaphore(CONNECTING_MAX)

    async def take(self, frame: Frame) -> None:
        """What came on a channel that the guest opened. Waits only where the guest takes no refusal."""
        carried = self._carried.get(frame.channel)
        if frame.kind != OPEN:
            if carried:
                carried.take(frame)
            return
        socket = self._offered.get(str(frame.message().get("door")))
        if carried:
            carried.abort()
        elif socket is None:
            await self._refuse(frame.channel, "There is no such door.")
        elif len(self._tasks) >= CARRIED_MAX:
            await self._refuse(frame.channel, f"{CARRIED_MAX} connections are open already.")
        else:
            # Known at once: the next frames may be here already.
            carried = self._carried[frame.channel] = Carried(frame.channel, self._line)
            task = asyncio.create_task(self._carry(carried, socket))
            self._tasks.add(task)
            task.add_done_callback(self._tasks.discard)
            task.add_done_callback(lambda _, number=frame.channel: self._carried.pop(number, None))

    def cut(self) -> None:
        """End every connection."""
        for task in self._tasks:
            task.cancel()

    async def ended(self) -> None:
        """Wait until those that were cut have ended."""
        await asyncio.gather(*self._tasks, return_exceptions=True)

    async def _refuse(self, number: int, why: str) -> None:
        self._line.write(encode_message(END, number, {"error": "door", "message": why}))
        await self._line.drain()

    async def _carry(self, carried: Carried, socket: Path) -> None:
        try:
            async with self._connecting:
                reader, writer = await asyncio.open_unix_connection(str(socket))
        except OSError:
            carried.end(whole=False)
        else:
            await carried.run(reader, writer)
