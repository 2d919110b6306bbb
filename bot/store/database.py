"""One way to run a transaction on SQLite and on PostgreSQL: connections, clocks, retries, cancellation.

What a transaction does is a plain function of a SQLAlchemy connection, the same for both: on PostgreSQL it runs on
the event loop over asyncpg, on SQLite in the writer's thread. It always runs to its end in a task of its own: a
caller that is cancelled half-way never leaves a connection in an unknown state. Whatever fails before the commit was
sent is tried again; a commit whose outcome is unknown only where the caller says that doing it twice does no harm.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime, timedelta
from typing import Any, TypeVar

import asyncpg
import structlog
from sqlalchemy import ColumnElement, Connection, Interval, Table, func, literal
from sqlalchemy.dialects.postgresql import Insert as PostgresInsert
from sqlalchemy.dialects.postgresql import insert as postgres_insert
from sqlalchemy.dialects.sqlite import Insert as SqliteInsert
from sqlalchemy.dialects.sqlite import insert as sqlite_insert
from sqlalchemy.engine import URL, make_url
from sqlalchemy.exc import DBAPIError, InterfaceError, OperationalError
from sqlalchemy.exc import TimeoutError as PoolTimeout
from sqlalchemy.ext.asyncio import create_async_engine

from bot.store.errors import StoreDown, StoreError, Uncertain
from bot.store.sqlite import Sqlite
from bot.store.tables import Moment

T = TypeVar("T")
Work = Callable[[Connection], T]
Clock = Callable[[], datetime]

PAUSES = (0.05, 0.2, 0.5, 1.0, 1.5)
"""Seconds between tries: a database that restarts is back within them, and a webhook can still be answered."""
TRANSIENT = ("08", "40", "53", "57")
"""SQLSTATE classes that pass: connection, rollback, resources, operator intervention."""


def utcnow() -> datetime:
    """The machine's own clock."""
    return datetime.now(UTC)


class Postgres:
    """A pool of connections to one PostgreSQL database, which finds out by itself when the server was restarted."""

    def __init__(self, url: URL) -> None:
        self._engine = create_async_engine(
            url,
            pool_pre_ping=True,
            pool_size=10,
            max_overflow=10,
            pool_timeout=15,
            connect_args={"timeout": 5, "command_timeout": 30},
        )

    async def write(self, work: Work[T]) -> T:
        """Run `work` in a transaction. Raises Uncertain when the commit itself failed."""
        async with self._engine.connect() as connection:
            result = await connection.run_sync(work)
            try:
                await connection.commit()
            except Exception as error:
                raise Uncertain(error) from error
            return result

    async def read(self, work: Work[T]) -> T:
        """Run `work`, which only reads."""
        async with self._engine.connect() as connection:
            return await connection.run_sync(work)

    async def close(self) -> None:
        """Close every connection."""
        await self._engine.dispose()


class Database:
    """Connections to one database. Made by `connect`."""

    def __init__(self, url: URL, clock: Clock) -> None:
        self.postgres = url.get_backend_name() == "postgresql"
        self._clock = clock
        self._running: set[asyncio.Task[Any]] = set()
        self._peer = Postgres(url) if self.postgres else Sqlite(url)

    @classmethod
    def connect(cls, url: str, clock: Clock = utcnow) -> Database:
        """Prepare connections to `url` (sqlite:///file or postgresql://...). Connects at the first use."""
        return cls(_normal(url), clock)

    async def close(self) -> None:
        """Let running transactions end, then close every connection."""
        if self._running:
            await asyncio.wait(self._running, timeout=10)
        await self._peer.close()

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
        return await self._shielded(lambda: self._peer.write(work), again)

    async def read(self, work: Work[T]) -> T:
        """Run `work`, which only reads. Raises StoreDown."""
        return await self._shielded(lambda: self._peer.read(work), True)

    async def _shielded(self, attempt: Callable[[], Awaitable[T]], again: bool) -> T:
        task = asyncio.create_task(_retried(attempt, again))
        self._running.add(task)
        task.add_done_callback(self._ended)
        return await asyncio.shield(task)

    def _ended(self, task: asyncio.Task[Any]) -> None:
        self._running.discard(task)
        if not task.cancelled():
            task.exception()  # seen, even where the caller has gone


async def _retried(attempt: Callable[[], Awaitable[T]], again: bool) -> T:
    for pause in (*PAUSES, None):
        try:
            return await attempt()
        except StoreError:
            raise
        except Exception as raised:  # noqa: BLE001 (sorted out below)
            uncertain = isinstance(raised, Uncertain)
            error = raised.cause if uncertain else raised
            if not transient(error):
                raise error from None
            if pause is None or (uncertain and not again and not rolled_back(error)):
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
            return url.set(drivername="sqlite+pysqlite")
        case "postgresql" | "postgres":
            return url.set(drivername="postgresql+asyncpg")
        case other:
            raise StoreError(f"The store speaks SQLite and PostgreSQL, not {other}: check THREADHAND_DATABASE_URL.")
