"""Status cards that change often, shown as often as Slack allows: the last state always gets through.

One edit in three seconds a message; states in between are skipped; an end state is not held back.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field

import structlog

from bot.outgoing import StatusCard
from bot.surface import SurfaceError, Unavailable

EVERY = 3.0
_ENDS = ("done", "stopped", "failed")

log = structlog.get_logger(__name__)
Send = Callable[[StatusCard], Awaitable[None]]


@dataclass(slots=True)
class _Shown:
    last: StatusCard | None = None
    wanted: StatusCard | None = None
    sent: float = float("-inf")
    task: asyncio.Task[None] | None = None
    lock: asyncio.Lock = field(default_factory=asyncio.Lock)


class LiveCards:
    """Cards by message. `clock` in seconds; `sleep` waits that many."""

    def __init__(
        self,
        clock: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
    ) -> None:
        self._clock, self._sleep = clock, sleep
        self._cards: dict[str, _Shown] = {}

    async def show(self, message: str, card: StatusCard, send: Send) -> None:
        """Have `send` show the card, soon. An end state is shown before this returns; raises SurfaceError then."""
        shown = self._cards.setdefault(message, _Shown())
        if card.state in _ENDS:
            await self.drop(message)
            async with shown.lock:
                await send(card)
            return
        if card == shown.last and shown.wanted is None:
            return
        shown.wanted = card
        if shown.task is None or shown.task.done():
            shown.task = asyncio.create_task(self._run(shown, send))

    async def drop(self, message: str) -> None:
        """Forget what was still to be shown of a message; what is being sent ends first."""
        shown = self._cards.pop(message, None)
        if shown is None:
            return
        shown.wanted = None
        if shown.task is not None and not shown.task.done():
            async with shown.lock:
                shown.task.cancel()

    async def close(self) -> None:
        """Stop showing."""
        tasks = [shown.task for shown in self._cards.values() if shown.task is not None]
        self._cards.clear()
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    async def _run(self, shown: _Shown, send: Send) -> None:
        while shown.wanted is not None:
            wait = shown.sent + EVERY - self._clock()
            if wait > 0:
                await self._sleep(wait)
                continue
            async with shown.lock:
                card = _take(shown)
                if card is None:
                    return
                pause = await self._try(shown, card, send)
            if pause:
                shown.wanted = shown.wanted or card
                await self._sleep(pause)

    async def _try(self, shown: _Shown, card: StatusCard, send: Send) -> float:
        """Show the card now. Returns seconds to wait before it is tried again; 0.0 when that is not wanted."""
        shown.sent = self._clock()
        try:
            await send(card)
        except Unavailable as error:
            return max(0.5, error.retry_after)
        except SurfaceError as error:
            log.warning("slack status card not shown", why=str(error))
        shown.last = card
        return 0.0


def _take(shown: _Shown) -> StatusCard | None:
    """What is to be shown now; None when it was dropped meanwhile."""
    card, shown.wanted = shown.wanted, None
    return card
