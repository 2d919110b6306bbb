"""What befalls a deployment while people talk to it: processes killed and paused, connections cut, servers lost.

Each blow falls when so many messages were answered, so that every one of them meets a deployment at work.
"""

from __future__ import annotations

import asyncio
import signal
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass

from tests.chaos.talk import Talk
from tests.support.deployment import Process

Blow = Callable[[], Awaitable[object]]


@dataclass
class Killer:
    """kill -9 in turn, each process started again at once. Counts what it did."""

    processes: Sequence[Process]
    kills: int = 0
    pauses: int = 0

    async def kill(self) -> None:
        """The next one dies."""
        process = self.processes[self.kills % len(self.processes)]
        self.kills += 1
        await process.kill()
        await process.start()

    def pause(self, seconds: float) -> Blow:
        """The next one stands still for so long (past its lease), then goes on as if nothing had happened."""

        async def still() -> None:
            process = self.processes[self.pauses % len(self.processes)]
            self.pauses += 1
            process.signal(signal.SIGSTOP)
            await asyncio.sleep(seconds)
            process.signal(signal.SIGCONT)

        return still


async def strike(talk: Talk, blows: Sequence[Blow], until: int) -> None:
    """All blows, one after the other, spread evenly over the first `until` answers."""
    for place, blow in enumerate(blows):
        await talk.until_answered(place * until // len(blows))
        await blow()


def mixed(*kinds: Sequence[Blow]) -> list[Blow]:
    """Blows of several kinds, each kind spread evenly over the whole."""
    placed = [((place + 0.5) / len(kind), blow) for kind in kinds for place, blow in enumerate(kind)]
    return [blow for _, blow in sorted(placed, key=lambda pair: pair[0])]
