"""What the deployment remembers of computers and their saves."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from bot.lost import Lost
from bot.store import HomeRow, SaveRow, Store

NOON = datetime(2027, 3, 5, 12, tzinfo=UTC)


def save(session: str, name: str, hours: float, size: int = 100) -> SaveRow:
    return SaveRow(name, session, NOON + timedelta(hours=hours), size, "0" * 64, 3, 2, 1, (("/home/agent/film", 9),))


async def test_a_session_without_a_computer_has_no_home(store: Store) -> None:
    assert await store.homes.find("s") is None
    assert await store.homes.saves("s") == []


async def test_what_is_to_be_told_stands_until_it_was(store: Store) -> None:
    lost = Lost(NOON, NOON - timedelta(hours=1), 3)
    row = HomeRow("s", "s", 2, (lost,))
    await store.homes.put(HomeRow("s", "s", 1))
    await store.homes.put(row)
    assert await store.homes.find("s") == row
    await store.homes.told("s")
    assert await store.homes.find("s") == HomeRow("s", "s", 2)
    assert await store.homes.places() == {"s"}


async def test_saves_come_newest_first_and_go_when_asked(store: Store) -> None:
    for row in (save("s", "a", 0), save("s", "b", 2), save("t", "c", 1)):
        await store.homes.saved(row)
    assert await store.homes.saves("s") == [save("s", "b", 2), save("s", "a", 0)]
    await store.homes.unsave(["b"])
    assert [row.id for row in await store.homes.saves("s")] == ["a"]


async def test_older_saves_are_given_up_before_the_last_ones_of_anybody(store: Store) -> None:
    for row in (save("s", "s1", 0), save("s", "s2", 5), save("t", "t1", 1), save("t", "t2", 2)):
        await store.homes.saved(row)
    assert await store.homes.beyond(400) == []
    assert [row.id for row in await store.homes.beyond(350)] == ["s1"]
    assert [row.id for row in await store.homes.beyond(150)] == ["s1", "t1", "t2"]
