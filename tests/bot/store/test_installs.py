"""Installations, their locks, and OAuth states."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from bot.store import Conflict, Store, StoreDown
from tests.bot.store.makers import Clock


async def test_an_installation_is_saved_found_replaced_and_deleted(store: Store) -> None:
    installs = store.installs
    assert await installs.find("slack", "T1") is None
    assert await installs.save("slack", "T1", "sealed one") == 1
    assert await installs.save("slack", "T1", "sealed two") == 2
    await installs.save("slack", "E1/T2", "sealed three")
    await installs.save("teams", "T1", "sealed four")
    row = await installs.find("slack", "T1")
    assert row is not None
    assert (row.surface, row.workspace, row.data, row.version) == ("slack", "T1", "sealed two", 2)
    assert [one.workspace for one in await installs.list("slack")] == ["E1/T2", "T1"]
    assert await installs.delete("slack", "T1")
    assert not await installs.delete("slack", "T1")
    assert await installs.find("slack", "T1") is None
    assert await installs.find("teams", "T1") is not None


async def test_a_token_rotated_by_another_process_is_not_overwritten(store: Store) -> None:
    await store.installs.save("slack", "T1", "old")
    assert await store.installs.save("slack", "T1", "new", expect=1) == 2
    with pytest.raises(Conflict):
        await store.installs.save("slack", "T1", "stale", expect=1)
    row = await store.installs.find("slack", "T1")
    assert row is not None
    assert row.data == "new"


async def test_a_lock_lets_one_in_at_a_time(store: Store) -> None:
    inside = most = 0

    async def rotate() -> None:
        nonlocal inside, most
        async with store.installs.lock("slack T1"):
            inside += 1
            most = max(most, inside)
            await asyncio.sleep(0)
            await store.installs.find("slack", "T1")
            inside -= 1

    await asyncio.gather(*(rotate() for _ in range(5)))
    assert most == 1
    async with store.installs.lock("one"), store.installs.lock("two"):
        pass


async def test_whoever_waits_too_long_for_a_lock_is_told(store: Store) -> None:
    async with store.installs.lock("busy"):
        with pytest.raises(StoreDown, match="busy"):
            async with store.installs.lock("busy", wait=0.2):
                pass


async def test_a_state_is_good_once_and_for_its_purpose_only(store: Store) -> None:
    state = await store.installs.issue_state("slack install", "cookie")
    assert await store.installs.consume_state("github login", state) is None
    assert await store.installs.consume_state("slack install", state + "x") is None
    assert await store.installs.consume_state("slack install", state) == "cookie"
    assert await store.installs.consume_state("slack install", state) is None


async def test_of_many_who_use_a_state_at_once_one_succeeds(store: Store) -> None:
    state = await store.installs.issue_state("slack install")
    results = await asyncio.gather(*(store.installs.consume_state("slack install", state) for _ in range(6)))
    assert results.count("") == 1
    assert results.count(None) == 5


async def test_states_and_forgotten_locks_end_with_time(tmp_path: Path) -> None:
    clock = Clock()
    store = await Store.open(f"sqlite:///{tmp_path}/bot.db", clock=clock)
    state = await store.installs.issue_state("slack install")
    clock.move(601)
    assert await store.installs.consume_state("slack install", state) is None
    async with store.installs.lock("held by one that died"):
        clock.move(31)
        async with store.installs.lock("held by one that died", wait=10):
            pass
    await store.close()
