"""Running one command and sending what it prints while it runs.

Hides when a command is over: it is when its shell has ended and what it had printed is through, though a
program it left in the background may hold the output open.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field

from .confine import Confinement
from .files import Refused
from .frames import CHUNK, Message
from .processes import Processes, Program, Running
from .terminal import ready

SHELL = "/bin/bash"
QUIET = 0.05

Send = Callable[[bytes], Awaitable[None]]


@dataclass(slots=True)
class Execution:
    """One command. `stopped` says why it was ended early: 'timeout', 'interrupt', 'disk', or None."""

    processes: Processes
    running: Running
    output: int
    send: Send
    stopped: str | None = None
    live: bool = True
    arrived: asyncio.Event = field(default_factory=asyncio.Event)

    async def stop(self, why: str) -> None:
        if self.live:
            self.stopped = self.stopped or why
            await self.processes.kill(self.running)

    async def pump(self) -> None:
        """Send output as it comes; once the command is over, let its background programs print to nowhere."""
        try:
            while True:
                await ready(self.output, reading=True)
                try:
                    data = os.read(self.output, CHUNK)
                except BlockingIOError:
                    continue
                if not data:
                    return
                if self.live:
                    self.arrived.set()
                    await self.send(data)
        finally:
            os.close(self.output)

    async def result(self, timeout: float) -> Message:
        begun = time.monotonic()
        pump = asyncio.create_task(self.pump())
        try:
            try:
                code = await asyncio.wait_for(asyncio.shield(self.running.ended), timeout)
            except TimeoutError:
                await self.stop("timeout")
                code = await self.running.ended
            seconds = time.monotonic() - begun
            await self.settle(pump)
            return {"exit_code": code, "stopped": self.stopped, "seconds": seconds}
        finally:
            if not self.running.ended.done():
                await self.stop("interrupt")
            self.live = False
            pump.add_done_callback(lambda task: task.cancelled() or task.exception())

    async def settle(self, pump: asyncio.Task[None]) -> None:
        """Wait for output that was written before the end: until its end, or until it is quiet."""
        for _ in range(20):
            self.arrived.clear()
            done, _ = await asyncio.wait({pump}, timeout=QUIET)
            if done or not self.arrived.is_set():
                return


def begin(
    processes: Processes, confinement: Confinement, request: Message, environment: dict[str, str], send: Send
) -> Execution:
    output, theirs = os.pipe2(os.O_CLOEXEC)
    os.set_blocking(output, False)
    nothing = os.open("/dev/null", os.O_RDONLY)
    try:
        argv = [SHELL, "-c", str(request["command"])]
        program = Program(argv, environment, str(request["cwd"]), nothing, theirs)
        running = processes.start(program, confinement)
    except BlockingIOError as error:
        os.close(output)
        raise Refused("limit", "Too many programs run already. Stop some, or interrupt them.") from error
    except BaseException:
        os.close(output)
        raise
    finally:
        with contextlib.suppress(OSError):
            os.close(theirs)
            os.close(nothing)
    return Execution(processes, running, output, send)
