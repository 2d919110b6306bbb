"""Replies that overtake the mention they belong to."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator
from pathlib import Path

import pytest

from bot.heard import Delete, Edit, Halt, Press, Rating, Resume
from bot.store import Store
from tests.bot.store.makers import ANN, Clock, leased, message, opened, thread


async def test_a_reply_that_overtakes_its_mention_is_kept_for_it(store: Store) -> None:
    where, elsewhere = thread(), thread()
    early = [
        await store.post(where, message("but in blue"), "r1", opens=False),
        await store.post(elsewhere, message("not for us"), "r1", opens=False),
        await store.post(where, Edit(ANN, "1", "but in red", "2"), "r2", opens=False),
        await store.post(where, Delete("1"), "r3", opens=False),
    ]
    assert {(receipt.number, receipt.new, receipt.state) for receipt in early} == {(0, True, "parked")}
    again = await store.post(where, message("but in blue"), "r1", opens=False)
    assert (again.new, again.state) == (False, "duplicate")
    receipt = await store.post(where, message("a chart"), "mention", opens=True)
    assert (receipt.number, receipt.state) == (1, "stored")
    lease = await leased(store, where.session)
    assert [row.key for row in await lease.inbox()] == ["mention", "r1", "r2", "r3"]
    again = await store.post(where, message("but in blue"), "r1", opens=False)
    assert (again.number, again.state) == (2, "duplicate")
    assert await store.acquire(elsewhere.session, "w", 60) is None


async def test_clicks_on_what_was_never_there_are_dropped(store: Store) -> None:
    where = thread()
    for heard in (Press(ANN, "a", 1, "yes"), Halt(ANN), Resume(ANN), Rating(ANN, "m", True)):
        receipt = await store.post(where, heard, f"k {heard.kind}", opens=False)
        assert (receipt.new, receipt.state) == (False, "dropped")
    await opened(store, where)
    assert len(await (await leased(store, where.session)).inbox()) == 1


async def test_a_mention_that_was_first_taken_for_a_reply_opens_once(store: Store) -> None:
    where = thread()
    await store.post(where, message(), "same", opens=False)
    receipt = await store.post(where, message(), "same", opens=True)
    assert (receipt.number, receipt.new, receipt.state) == (1, True, "stored")
    assert len(await (await leased(store, where.session)).inbox()) == 1


async def test_reply_and_mention_at_the_same_moment_never_miss_each_other(store: Store) -> None:
    threads = [thread() for _ in range(25)]
    await asyncio.gather(
        *(
            store.post(where, message(), key, opens=key == "mention")
            for where in threads
            for key in ("reply", "mention", "other")
        )
    )
    assert await store.news([where.session for where in threads]) == {where.session: 3 for where in threads}


@pytest.fixture
async def clock() -> Clock:
    return Clock()


@pytest.fixture
async def timed(tmp_path: Path, clock: Clock) -> AsyncGenerator[Store]:
    store = await Store.open(f"sqlite:///{tmp_path}/timed.db", clock=clock)
    yield store
    await store.close()


async def test_what_was_parked_for_over_ten_minutes_is_forgotten(timed: Store, clock: Clock) -> None:
    where, other = thread(), thread()
    await timed.post(where, message(), "old", opens=False)
    await timed.post(other, message(), "old", opens=False)
    clock.move(400)
    await timed.post(where, message(), "new", opens=False)
    clock.move(201)
    await opened(timed, where)
    assert [row.key for row in await (await leased(timed, where.session)).inbox()] == ["mention", "new"]
    assert await timed.sweep_parked() == 1
    assert await timed.sweep_parked() == 0
