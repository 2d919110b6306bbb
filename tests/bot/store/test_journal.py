"""The hash chain: what was written down cannot be changed unnoticed."""

from __future__ import annotations

import pytest

from bot.store import Store
from tests.bot.store.makers import leased, note, opened, tamper, thread


@pytest.mark.parametrize(
    ("change", "first_bad"),
    [
        ("update journal set entry = replace(entry, 'entry 3', 'entry 9') where number = 3", 3),
        ("update journal set hash = 'ff' || substr(hash, 3) where number = 4", 4),
        ("delete from journal where number = 2", 2),
        ("delete from journal where number = 5", 5),
        ("update journal set number = 9 where number = 5", 5),
        ("update sessions set head = 'ff' || substr(head, 3)", 5),
        ("delete from journal", 1),
    ],
)
async def test_a_change_behind_our_back_is_found(store: Store, url: str, change: str, first_bad: int) -> None:
    session = await opened(store, thread())
    lease = await leased(store, session)
    await lease.append(*(note(f"entry {n}") for n in range(1, 6)))
    assert await store.verify(session) is None
    await tamper(url, change)
    assert await store.verify(session) == first_bad


async def test_an_entry_that_was_smuggled_in_is_found(store: Store, url: str) -> None:
    session = await opened(store, thread())
    lease = await leased(store, session)
    await lease.append(note("one"))
    await tamper(
        url, "insert into journal select session, 2, entry, hash from journal where number = 1"
    )  # fmt: skip
    assert await store.verify(session) == 2


async def test_an_empty_journal_is_whole(store: Store) -> None:
    session = await opened(store, thread())
    assert await store.verify(session) is None
    assert await store.verify("unknown") is None
    assert await store.journal("unknown") == []
