"""The schema: made from nothing, by several at once, never for a newer one."""

from __future__ import annotations

import pytest

from bot.store import SchemaNewer, Store, StoreDown, StoreError
from bot.store.tables import METADATA
from tests.bot.store.conftest import Address
from tests.bot.store.makers import message, nursery, opened, tamper, thread
from tests.support.servers import free_port


async def test_opening_twice_changes_nothing(url: str) -> None:
    first = await Store.open(url)
    where = thread()
    await opened(first, where, "k")
    await first.close()
    second = await Store.open(url)
    assert (await second.post(where, message(), "k", opens=True)).state == "duplicate"
    await second.close()


async def test_the_tables_are_those_that_the_code_describes(store: Store, url: str) -> None:
    for table in METADATA.sorted_tables:
        columns = ", ".join(column.name for column in table.columns)
        assert await tamper(url, f"select {columns} from {table.name}") == []  # noqa: S608


async def test_several_processes_that_start_at_once_make_one_schema(address: Address) -> None:
    url = await address()
    await nursery("migrate", url, 3)
    store = await Store.open(url, migrate=False)
    await opened(store, thread())
    await store.close()


async def test_a_database_of_a_newer_version_is_left_alone(store: Store, url: str) -> None:
    await tamper(url, "update alembic_version set version_num = '9999'")
    for migrate in (True, False):
        with pytest.raises(SchemaNewer, match=r"9999.*Install the newer version"):
            await Store.open(url, migrate=migrate)


async def test_without_leave_to_migrate_an_empty_database_is_refused(url: str) -> None:
    with pytest.raises(StoreError, match="threadhand db upgrade"):
        await Store.open(url, migrate=False)


@pytest.mark.slow
async def test_a_database_that_is_not_there_is_named_as_the_trouble() -> None:
    with pytest.raises(StoreDown, match=r"cannot be reached.*THREADHAND_DATABASE_URL"):
        await Store.open(f"postgresql://nobody@127.0.0.1:{free_port()}/none")
