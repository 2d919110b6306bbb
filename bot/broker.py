"""The host's end of `hand`: a Unix socket per session, one line of JSON in, one line out.

Hides the wire. Who answers changes: while the session runs a command its loop does, otherwise nobody.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import logging
import os
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pydantic import TypeAdapter, ValidationError

log = logging.getLogger(__name__)

LINE_MOST = 64 * 1024
CONNECTIONS_MOST = 8
HELLO_SECONDS = 10.0
NOBODY = "The session is not running a command at the moment, so nothing can be asked of it. Use hand within a command."


@dataclass(frozen=True, slots=True)
class Said:
    """The answer to a program."""

    ok: bool
    output: str


Answer = Callable[[str, dict[str, Any]], Awaitable[Said]]
"""(word, arguments) to what the program reads; cancelled when the program has gone."""

_REQUEST: TypeAdapter[dict[str, Any]] = TypeAdapter(dict[str, Any])


class Broker:
    """One session's. `answer` is who answers now."""

    def __init__(self, socket: Path) -> None:
        self.socket = socket
        self.answer: Answer | None = None
        self._server: asyncio.Server | None = None
        self._open: set[asyncio.Task[None]] = set()

    async def start(self) -> None:
        """Listen. Raises OSError."""
        self._server = await asyncio.start_unix_server(self._accept, str(self.socket), limit=LINE_MOST)
        # The machine's users have other ids; on the host the folder keeps strangers away.
        await asyncio.to_thread(os.chmod, self.socket, 0o666)

    async def close(self) -> None:
        """End it and every conversation."""
        if self._server is not None:
            self._server.close()
        tasks = list(self._open)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        self.socket.unlink(missing_ok=True)

    async def _accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        if task is None or len(self._open) >= CONNECTIONS_MOST:
            writer.close()
            return
        self._open.add(task)
        try:
            said = await self._converse(reader)
            writer.write(json.dumps({"ok": said.ok, "output": said.output}).encode() + b"\n")
            await writer.drain()
        except (OSError, TimeoutError, asyncio.IncompleteReadError, asyncio.LimitOverrunError):
            return
        finally:
            self._open.discard(task)
            writer.close()

    async def _converse(self, reader: asyncio.StreamReader) -> Said:
        line = await asyncio.wait_for(reader.readuntil(b"\n"), HELLO_SECONDS)
        try:
            asked = _REQUEST.validate_json(line)
            word, arguments = str(asked["do"]), _REQUEST.validate_python(asked.get("arguments", {}))
        except (ValidationError, KeyError):
            return Said(False, "This was not understood.")
        if self.answer is None:
            return Said(False, NOBODY)
        answering = asyncio.ensure_future(self.answer(word, arguments))
        leaving = asyncio.create_task(reader.read(1))
        try:
            await asyncio.wait({answering, leaving}, return_when=asyncio.FIRST_COMPLETED)
            if answering.done() and not answering.cancelled():
                return answering.result()
            return Said(False, "The session stopped before it answered.")
        finally:
            for task in (answering, leaving):
                task.cancel()
                with contextlib.suppress(asyncio.CancelledError, Exception):
                    await task
