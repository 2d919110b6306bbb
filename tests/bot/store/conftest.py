"""The same tests on both databases. PostgreSQL's are slow ones: one cluster serves them all, one after the other."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Awaitable, Callable
from pathlib import Path

import pytest
import pytest_asyncio

from bot.store import Store
from tests.support.servers import PostgresServer, postgres_server

Address = Callable[[], Awaitable[str]]


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def postgres() -> AsyncGenerator[PostgresServer]:
    """A running cluster."""
    async with postgres_server() as server:
        yield server


@pytest.fixture(params=["sqlite", pytest.param("postgresql", marks=pytest.mark.slow)])
def address(request: pytest.FixtureRequest, tmp_path: Path) -> Address:
    """Makes an empty database and gives its URL."""
    if request.param == "postgresql":
        server: PostgresServer = request.getfixturevalue("postgres")
        return server.emptied

    async def file() -> str:
        return f"sqlite:///{tmp_path}/bot.db"

    return file


@pytest.fixture
async def url(address: Address) -> str:
    """The URL of an empty database."""
    return await address()


@pytest.fixture
async def store(url: str) -> AsyncGenerator[Store]:
    """A store, open."""
    opened = await Store.open(url)
    yield opened
    await opened.close()
