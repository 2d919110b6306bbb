"""The line to a virtual machine monitor (QMP), on a socket that only this process holds.

Hides its JSON: one command at a time, events in between are passed over.
"""

from __future__ import annotations

import asyncio
import json
import os
import socket
from dataclasses import dataclass, field
from typing import Any

from .types import MachineError, MachineUnavailable

ANSWER_SECONDS = 20.0


@dataclass(slots=True)
class Monitor:
    reader: asyncio.StreamReader
    writer: asyncio.StreamWriter
    turn: asyncio.Lock = field(default_factory=asyncio.Lock)
    greeted: bool = False

    async def ask(self, command: str, **arguments: Any) -> Any:
        """The answer to a command. Raises MachineError."""
        return await self._in_turn(command, arguments, ())

    async def lend(self, name: str, descriptor: int) -> None:
        """Give qemu an open file, which it then knows by a name. Raises MachineError."""
        await self._in_turn("getfd", {"fdname": name}, (descriptor,))

    async def _in_turn(self, command: str, arguments: dict[str, Any], files: tuple[int, ...]) -> Any:
        async with self.turn:
            try:
                async with asyncio.timeout(ANSWER_SECONDS):
                    if not self.greeted:
                        await self.reader.readline()
                        await self._ask("qmp_capabilities", {}, ())
                        self.greeted = True
                    return await self._ask(command, arguments, files)
            except (OSError, TimeoutError, ValueError) as error:
                raise MachineUnavailable(f"qemu did not answer to {command}: {error}") from error

    async def _ask(self, command: str, arguments: dict[str, Any], files: tuple[int, ...]) -> Any:
        request = json.dumps({"execute": command, "arguments": arguments}).encode() + b"\n"
        if files:
            with socket.socket(fileno=os.dup(self.writer.get_extra_info("socket").fileno())) as same:
                socket.send_fds(same, [request], files)
        else:
            self.writer.write(request)
            await self.writer.drain()
        while True:
            answer: dict[str, Any] = json.loads(await self.reader.readline())
            if "error" in answer:
                raise MachineError(f"qemu refused {command}: {answer['error']['desc']}")
            if "return" in answer:
                return answer["return"]
