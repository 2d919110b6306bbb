"""Settings with history, and the record of what left a machine."""

from __future__ import annotations

import asyncio

from bot.store import Conflict, EgressRow, Store
from tests.bot.store.makers import AT


async def test_a_document_keeps_every_version_and_who_wrote_it(store: Store) -> None:
    assert await store.get_document("T1", "policy") is None
    assert await store.put_document("T1", "policy", {"send": "ask"}, "T1/U1", 0) == 1
    assert await store.put_document("T1", "policy", {"send": "deny", "ü": [1, None]}, "T1/U2", 1) == 2
    assert await store.get_document("T1", "policy") == (2, {"send": "deny", "ü": [1, None]})
    assert await store.get_document("T2", "policy") is None
    history = await store.document_history("T1", "policy")
    assert [(row.version, row.author, row.value["send"]) for row in history] == [
        (2, "T1/U2", "deny"),
        (1, "T1/U1", "ask"),
    ]


async def test_two_admins_who_save_at_once_do_not_overwrite_each_other(store: Store) -> None:
    async def save(author: str) -> int | Conflict:
        try:
            return await store.put_document("T1", "policy", {"by": author}, author, 0)
        except Conflict as conflict:
            return conflict

    results = await asyncio.gather(*(save(f"admin {n}") for n in range(5)))
    assert [result for result in results if isinstance(result, int)] == [1]
    assert "Read it again" in str(next(result for result in results if isinstance(result, Conflict)))


async def test_what_left_a_machine_is_on_the_record_in_order(store: Store) -> None:
    sent = EgressRow(AT, "POST", "https://example.com/\0a", "sent", "", "192.0.2.1", 200, 10, 20, "ab" * 32, 0.5)
    refused = EgressRow(AT, "GET", "http://10.0.0.1/", "refused", "not a public address")
    await store.record_egress("s1", sent)
    await store.record_egress("s1", refused)
    await store.record_egress("s2", refused)
    rows = await store.egress("s1")
    assert [row.url for row in rows] == ["https://example.com/a", "http://10.0.0.1/"]
    assert rows[1] == refused
    assert (rows[0].status, rows[0].sent, rows[0].received, rows[0].sha256) == (200, 10, 20, "ab" * 32)
