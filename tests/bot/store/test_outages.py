"""PostgreSQL is killed and comes back: everything goes on by itself and nothing is written twice."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator

import pytest

from bot.store import Busy, Fenced, Lease, Store, StoreDown
from tests.bot.store.makers import leased, message, note, opened, thread
from tests.support.servers import PostgresServer, postgres_server
from tests.support.waiting import until

pytestmark = pytest.mark.slow


@pytest.fixture
async def server() -> AsyncGenerator[PostgresServer]:
    """A cluster of our own to be cruel to."""
    async with postgres_server() as server:
        yield server


@pytest.fixture
async def store(server: PostgresServer) -> AsyncGenerator[Store]:
    store = await Store.open(await server.database())
    yield store
    await store.close()


async def test_after_a_crash_of_the_database_the_next_call_simply_works(store: Store, server: PostgresServer) -> None:
    where = thread()
    lease = await leased(store, await opened(store, where, "k1"))
    await lease.append(note("before"))
    for number in (2, 3):
        await server.restart()
        assert (await store.post(where, message(), f"k{number}", opens=False)).number == number
        await lease.append(note("after"))
    assert len(await lease.load()) == 3
    assert await store.verify(where.session) is None


async def test_while_the_database_is_away_callers_are_told_and_a_retried_post_counts_once(
    store: Store, server: PostgresServer
) -> None:
    where = thread()
    await opened(store, where, "k1")
    await server.kill()
    with pytest.raises(StoreDown, match="cannot be reached"):
        await store.post(where, message(), "k2", opens=False)
    await server.start()
    assert (await store.post(where, message(), "k2", opens=False)).number == 2
    assert await store.news([where.session]) == {where.session: 2}


class Writer:
    """A worker that counts into a session's journal, and goes on after whatever happens."""

    def __init__(self, store: Store, session: str) -> None:
        self._store, self._session = store, session
        self.written = 0
        self.stop = asyncio.Event()

    async def run(self) -> None:
        while not self.stop.is_set():
            try:
                lease = await self._store.acquire(self._session, "w", 1)
                if isinstance(lease, Busy):
                    await asyncio.sleep(0.05)
                elif lease is not None:
                    await self._write(lease)
            except (StoreDown, Fenced):
                continue

    async def _write(self, lease: Lease) -> None:
        self.written = len(await lease.load())
        while not self.stop.is_set():
            if await self._store.renew({self._session: lease.fence}, 1):
                return
            await lease.append(note(str(self.written)))
            self.written += 1
        await lease.hand_over()


async def test_a_worker_that_writes_while_the_database_crashes_writes_everything_once(
    store: Store, server: PostgresServer
) -> None:
    session = await opened(store, thread())
    writer = Writer(store, session)
    working = asyncio.create_task(writer.run())
    for crash in range(5):
        goal = writer.written + 5
        await until(lambda goal=goal: writer.written >= goal)
        if crash < 4:
            await server.restart()
    writer.stop.set()
    await working
    texts = [row.entry.text for row in await store.journal(session) if row.entry.kind == "noted"]
    assert texts == [str(number) for number in range(len(texts))]
    assert await store.verify(session) is None
