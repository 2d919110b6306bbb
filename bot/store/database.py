"""One way to run a transaction on SQLite and on PostgreSQL: connections, clocks, retries, cancellation.

A transaction always runs to its end in a task of its own: a caller that is cancelled half-way never leaves a
connection in an unknown state. Whatever fails before the commit was sent is tried again; a commit whose outcome is
unknown only where the caller says that doing it twice does no harm.
"""

from __future__ import annotations

import asyncio
import os
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, TypeVar

import asyncpg
import structlog
from sqlalchemy import ColumnElement, Connection, Interval, Table, event, func, literal
from sqlalchemy.dialects.postgresql import Insert as PostgresInsert
from sqlalchemy.dialects.postgresql import insert as postgres_insert
from sqlalchemy.dialects.sqlite import Insert as SqliteInsert
from sqlalchemy.dialects.sqlite import insert as sqlite_insert
from sqlalchemy.engine import URL, make_url
from sqlalchemy.engine.interfaces import DBAPIConnection
from sqlalchemy.exc import DBAPIError, InterfaceError, OperationalError
from sqlalchemy.exc import TimeoutError as PoolTimeout
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine, create_async_engine
from sqlalchemy.pool import ConnectionPoolEntry

from bot.store.errors import StoreDown, StoreError
from bot.store.tables import Moment

T = TypeVar("T")
Work = Callable[[AsyncConnection], Awaitable[T]]
Clock = Callable[[], datetime]

PAUSES = (0.05, 0.2, 0.5, 1.0, 1.5)
"""Seconds between tries: a database that restarts is back within them, and a webhook can still be answered."""
TRANSIENT = ("08", "40", "53", "57")
"""SQLSTATE classes that pass: connection, rollback, resources, operator intervention."""


def utcnow() -> datetime:
    """The machine's own clock."""
    return datetime.now(UTC)


class Database:
    """Connections to one database. Made by `connect`."""

    def __init__(self, url: URL, clock: Clock) -> None:
        self.url = url
        self.postgres = url.get_backend_name() == "postgresql"
        self._clock = clock
        self._running: set[asyncio.Task[Any]] = set()
        if self.postgres:
            self.writer = self.reader = _postgres(url)
        else:
            self.writer = _sqlite(url, size=1, begin="BEGIN IMMEDIATE")
            self.reader = _sqlite(url, size=4, begin="BEGIN")

    @classmethod
    def connect(cls, url: str, clock: Clock = utcnow) -> Database:
        """Prepare connections to `url` (sqlite:///file or postgresql://...). Connects at the first use."""
        return cls(_normal(url), clock)

    async def close(self) -> None:
        """Let running transactions end, then close every connection."""
        if self._running:
            await asyncio.wait(self._running, timeout=10)
        await self.writer.dispose()
        await self.reader.dispose()

    def moment(self, seconds: float = 0.0) -> ColumnElement[datetime]:
        """The time now, or `seconds` from now, by the clock that leases go by: the database's own on PostgreSQL."""
        if not self.postgres:
            return literal(self._clock() + timedelta(seconds=seconds), Moment())
        now = func.clock_timestamp(type_=Moment())
        return now if seconds == 0 else now + literal(timedelta(seconds=seconds), Interval())

    def here(self) -> datetime | None:
        """The clock that leases go by where that is this machine's; None on PostgreSQL."""
        return None if self.postgres else self._clock()

    def clock(self) -> datetime:
        """This machine's clock, for what needs no agreement."""
        return self._clock()

    def insert(self, table: Table) -> PostgresInsert | SqliteInsert:
        """An INSERT that can say ON CONFLICT."""
        return postgres_insert(table) if self.postgres else sqlite_insert(table)

    async def write(self, work: Work[T], *, again: bool = False) -> T:
        """Run `work` in one transaction. `again`: doing it twice does no harm. Raises StoreDown."""
        return await self._shielded(self.writer, work, again)

    async def read(self, work: Work[T]) -> T:
        """Run `work`, which only reads. Raises StoreDown."""
        return await self._shielded(self.reader, work, True)

    async def _shielded(self, engine: AsyncEngine, work: Work[T], again: bool) -> T:
        task = asyncio.create_task(self._retried(engine, work, again))
        self._running.add(task)
        task.add_done_callback(self._ended)
        return await asyncio.shield(task)

    def _ended(self, task: asyncio.Task[Any]) -> None:
        self._running.discard(task)
        if not task.cancelled():
            task.exception()  # seen, even where the caller has gone

    async def _retried(self, engine: AsyncEngine, work: Work[T], again: bool) -> T:
        for pause in (*PAUSES, None):
            committing = False
            try:
                async with engine.connect() as connection:
                    result = await work(connection)
                    committing = True
                    await connection.commit()
                    return result
            except StoreError:
                raise
            except Exception as error:
                if not transient(error):
                    raise
                if pause is None or (committing and not again and not rolled_back(error)):
                    raise StoreDown(_short(error)) from error
                structlog.get_logger("store").warning("store.retry", error=_short(error), pause=pause)
            await asyncio.sleep(pause)
        raise AssertionError("unreachable")


