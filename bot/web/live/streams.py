"""The screen and the terminal as WebSockets: who sees them, who types, and when they end.

Hides the relay. A stream lives only as long as its reasons: it ends when the machine rests, when somebody else takes
it over, when the holder gives it back, when a right is lost. Nothing that passes here is logged or kept.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import Awaitable, Callable
from contextlib import suppress
from dataclasses import dataclass
from typing import Protocol

from starlette.websockets import WebSocket, WebSocketDisconnect

from bot.floor import Floor
from bot.store import StoreError
from bot.surface import SurfaceError
from bot.web.live.access import Admitted, Denied
from bot.web.live.guard import Guard
from bot.web.live.rfb import Filter, NotUnderstood
from sandbox.browser import Act, Browser
from sandbox.types import Machine, MachineError, Stream, Terminal

NOT_YOURS, CURTAIN, ASLEEP, OFF, BROKEN = 4401, 4402, 4403, 4404, 4405
"""Why a stream ended, as the page reads it."""
RECHECK, OPENING = 60.0, 60.0
TYPED_MOST = 64 * 1024
ROWS_MOST = 500


class Screened(Protocol):
    """A machine with a screen and a browser on it."""

    async def desktop(self) -> Stream: ...

    def browser(self) -> Browser: ...

    async def terminal(self, *, rows: int = 24, columns: int = 80) -> Terminal: ...


class Lendable(Protocol):
    """A session's computer as the live page uses it (bot.machines.SessionComputer)."""

    @property
    def floor(self) -> Floor: ...

    @property
    def awake(self) -> Machine | None: ...

    async def lent_machine(self) -> Machine: ...


class Ended(Exception):
    """A stream's end, with the reason for the page."""

    def __init__(self, code: int, reason: str = "") -> None:
        super().__init__(reason)
        self.code = code


@dataclass(frozen=True, slots=True)
class Streams:
    """Relays for one process. `computer`: a session's, if this process has it."""

    guard: Guard
    computer: Callable[[Admitted], Lendable | None]

    async def screen(self, socket: WebSocket) -> None:
        """The screen: shown to whoever may look, moved by whoever has it."""
        await self._served(socket, self._screen)

    async def terminal(self, socket: WebSocket) -> None:
        """A shell of its own for whoever has the machine."""
        await self._served(socket, self._terminal)

    async def _served(
        self, socket: WebSocket, serve: Callable[[WebSocket, Admitted, Lendable], Awaitable[None]]
    ) -> None:
        """Accept if the person may, and end with a reason."""
        if not self.guard.own(socket):
            await socket.close(1008)
            return
        await socket.accept()
        ended = Ended(BROKEN, "The connection ended.")
        try:
            admitted = await self.guard.admit(socket)
            computer = self.computer(admitted)
            if computer is None:
                raise Ended(OFF, "The machine is not in this process.")
            await serve(socket, admitted, computer)
        except TimeoutError:
            ended = Ended(ASLEEP, "The machine sleeps.")
        except Ended as error:
            ended = error
        except Denied as denied:
            ended = Ended(NOT_YOURS, str(denied))
        except (MachineError, NotUnderstood) as error:
            ended = Ended(OFF, str(error))
        except (SurfaceError, StoreError):
            ended = Ended(BROKEN, "The chat does not answer at the moment.")
        except WebSocketDisconnect:
            return
        with suppress(RuntimeError, OSError, WebSocketDisconnect):
            await socket.close(ended.code, str(ended)[:100])

    async def _screen(self, socket: WebSocket, admitted: Admitted, computer: Lendable) -> None:
        person, floor = admitted.person.id, computer.floor
        holds = floor.holder == person
        async with asyncio.timeout(OPENING):
            stream = await _open_screen(computer, holds=holds)
        passing = Filter(lambda: floor.holder == person)

        async def up() -> None:
            while True:
                data = passing.feed(await socket.receive_bytes())
                if data:
                    await stream.write(data)

        async def down() -> None:
            while data := await stream.read():
                if floor.curtained(person):
                    raise Ended(CURTAIN, "Somebody has the screen.")
                await socket.send_bytes(data)
            raise Ended(OFF, "The screen was switched off.")

        try:
            await _first(up(), down(), self._watch(socket, floor, person, holds=holds))
        finally:
            await stream.close()

    async def _terminal(self, socket: WebSocket, admitted: Admitted, computer: Lendable) -> None:
        person, floor = admitted.person.id, computer.floor
        if floor.holder != person:
            raise Ended(NOT_YOURS, "Take over first: the terminal is for whoever has the machine.")
        machine = _screened(await computer.lent_machine())
        shell = await machine.terminal()

        async def up() -> None:
            while True:
                message = await socket.receive()
                if message["type"] == "websocket.disconnect":
                    raise WebSocketDisconnect
                if floor.holder != person:
                    raise Ended(NOT_YOURS, "You gave the machine back.")
                if (typed := message.get("bytes")) is not None:
                    await shell.write(typed[:TYPED_MOST])
                elif (said := message.get("text")) is not None:
                    await shell.resize(*_size(said))

        async def down() -> None:
            while data := await shell.read():
                await socket.send_bytes(data)
            raise Ended(OFF, "The shell has ended.")

        try:
            await _first(up(), down(), self._watch(socket, floor, person, holds=True))
        finally:
            await shell.close()

    async def _watch(self, socket: WebSocket, floor: Floor, person: str, *, holds: bool) -> None:
        """Ends the stream when it has no reason any more."""
        while True:
            if floor.curtained(person):
                raise Ended(CURTAIN, "Somebody has the screen.")
            if holds != (floor.holder == person):
                raise Ended(NOT_YOURS, "The machine changed hands.")
            if floor.asleep:
                raise Ended(ASLEEP, "The machine sleeps.")
            with suppress(TimeoutError):
                await asyncio.wait_for(floor.changed(), RECHECK)
                continue
            await self.guard.admit(socket)


async def _open_screen(computer: Lendable, *, holds: bool) -> Stream:
    """The screen's stream. Looking switches nothing on; whoever has the machine gets the browser opened."""
    if holds:
        machine = _screened(await computer.lent_machine())
        if not await machine.browser().running():
            await machine.browser().act(Act("outline"))
        return await machine.desktop()
    if computer.floor.holder:
        raise Ended(CURTAIN, "Somebody has the screen.")
    awake = computer.awake
    if awake is None:
        raise Ended(ASLEEP, "The machine sleeps.")
    machine = _screened(awake)
    if not await machine.browser().running():
        raise Ended(OFF, "The screen is off; it goes on when it is needed.")
    return await machine.desktop()


def _screened(machine: Machine) -> Screened:
    if not all(hasattr(machine, name) for name in ("desktop", "browser", "terminal")):
        raise Ended(OFF, "This machine has no screen.")
    return machine  # pyright: ignore[reportReturnType] (just looked)


def _size(said: str) -> tuple[int, int]:
    """Rows and columns as the page says them."""
    try:
        rows, columns = json.loads(said)["resize"]
        return min(max(int(rows), 1), ROWS_MOST), min(max(int(columns), 1), ROWS_MOST)
    except (ValueError, KeyError, TypeError) as error:
        raise Ended(BROKEN, "The page was not understood.") from error


async def _first(*works: Awaitable[None]) -> None:
    """Run all until the first ends; its error is raised, the others are cancelled."""
    tasks = [asyncio.ensure_future(work) for work in works]
    try:
        done, _ = await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
        for task in done:
            task.result()
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
