"""Letters that arrive together are put in their inboxes together.

Hides that a burst of mentions is a burst of tiny transactions: on SQLite they share one, whose statements serve all of
them. A caller goes on once its own letter is on disk; a letter that cannot be stored fails alone.
"""

from __future__ import annotations

import asyncio
from collections import deque

from sqlalchemy import Connection

from bot.store import posts
from bot.store.database import Database
from bot.store.errors import StoreDown
from bot.store.posts import Letter
from bot.store.rows import Receipt

TOGETHER = 256
"""Letters in one transaction at most."""

_Waiting = tuple[Letter, asyncio.Future[Receipt]]


class Mailroom:
    """One store's."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._waiting: deque[_Waiting] = deque()
        self._working: asyncio.Task[None] | None = None

    async def post(self, letter: Letter) -> Receipt:
        """Put it in its inbox. Raises StoreDown. It is delivered also when the caller has gone meanwhile."""
        receipt: asyncio.Future[Receipt] = asyncio.get_running_loop().create_future()
        self._waiting.append((letter, receipt))
        if self._working is None or self._working.done():
            self._working = asyncio.create_task(self._deliver(), name="mailroom")
        return await receipt

    async def close(self) -> None:
        """Deliver what waits."""
        if self._working is not None:
            await self._working

    async def _deliver(self) -> None:
        while self._waiting:
            batch = [self._waiting.popleft() for _ in range(min(len(self._waiting), TOGETHER))]
            try:
                receipts = await self._write([letter for letter, _ in batch])
            except StoreDown as error:
                for _, receipt in batch:
                    _fail(receipt, error)
            except Exception:  # noqa: BLE001 (one of them cannot be stored: find out which)
                for letter, receipt in batch:
                    await self._alone(letter, receipt)
            else:
                for (_, waiting), receipt in zip(batch, receipts, strict=True):
                    if not waiting.done():
                        waiting.set_result(receipt)

    async def _alone(self, letter: Letter, waiting: asyncio.Future[Receipt]) -> None:
        try:
            [receipt] = await self._write([letter])
        except Exception as error:  # noqa: BLE001 (the caller gets it)
            _fail(waiting, error)
        else:
            if not waiting.done():
                waiting.set_result(receipt)

    async def _write(self, letters: list[Letter]) -> list[Receipt]:
        def work(connection: Connection) -> list[Receipt]:
            return posts.deliver_all(self._database, connection, letters)

        return await self._database.write(work, again=True)


def _fail(waiting: asyncio.Future[Receipt], error: Exception) -> None:
    if not waiting.done():
        waiting.set_exception(error)