def transient(error: BaseException) -> bool:
    """Whether the same transaction may succeed a little later."""
    if isinstance(error, DBAPIError):
        if error.connection_invalidated:
            return True
        if (state := _state(error.orig)) is not None:
            return state.startswith(TRANSIENT)
        text = str(error.orig)
        return isinstance(error, OperationalError | InterfaceError) and not text.startswith(("no such", "near "))
    if isinstance(error, asyncpg.PostgresError):
        return (_state(error) or "").startswith(TRANSIENT)
    return isinstance(error, OSError | TimeoutError | PoolTimeout | asyncpg.InterfaceError)


def rolled_back(error: BaseException) -> bool:
    """Whether the database said itself that nothing was committed."""
    if not isinstance(error, DBAPIError):
        return False
    return (_state(error.orig) or "").startswith("40") or "database is locked" in str(error.orig)


def _state(error: BaseException | None) -> str | None:
    return getattr(error, "sqlstate", None)


def _short(error: BaseException) -> str:
    cause = error.orig if isinstance(error, DBAPIError) and error.orig is not None else error
    return f"{type(cause).__name__}: {cause}".splitlines()[0][:200]


def _normal(text: str) -> URL:
    try:
        url = make_url(text)
    except Exception as error:
        raise StoreError("THREADHAND_DATABASE_URL is not a URL like sqlite:////var/lib/threadhand/bot.db.") from error
    match url.get_backend_name():
        case "sqlite":
            if not url.database or url.database == ":memory:":
                raise StoreError("SQLite needs a file: give sqlite:////path/to/threadhand.db.")
            return url.set(drivername="sqlite+aiosqlite")
        case "postgresql" | "postgres":
            return url.set(drivername="postgresql+asyncpg")
        case other:
            raise StoreError(f"The store speaks SQLite and PostgreSQL, not {other}: check THREADHAND_DATABASE_URL.")


def _postgres(url: URL) -> AsyncEngine:
    return create_async_engine(
        url,
        pool_pre_ping=True,
        pool_size=10,
        max_overflow=10,
        pool_timeout=15,
        connect_args={"timeout": 5, "command_timeout": 30},
    )


def _sqlite(url: URL, *, size: int, begin: str) -> AsyncEngine:
    engine = create_async_engine(
        url, pool_size=size, max_overflow=0, pool_timeout=30, connect_args={"timeout": 15, "isolation_level": None}
    )

    @event.listens_for(engine.sync_engine, "do_connect")
    def _create(*_: object) -> None:  # pyright: ignore[reportUnusedFunction]
        path = Path(url.database or "")
        path.parent.mkdir(parents=True, exist_ok=True)
        os.close(os.open(path, os.O_CREAT | os.O_RDWR | os.O_CLOEXEC, 0o600))  # what people said is private

    @event.listens_for(engine.sync_engine, "connect")
    def _prepare(connection: DBAPIConnection, _: ConnectionPoolEntry) -> None:  # pyright: ignore[reportUnusedFunction]
        cursor = connection.cursor()
        cursor.execute("PRAGMA busy_timeout=15000")
        cursor.execute("PRAGMA journal_mode=WAL")
        cursor.execute("PRAGMA synchronous=FULL")
        cursor.close()

    @event.listens_for(engine.sync_engine, "begin")
    def _begin(connection: Connection) -> None:  # pyright: ignore[reportUnusedFunction]
        connection.exec_driver_sql(begin)

    return engine
