"""A burst of letters shares its transactions, and each letter fares as if it had come alone."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from bot.store import Store
from tests.bot.store.makers import leased, message, thread


@pytest.fixture
async def store(tmp_path: Path) -> AsyncIterator[Store]:
    opened = await Store.open(f"sqlite:///{tmp_path}/bot.db")
    yield opened
    await opened.close()


async def test_mentions_replies_and_duplicates_in_one_burst_are_each_kept_once_in_order(store: Store) -> None:
    threads = [thread() for _ in range(50)]
    await store.post(threads[0], message("early"), "reply", opens=False)  # overtook its mention
    posts = [store.post(where, message(), "mention", opens=True) for where in threads]
    posts += [store.post(where, message("more"), "reply", opens=False) for where in threads]
    posts += [store.post(where, message(), "mention", opens=True) for where in threads[::5]]
    receipts = await asyncio.gather(*posts)
    assert [receipt.state for receipt in receipts[:50]] == ["stored"] * 50
    assert [receipt.new for receipt in receipts[50:100]] == [False] + [True] * 49
    assert {receipt.state for receipt in receipts[100:]} == {"duplicate"}
    for where in threads:
        rows = await (await leased(store, where.session)).inbox()
        assert [(row.number, row.key) for row in rows] == [(1, "mention"), (2, "reply")]


async def test_a_letter_that_cannot_be_stored_fails_alone(store: Store) -> None:
    threads = [thread() for _ in range(20)]
    keys = ["\ud800" if place == 7 else "mention" for place in range(20)]
    posts = (store.post(where, message(), key, opens=True) for where, key in zip(threads, keys, strict=True))
    results = await asyncio.gather(*posts, return_exceptions=True)
    assert [place for place, result in enumerate(results) if isinstance(result, BaseException)] == [7]
    for place, where in enumerate(threads):
        assert (await store.acquire(where.session, "w", 60) is None) == (place == 7)


async def test_what_was_posted_when_the_store_closes_is_kept(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path}/closing.db"
    first = await Store.open(url)
    where = [thread() for _ in range(30)]
    posts = [first.post(one, message(), "mention", opens=True) for one in where]
    await asyncio.gather(*posts, first.close())
    again = await Store.open(url)
    try:
        assert len(await again.sessions(limit=100)) == 30
    finally:
        await again.close()
