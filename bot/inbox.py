"""The one way in: whatever a surface hears is stored first, then rung for. Nothing is acknowledged before."""

from __future__ import annotations

from collections.abc import Awaitable, Callable

from bot.heard import Heard, Thread
from bot.store import Receipt, Store

Ring = Callable[[str, int], Awaitable[None]]


class Inbox:
    """Posts into sessions' inboxes."""

    def __init__(self, store: Store, ring: Ring, count: Callable[[str], None] = lambda _: None) -> None:
        self._store, self._ring, self._count = store, ring, count

    async def post(self, thread: Thread, heard: Heard, key: str, *, opens: bool) -> Receipt:
        """Store it once per key and ring its session. Raises StoreError when it is not stored: do not acknowledge."""
        receipt = await self._store.post(thread, heard, key, opens=opens)
        self._count(receipt.state)
        if receipt.state in ("stored", "duplicate"):
            await self._ring(receipt.session, receipt.number)
        return receipt
