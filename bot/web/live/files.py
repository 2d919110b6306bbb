"""The machine's files on the live page: listed and downloaded by those the session works for, added by who holds it."""

from __future__ import annotations

import asyncio
import posixpath
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote

from starlette.requests import Request
from starlette.responses import JSONResponse, Response, StreamingResponse

from bot.agent.bringer import safe_name
from bot.web.live.access import Admitted, Denied
from bot.web.live.streams import Lendable
from sandbox.types import HOME, READ_MAX, FileInfo, Machine, MachineError, NotFound

SHOWN_MOST = 1000
CHUNK = 1024 * 1024
PATIENCE = 20.0
FELL_ASLEEP = "The machine fell asleep meanwhile. Its files are here again when it works, or when you take over."


@dataclass(frozen=True, slots=True)
class FilesView:
    """Handlers for one process. `most`: bytes of one upload."""

    computer: Callable[[Admitted], Lendable | None]
    most: int

    async def listing(self, request: Request, admitted: Admitted) -> Response:
        """A folder, as JSON."""
        machine = await self._machine(admitted)
        path = request.query_params.get("path", "") or HOME
        try:
            async with asyncio.timeout(PATIENCE):
                found = await machine.list(path)
        except MachineError as error:
            raise _refused(error) from error
        except TimeoutError:
            raise Denied(FELL_ASLEEP, 409) from None
        entries = [_entry(one) for one in found[:SHOWN_MOST]]
        return JSONResponse({"path": _inside(path), "entries": entries, "more": len(found) > SHOWN_MOST})

    async def download(self, request: Request, admitted: Admitted) -> Response:
        """A file, always as an attachment: a page among the machine's files must never run as ours."""
        machine = await self._machine(admitted)
        path = request.query_params.get("path", "")
        try:
            async with asyncio.timeout(PATIENCE):
                info = await machine.stat(path)
                first = await machine.read(path, limit=min(CHUNK, READ_MAX))
        except MachineError as error:
            raise _refused(error) from error
        except TimeoutError:
            raise Denied(FELL_ASLEEP, 409) from None
        headers = {"Content-Disposition": f"attachment; filename*=UTF-8''{quote(info.name)}"}
        return StreamingResponse(_rest(machine, path, first), media_type="application/octet-stream", headers=headers)

    async def upload(self, request: Request, admitted: Admitted) -> Response:
        """A new file in a folder; an older one of that name is replaced."""
        computer = self.computer(admitted)
        if computer is None or computer.floor.holder != admitted.person.id:
            raise Denied("Take over first: files are added by whoever has the machine.")
        folder, name = request.query_params.get("path", "") or HOME, request.query_params.get("name", "")
        machine = await computer.lent_machine()
        try:
            info = await machine.write(posixpath.join(folder, safe_name(name)), _limited(request, self.most))
        except MachineError as error:
            raise _refused(error) from error
        return JSONResponse(_entry(info))

    async def _machine(self, admitted: Admitted) -> Machine:
        if not admitted.partner:
            raise Denied("Only those it works for see its files.")
        computer = self.computer(admitted)
        if computer is None:
            raise Denied("The machine is not in this process.", 409)
        if computer.floor.curtained(admitted.person.id):
            raise Denied("Somebody else has the machine at the moment.", 409)
        if computer.floor.holder:
            return await computer.lent_machine()
        if computer.awake is None:
            raise Denied("The machine sleeps. Its files are here again when it works, or when you take over.", 409)
        return computer.awake


def _refused(error: MachineError) -> Denied:
    return Denied(str(error), 404 if isinstance(error, NotFound) else 409)


def _entry(info: FileInfo) -> dict[str, Any]:
    return {"name": info.name, "path": info.path, "kind": info.kind, "size": info.size, "modified": info.modified}


def _inside(path: str) -> str:
    return posixpath.normpath(posixpath.join(HOME, path))


async def _rest(machine: Machine, path: str, first: bytes) -> AsyncIterator[bytes]:
    piece, offset = first, 0
    while piece:
        yield piece
        offset += len(piece)
        piece = await machine.read(path, offset=offset, limit=CHUNK)


async def _limited(request: Request, most: int) -> AsyncIterator[bytes]:
    size = 0
    async for piece in request.stream():
        size += len(piece)
        if size > most:
            raise Denied(f"At most {most // 2**20} MiB can be uploaded.", 413)
        if piece:
            yield piece
