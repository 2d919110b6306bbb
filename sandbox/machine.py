"""A machine as the rest of the product sees it, over a stream to the guest program.

Hides the guest. The same class serves every backend; a backend gives it a link, and hooks for what only the
backend knows (waking it, what a limit did, how to stop it).
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterable, Awaitable, Callable
from dataclasses import dataclass
from typing import Any

from .browser import Browser
from .desktop import Tunnel
from .guest.frames import Message
from .link import Call, Link
from .output import Output
from .parcel import GuestLuggage
from .types import READ_MAX, ExecResult, FileInfo, LimitReached, Limits


@dataclass(frozen=True, slots=True)
class Hooks:
    """What a backend knows of its machine. wake: called before each use. note: a sentence on a limit that was
    hit since it was last asked, else empty. stop: end the machine."""

    wake: Callable[[], Awaitable[None]]
    note: Callable[[], Awaitable[str]]
    stop: Callable[[], Awaitable[None]]


class GuestMachine:
    """A `Machine` whose guest is at the other end of a link."""

    def __init__(self, session_id: str, link: Link, limits: Limits, hooks: Hooks) -> None:
        self._session_id = session_id
        self._link = link
        self._limits = limits
        self._hooks = hooks

    @property
    def session_id(self) -> str:
        return self._session_id

    @property
    def lost(self) -> bool:
        return self._link.lost

    async def exec(
        self,
        command: str,
        *,
        timeout: float,
        cwd: str | None = None,
        on_output: Callable[[bytes], None] | None = None,
    ) -> ExecResult:
        output = Output(self._limits.output_bytes)
        request = {"op": "exec", "command": command, "cwd": cwd, "timeout": timeout}
        async with await self._call(request) as call:
            async for piece in call.pieces():
                output.add(piece)
                if on_output is not None:
                    on_output(piece)
            ended = await call.result()
        kept, hidden = output.kept()
        return ExecResult(
            exit_code=int(ended["exit_code"]),
            output=kept,
            hidden=hidden,
            timed_out=ended["stopped"] == "timeout",
            interrupted=ended["stopped"] == "interrupt",
            seconds=float(ended["seconds"]),
            note=str(ended["note"]) or await self._hooks.note(),
        )

    async def interrupt(self) -> None:
        async with await self._call({"op": "interrupt"}) as call:
            await call.result()

    async def read(self, path: str, *, offset: int = 0, limit: int = READ_MAX) -> bytes:
        if limit > READ_MAX:
            raise LimitReached(f"At most {READ_MAX} bytes are read at a time. Read on with an offset.")
        async with await self._call({"op": "read", "path": path, "offset": offset, "limit": limit}) as call:
            data = b"".join([piece async for piece in call.pieces()])
            await call.result()
        return data

    async def write(self, path: str, content: bytes | AsyncIterable[bytes], *, mode: int = 0o644) -> FileInfo:
        async with await self._call({"op": "write", "path": path, "mode": mode}) as call:
            sending = asyncio.create_task(send_all(call, content))
            answering = asyncio.create_task(call.result())
            try:
                await asyncio.wait({sending, answering}, return_when=asyncio.FIRST_COMPLETED)
                if not answering.done():
                    await sending
                    call.control({"done": True})
                return file_info(await answering)
            finally:
                sending.cancel()
                answering.cancel()

    async def list(self, path: str = ".") -> tuple[FileInfo, ...]:
        async with await self._call({"op": "list", "path": path}) as call:
            pieces = [json.loads(piece) async for piece in call.pieces()]
            await call.result()
        return tuple(file_info(entry) for piece in pieces for entry in piece["entries"])

    async def stat(self, path: str) -> FileInfo:
        async with await self._call({"op": "stat", "path": path}) as call:
            return file_info(await call.result())

    async def close(self) -> None:
        await self._hooks.stop()

    async def terminal(self, *, rows: int = 24, columns: int = 80) -> GuestTerminal:
        """Open an interactive shell (see `types.Terminals`)."""
        return GuestTerminal(await self._call({"op": "terminal", "rows": rows, "columns": columns}))

    async def desktop(self) -> Tunnel:
        """The screen's VNC stream (see `types.Desktops`)."""
        return Tunnel(await self._call({"op": "desktop"}))

    def browser(self) -> Browser:
        """The visual browser, started when first used (see `browser.Browsers`)."""
        return Browser(self._call)

    def luggage(self) -> GuestLuggage:
        """Its files, to be carried away or brought back (see `parcel.Portable`)."""
        return GuestLuggage(self._call)

    async def _call(self, request: Message) -> Call:
        await self._hooks.wake()
        return self._link.open(request)


class GuestTerminal:
    """A `Terminal` in a guest."""

    def __init__(self, call: Call) -> None:
        self._call = call
        self._pieces = call.pieces()
        self._shown = 0

    async def read(self) -> bytes:
        if self._shown:
            self._call.control({"shown": self._shown})
        piece = await anext(self._pieces, b"")
        self._shown = len(piece)
        return piece

    async def write(self, data: bytes) -> None:
        await self._call.send(data)

    async def resize(self, rows: int, columns: int) -> None:
        self._call.control({"resize": [rows, columns]})

    async def close(self) -> None:
        await self._call.__aexit__()


async def send_all(call: Call, content: bytes | AsyncIterable[bytes]) -> None:
    if isinstance(content, bytes):
        await call.send(content)
        return
    async for piece in content:
        await call.send(piece)


def file_info(entry: dict[str, Any]) -> FileInfo:
    return FileInfo(entry["path"], entry["kind"], entry["size"], entry["modified"], entry["mode"])
