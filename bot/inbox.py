"""The one way in: whatever a surface hears is stored first, then rung for. Nothing is acknowledged before.

In a burst of mentions everybody is heard first: the work on new sessions begins when the burst pauses, for what a
working session does would delay the acknowledgement of those that are still coming.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable

from bot.heard import Heard, Thread
from bot.store import Receipt, Store

Ring = Callable[[str, int], Awaitable[None]]

PAUSE_SECONDS = 0.03
"""Without a message for so long, a burst is over."""
BURST_SECONDS = 1.0
"""A new session's work begins after so long at the latest."""


class Inbox:
    """Posts into sessions' inboxes. Close it: it rings for what is left."""

    def __init__(self, store: Store, ring: Ring, count: Callable[[str], None] = lambda _: None) -> None:
        self._store, self._ring, self._count = store, ring, count
        self._coming = 0
        self._arrived = 0
        self._new: dict[str, int] = {}
        self._ringing: asyncio.Task[None] | None = None

    async def post(self, thread: Thread, heard: Heard, key: str, *, opens: bool) -> Receipt:
        """Store it once per key and ring its session. Raises StoreError when it is not stored: do not acknowledge."""
        self._coming, self._arrived = self._coming + 1, self._arrived + 1
        try:
            receipt = await self._store.post(thread, heard, key, opens=opens)
        finally:
            self._coming -= 1
        self._count(receipt.state)
        if receipt.state in ("stored", "duplicate"):
            if receipt.number > 1:
                await self._ring(receipt.session, receipt.number)
            else:
                self._later(receipt)
        return receipt

    async def close(self) -> None:
        """Ring for what is left."""
        if self._ringing is not None:
            await self._ringing

    def _later(self, receipt: Receipt) -> None:
        self._new[receipt.session] = receipt.number
        if self._ringing is None or self._ringing.done():
            self._ringing = asyncio.create_task(self._after_the_burst(), name="inbox rings")

    async def _after_the_burst(self) -> None:
        end, before = time.monotonic() + BURST_SECONDS, -1
        while (self._coming or self._arrived != before) and time.monotonic() < end:
            before = self._arrived
            await asyncio.sleep(PAUSE_SECONDS)
        while self._new:
            session = next(iter(self._new))
            await self._ring(session, self._new.pop(session))
