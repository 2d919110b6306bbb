"""Leases when the machine's clock jumps (SQLite goes by it; PostgreSQL by its own)."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from pathlib import Path

import pytest

from bot.store import Busy, Fenced, Lease, Store
from tests.bot.store.makers import Clock, leased, note, opened, thread


@pytest.fixture
async def clock() -> Clock:
    return Clock()


@pytest.fixture
async def store(tmp_path: Path, clock: Clock) -> AsyncGenerator[Store]:
    store = await Store.open(f"sqlite:///{tmp_path}/bot.db", clock=clock)
    yield store
    await store.close()


async def test_a_lease_lapses_when_its_time_is_over(store: Store, clock: Clock) -> None:
    session = await opened(store, thread())
    old = await leased(store, session, seconds=30)
    clock.move(29)
    assert isinstance(await store.acquire(session, "second", 30), Busy)
    clock.move(1)
    assert isinstance(await store.acquire(session, "second", 30), Lease)
    with pytest.raises(Fenced):
        await old.append(note("late"))


async def test_nothing_outside_is_done_in_a_leases_last_two_seconds(store: Store, clock: Clock) -> None:
    lease = await leased(store, await opened(store, thread()), seconds=30)
    clock.move(27)
    lease.guard()
    clock.move(1.5)
    with pytest.raises(Fenced, match="not renewed in time"):
        lease.guard()
    assert await store.renew({lease.session: lease.fence}, 30) == frozenset()
    with pytest.raises(Fenced):
        lease.guard()  # nobody has told it yet
    lease.renewed()
    lease.guard()


async def test_a_dead_workers_session_is_found_although_the_clock_was_set_back(store: Store, clock: Clock) -> None:
    session = await opened(store, thread())
    await leased(store, session, seconds=30)
    clock.move(-3600)
    assert await store.due() == [(session, 1)]
    assert isinstance(await store.acquire(session, "second", 30), Lease)


async def test_a_clock_that_is_corrected_a_little_takes_nobodys_lease(store: Store, clock: Clock) -> None:
    session = await opened(store, thread())
    lease = await leased(store, session, seconds=30)
    clock.move(-1)
    assert isinstance(await store.acquire(session, "second", 30), Busy)
    lease.guard()
    await lease.append(note("still mine"))


async def test_a_worker_whose_clock_was_set_back_holds_still_until_it_has_renewed(store: Store, clock: Clock) -> None:
    session = await opened(store, thread())
    lease = await leased(store, session, seconds=30)
    clock.move(-3600)
    with pytest.raises(Fenced):
        lease.guard()
    assert await store.renew({session: lease.fence}, 30) == frozenset()
    lease.renewed()
    lease.guard()
    assert isinstance(await store.acquire(session, "second", 30), Busy)
