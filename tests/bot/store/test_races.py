"""Several workers, several processes, and death at any moment."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator
from pathlib import Path

import pytest

from bot.store import Lease, Store
from tests.bot.store.makers import leased, message, note, nursery, opened, thread
from tests.bot.store.nursery import BATCH, ROUNDS, WHERE


async def test_a_message_is_never_left_between_release_and_ring(store: Store) -> None:
    """Whoever posts rings once; a ring for a session that somebody holds comes to nothing. No sweep heals here."""
    where = thread()
    await opened(store, where, "k0")

    async def ring() -> None:
        lease = await store.acquire(where.session, "w", 60)
        if not isinstance(lease, Lease):
            return
        while True:
            rows = await lease.inbox()
            if rows:
                await lease.append(*(note(row.key) for row in rows), consumed=rows[-1].number)
            if await lease.release(wake_at=None):
                return

    async def post(number: int) -> None:
        for turn in range(12):
            await store.post(where, message(), f"k{number}-{turn}", opens=False)
            await ring()

    await ring()
    await asyncio.gather(*(post(number) for number in range(6)))
    texts = [row.entry.text for row in await store.journal(where.session) if row.entry.kind == "noted"]
    assert len(texts) == len(set(texts)) == 1 + 6 * 12
    assert await (await leased(store, where.session)).inbox() == []


@pytest.fixture
async def shared(url: str) -> AsyncGenerator[Store]:
    store = await Store.open(url)
    await store.post(WHERE, message(), "first", opens=True)
    yield store
    await store.close()


async def test_processes_that_race_for_a_session_have_it_one_after_the_other(shared: Store, url: str) -> None:
    await nursery("race", url, 3)
    texts = [row.entry.text for row in await shared.journal(WHERE.session) if row.entry.kind == "noted"]
    assert texts == [f"{fence} {what}" for fence in range(1, 3 * ROUNDS + 1) for what in ("begins", "ends")]
    assert await shared.verify(WHERE.session) is None


@pytest.mark.slow
async def test_workers_that_are_killed_again_and_again_lose_nothing_and_do_nothing_twice(
    shared: Store, url: str, tmp_path: Path
) -> None:
    log = tmp_path / "acknowledged"
    await nursery("crash", url, 30, str(log))
    acknowledged = log.read_text().split()
    texts = [row.entry.text for row in await shared.journal(WHERE.session) if row.entry.kind == "noted"]
    keys = [text.split()[0] for text in texts[::BATCH]]
    assert texts == [f"{key} {part}" for key in keys for part in range(BATCH)], "half an append was written"
    assert len(keys) == len(set(keys)), "a message was read twice"
    assert set(acknowledged) <= set(keys), "a message that was acknowledged is lost"
    assert len(acknowledged) >= 30
    _in_order(keys)
    assert await shared.verify(WHERE.session) is None
    [row] = await shared.sessions()
    assert (row.cost, row.tokens) == (len(keys), len(keys))
    assert (await leased(shared, WHERE.session)).fence > 2


def _in_order(keys: list[str]) -> None:
    """Each process's messages stand in the order in which it posted them."""
    last: dict[str, int] = {}
    for key in keys:
        process, _, number = key.partition("-")
        if number:
            assert int(number) > last.get(process, -1)
            last[process] = int(number)
