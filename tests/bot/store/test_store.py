"""What sessions rely on, on both databases."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime, timedelta

import pytest

from bot.heard import Halt, dump_heard
from bot.store import Busy, Fenced, Lease, Projection, Spend, Store, StoreError
from tests.bot.store.makers import ANN, leased, message, note, opened, thread
from tests.support.waiting import until_true

FAR = datetime(2100, 1, 1, tzinfo=UTC)
PAST = datetime(2020, 1, 1, tzinfo=UTC)


async def test_a_mention_opens_a_session_and_the_next_messages_are_numbered(store: Store) -> None:
    where = thread()
    first = await store.post(where, message("one"), "k1", opens=True)
    second = await store.post(where, message("two"), "k2", opens=False)
    third = await store.post(where, Halt(ANN), "k3", opens=False)
    assert [(r.session, r.number, r.new, r.state) for r in (first, second, third)] == [
        (where.session, 1, True, "stored"),
        (where.session, 2, True, "stored"),
        (where.session, 3, True, "stored"),
    ]
    lease = await leased(store, where.session)
    rows = await lease.inbox()
    assert [(row.number, row.key) for row in rows] == [(1, "k1"), (2, "k2"), (3, "k3")]
    assert [dump_heard(row.heard) for row in rows] == [
        dump_heard(heard) for heard in (message("one"), message("two"), Halt(ANN))
    ]
    assert all(row.at.tzinfo is UTC for row in rows)
    assert lease.thread == where


async def test_a_message_that_arrives_again_is_told_as_a_duplicate_and_leaves_no_gap(store: Store) -> None:
    where = thread()
    await opened(store, where, "k1")
    await store.post(where, message(), "k2", opens=False)
    for _ in range(3):
        again = await store.post(where, message(), "k2", opens=True)
        assert (again.number, again.new, again.state) == (2, False, "duplicate")
    assert (await store.post(where, message(), "k3", opens=False)).number == 3
    assert await store.news([where.session, "unknown"]) == {where.session: 3}


async def test_many_at_once_with_duplicates_are_each_kept_once(store: Store) -> None:
    where = thread()
    await opened(store, where, "k0")
    keys = [f"k{n}" for n in range(1, 41)] + [f"k{n}" for n in range(1, 41, 5)]
    receipts = await asyncio.gather(*(store.post(where, message(), key, opens=True) for key in keys))
    assert sum(receipt.new for receipt in receipts) == 40
    rows = await (await leased(store, where.session)).inbox()
    assert [row.number for row in rows] == list(range(1, 42))
    assert {row.key for row in rows} == {f"k{n}" for n in range(41)}


async def test_only_one_worker_gets_a_session(store: Store) -> None:
    session = await opened(store, thread())
    results = await asyncio.gather(*(store.acquire(session, f"w{n}", 60) for n in range(8)))
    assert sum(isinstance(result, Lease) for result in results) == 1
    busy = [result for result in results if isinstance(result, Busy)]
    assert len(busy) == 7
    now = await store.now()
    assert all(now < one.until < now + timedelta(seconds=61) for one in busy)


async def test_there_is_no_lease_on_a_session_that_does_not_exist(store: Store) -> None:
    assert await store.acquire("nobody", "w", 60) is None


async def test_entries_are_written_in_order_and_read_back_unchanged(store: Store) -> None:
    session = await opened(store, thread())
    lease = await leased(store, session)
    assert await lease.append(note("one"), note("two \0 with a nul"), consumed=1) == 1
    await lease.append(note("three"))
    rows = await lease.load()
    assert [(row.number, row.entry) for row in rows] == [
        (1, note("one")),
        (2, note("two \0 with a nul")),
        (3, note("three")),
    ]
    assert [row.number for row in await store.journal(session, after=2)] == [3]
    assert await lease.inbox() == []
    assert await store.verify(session) is None


async def test_an_append_tells_whether_somebody_spoke(store: Store) -> None:
    where = thread()
    session = await opened(store, where)
    lease = await leased(store, session)
    assert await lease.append(note("a"), consumed=1) == 1
    await store.post(where, message(), "more", opens=False)
    assert await lease.append(note("b")) == 2
    assert [row.key for row in await lease.inbox()] == ["more"]


async def test_appends_from_two_tasks_do_not_mix(store: Store) -> None:
    session = await opened(store, thread())
    lease = await leased(store, session)
    await asyncio.gather(*(lease.append(note(f"{n} a"), note(f"{n} b")) for n in range(20)))
    texts = [row.entry.text for row in await lease.load() if row.entry.kind == "noted"]
    assert [text[:-1] + "b" for text in texts[::2]] == texts[1::2]
    assert await store.verify(session) is None


async def test_a_cancelled_append_is_written_whole_and_the_lease_goes_on(store: Store) -> None:
    session = await opened(store, thread())
    lease = await leased(store, session)
    for n in range(10):
        task = asyncio.create_task(lease.append(note(f"{n} a"), note(f"{n} b")))
        for _ in range(n):
            await asyncio.sleep(0)
        task.cancel()
        await asyncio.wait({task})
    await lease.append(note("last"))
    texts = [row.entry.text for row in await lease.load() if row.entry.kind == "noted"]
    assert len(texts) % 2 == 1
    assert [text[:-1] + "b" for text in texts[:-1:2]] == texts[1:-1:2]
    assert await store.verify(session) is None


async def test_a_worker_whose_session_was_taken_over_can_do_nothing_more(store: Store) -> None:
    session = await opened(store, thread())
    old = await leased(store, session, seconds=0.05)
    new: list[Lease] = []

    async def taken() -> bool:
        lease = await store.acquire(session, "second", 60)
        new.extend([lease] if isinstance(lease, Lease) else [])
        return bool(new)

    await until_true(taken)
    assert new[0].fence == old.fence + 1
    with pytest.raises(Fenced):
        await old.append(note("too late"))
    with pytest.raises(Fenced):
        await old.settle(Projection(), wake_at=None, unfinished=False)
    with pytest.raises(Fenced):
        await old.release(wake_at=None)
    with pytest.raises(Fenced):
        old.guard()
    assert await store.renew({session: old.fence}, 60) == {session}
    assert await new[0].load() == []
    await new[0].append(note("mine"))


async def test_release_is_refused_while_a_message_is_unread(store: Store) -> None:
    where = thread()
    lease = await leased(store, await opened(store, where))
    assert not await lease.release(wake_at=None)
    await lease.append(consumed=1)
    await store.post(where, message(), "more", opens=False)
    assert not await lease.release(wake_at=None)
    await lease.append(consumed=2)
    assert await lease.release(wake_at=None)


async def test_a_released_lease_is_over_and_cannot_be_renewed(store: Store) -> None:
    session = await opened(store, thread())
    lease = await leased(store, session)
    await lease.append(consumed=1)
    assert await lease.release(wake_at=None)
    for use in (lambda: lease.append(note("x")), lambda: lease.release(wake_at=None)):
        with pytest.raises(Fenced):
            await use()
    assert await store.renew({session: lease.fence}, 60) == {session}
    assert isinstance(await store.acquire(session, "next", 60), Lease)


async def test_reading_up_to_a_lower_number_does_not_unread(store: Store) -> None:
    where = thread()
    lease = await leased(store, await opened(store, where))
    await store.post(where, message(), "more", opens=False)
    await lease.append(consumed=2)
    await lease.append(consumed=1)
    assert await lease.inbox() == []


async def test_the_sweep_finds_what_waits_and_nothing_else(store: Store) -> None:
    unread = await opened(store, thread())
    assert await store.due() == [(unread, 1)]
    lease = await leased(store, unread)
    assert await store.due() == []  # somebody is at it
    await lease.append(consumed=1)
    await _rest(lease, wake_at=FAR, unfinished=False)
    assert await store.due() == []  # it waits for somebody
    late, begun = await opened(store, thread()), await opened(store, thread())
    await _rest(await leased(store, late), wake_at=PAST, unfinished=False)
    await _rest(await leased(store, begun), wake_at=None, unfinished=True)
    assert sorted(await store.due()) == sorted([(late, 1), (begun, 1)])
    assert len(await store.due(limit=1)) == 1


async def test_a_worker_that_died_leaves_its_session_due_once_the_lease_has_lapsed(store: Store) -> None:
    session = await opened(store, thread())
    lease = await leased(store, session, seconds=0.1)
    await lease.append(consumed=1)

    async def found() -> bool:
        return await store.due() == [(session, 1)]

    await until_true(found)


async def test_a_worker_that_dies_after_a_refused_release_leaves_its_session_due(store: Store) -> None:
    where = thread()
    session = await opened(store, where)
    lease = await leased(store, session, seconds=0.5)
    await lease.append(consumed=1)
    await lease.settle(Projection(), wake_at=None, unfinished=False)
    await store.post(where, message(), "more", opens=False)
    assert not await lease.release(wake_at=None)
    await lease.append(note("read it"), consumed=2)

    async def found() -> bool:
        return await store.due() == [(session, 2)]

    await until_true(found, 10)


async def test_a_session_that_is_handed_over_can_be_taken_at_once(store: Store) -> None:
    where = thread()
    session = await opened(store, where)
    lease = await leased(store, session)
    await lease.append(note("half"), consumed=1)
    await lease.hand_over()
    with pytest.raises(Fenced):
        lease.guard()
    assert await store.due() == [(session, 1)]
    assert len(await (await leased(store, session)).load()) == 1


async def test_leases_are_renewed_together_and_the_lost_ones_named(store: Store) -> None:
    leases = [await leased(store, await opened(store, thread()), seconds=5) for _ in range(3)]
    fences = {lease.session: lease.fence for lease in leases}
    fences[leases[0].session] -= 1
    assert await store.renew(fences | {"unknown": 1}, 60) == {leases[0].session, "unknown"}
    for lease in leases[1:]:
        lease.renewed()
        lease.guard()
    assert await store.renew({}, 60) == frozenset()


async def test_money_is_booked_on_the_person_the_workspace_and_the_session(store: Store) -> None:
    session = await opened(store, thread())
    lease = await leased(store, session)
    await lease.settle(Projection(person=ANN.id), wake_at=None, unfinished=True)
    await lease.append(note("a"), spend=Spend(0.25, 100))
    await lease.append(note("b"), spend=Spend(0.5, 50, person="T1/U2"))
    since = datetime.now(UTC) - timedelta(days=1)
    assert await store.spent("T1", None, since) == Spend(0.75, 150)
    assert await store.spent("T1", ANN.id, since) == Spend(0.25, 100, ANN.id)
    assert await store.spent("T2", None, since) == Spend(0, 0)
    assert await store.spent("T1", None, FAR) == Spend(0, 0)
    [row] = await store.sessions()
    assert (row.cost, row.tokens) == (0.75, 150)


async def test_lists_show_what_was_settled_and_filter_by_it(store: Store) -> None:
    where, other = thread(), thread()
    await opened(store, other)
    lease = await leased(store, await opened(store, where))
    await lease.settle(Projection("waiting", "Chart \0 of sales", ANN.id, "Ann"), wake_at=FAR, unfinished=False)
    [row] = await store.sessions(workspace="T1", person=ANN.id, status="waiting")
    assert (row.id, row.thread, row.title, row.waiting_for) == (where.session, where, "Chart  of sales", "Ann")
    assert (row.wake_at, row.unfinished) == (FAR, False)
    assert [one.id for one in await store.sessions()] == [where.session, other.session]
    assert await store.sessions(workspace="T2") == []
    assert len(await store.sessions(limit=1)) == 1


async def test_times_without_a_zone_are_refused(store: Store) -> None:
    lease = await leased(store, await opened(store, thread()))
    with pytest.raises(Exception, match="no time zone"):
        await lease.release(wake_at=datetime(2026, 1, 1))


@pytest.mark.parametrize("bad", ["mysql://h/db", "sqlite://", "sqlite:///:memory:", "not a url"])
async def test_an_address_that_cannot_work_is_explained(bad: str) -> None:
    with pytest.raises(StoreError, match=r"THREADHAND_DATABASE_URL|SQLite needs a file"):
        await Store.open(bad)


async def _rest(lease: Lease, *, wake_at: datetime | None, unfinished: bool) -> None:
    await lease.append(consumed=1)
    await lease.settle(Projection(), wake_at=wake_at, unfinished=unfinished)
    assert await lease.release(wake_at=wake_at)
