"""Threads, messages and entries for the store's tests."""

from __future__ import annotations

import asyncio
import itertools
import sys
from datetime import UTC, datetime, timedelta

from sqlalchemy import text as sql
from sqlalchemy.ext.asyncio import create_async_engine
from sqlalchemy.pool import NullPool

from bot.entries import Noted
from bot.heard import Message, Person, Thread
from bot.store import Lease, Store

ANN = Person("T1/U1", "Ann")
AT = datetime(2026, 11, 30, 12, 0, tzinfo=UTC)
_roots = itertools.count(1)


def thread() -> Thread:
    """A thread nobody has used yet."""
    return Thread("slack", "T1", "C1", f"1700000000.{next(_roots):06}")


def message(text: str = "make a chart") -> Message:
    """Something Ann says to the bot."""
    return Message(ANN, "1700000000.000100", text, addressed=True)


def note(text: str) -> Noted:
    """An entry that is only a text."""
    return Noted(AT, text)


async def opened(store: Store, where: Thread, key: str = "mention") -> str:
    """The session of a thread in which the bot was mentioned."""
    await store.post(where, message(), key, opens=True)
    return where.session


async def leased(store: Store, session: str, seconds: float = 60) -> Lease:
    """A lease that is certainly ours."""
    lease = await store.acquire(session, "worker", seconds)
    assert isinstance(lease, Lease), lease
    return lease


async def tamper(url: str, statement: str) -> list[tuple[object, ...]]:
    """Do something to the database behind the store's back."""
    driver = url.replace("sqlite:", "sqlite+aiosqlite:").replace("postgresql:", "postgresql+asyncpg:")
    engine = create_async_engine(driver, poolclass=NullPool)
    async with engine.begin() as connection:
        result = await connection.execute(sql(statement))
        rows = [tuple(row) for row in result] if result.returns_rows else []
    await engine.dispose()
    return rows


async def nursery(what: str, url: str, count: int, log: str = "") -> None:
    """Run tests/bot/store/nursery.py to its good end."""
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "tests.bot.store.nursery", what, url, str(count), *([log] if log else [])
    )
    try:
        async with asyncio.timeout(100):
            assert await process.wait() == 0
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()


class Clock:
    """A clock that goes only when it is told to."""

    def __init__(self) -> None:
        self.now = AT

    def __call__(self) -> datetime:
        return self.now

    def move(self, seconds: float) -> None:
        """Forward, or back where negative."""
        self.now += timedelta(seconds=seconds)
