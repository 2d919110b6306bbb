"""SQLite: one writer thread, a few readers, and one commit to disk for all that waits.

SQLite has one writer at a time anyway. Here that is a thread of its own with one connection: a transaction costs one
step to it and back, and those that queued up meanwhile share the next commit, each behind a savepoint of its own.
"""

from __future__ import annotations

import asyncio
import os
import queue
import threading
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

from sqlalchemy import Connection, Engine, create_engine, event
from sqlalchemy.engine import URL
from sqlalchemy.engine.interfaces import DBAPIConnection
from sqlalchemy.pool import ConnectionPoolEntry

from bot.store.errors import Uncertain

T = TypeVar("T")
READERS = 4
TOGETHER = 64
"""Transactions that share a commit at most."""


@dataclass(frozen=True, slots=True)
class _Job:
    work: Callable[[Connection], Any]
    done: Future[Any]


class Sqlite:
    """Connections to one SQLite file. Close it, or its threads end with the process."""

    def __init__(self, url: URL) -> None:
        self._engine = _engine(url, size=1, begin="BEGIN IMMEDIATE")
        self._reading = _engine(url, size=READERS, begin="BEGIN")
        self._readers = ThreadPoolExecutor(READERS, thread_name_prefix="sqlite reader")
        self._jobs: queue.SimpleQueue[_Job | None] = queue.SimpleQueue()
        self._thread = threading.Thread(target=self._loop, name="sqlite writer", daemon=True)
        self._thread.start()

    async def write(self, work: Callable[[Connection], T]) -> T:
        """Run `work` in a transaction. Raises Uncertain when the commit itself failed."""
        done: Future[T] = Future()
        self._jobs.put(_Job(work, done))
        return await asyncio.wrap_future(done)

    async def read(self, work: Callable[[Connection], T]) -> T:
        """Run `work`, which only reads, on a snapshot."""

        def transaction() -> T:
            with self._reading.connect() as connection:
                return work(connection)

        return await asyncio.get_running_loop().run_in_executor(self._readers, transaction)

    async def close(self) -> None:
        """End the threads and close the connections."""
        self._jobs.put(None)
        await asyncio.to_thread(self._thread.join)
        await asyncio.to_thread(self._readers.shutdown)
        self._engine.dispose()
        self._reading.dispose()

    def _loop(self) -> None:
        open_ = True
        while open_:
            batch: list[_Job] = []
            job = self._jobs.get()
            while job is not None:
                batch.append(job)
                if len(batch) == TOGETHER or self._jobs.empty():
                    break
                job = self._jobs.get()
            open_ = job is not None
            batch = [job for job in batch if job.done.set_running_or_notify_cancel()]
            if batch:
                self._transact(batch)

    def _transact(self, batch: list[_Job]) -> None:
        results: list[tuple[_Job, Any]] = []
        committing = False
        try:
            with self._engine.connect() as connection, connection.begin() as transaction:
                results = _run(connection, batch)
                committing = True
                # After some errors (a full disk) SQLite has already rolled back, and COMMIT would pass in silence.
                if not getattr(connection.connection.dbapi_connection, "in_transaction", False):
                    raise OSError("SQLite gave the transaction up")
                transaction.commit()
        except Exception as error:  # noqa: BLE001 (each caller gets it)
            for job in batch:
                if not job.done.done():
                    job.done.set_exception(Uncertain(error) if committing else error)
            return
        for job, result in results:
            job.done.set_result(result)


def _run(connection: Connection, batch: list[_Job]) -> list[tuple[_Job, Any]]:
    """The results of those that went well; the others are told at once and leave no trace."""
    if len(batch) == 1:
        return [(batch[0], batch[0].work(connection))]
    results: list[tuple[_Job, Any]] = []
    for job in batch:
        savepoint = connection.begin_nested()
        try:
            results.append((job, job.work(connection)))
            savepoint.commit()
        except Exception as error:  # noqa: BLE001 (the caller gets it)
            savepoint.rollback()
            job.done.set_exception(error)
    return results


def _engine(url: URL, *, size: int, begin: str) -> Engine:
    options = {"timeout": 5, "isolation_level": None, "check_same_thread": False}
    engine = create_engine(url, pool_size=size, max_overflow=0, pool_timeout=30, connect_args=options)

    @event.listens_for(engine, "do_connect")
    def _create(*_: object) -> None:  # pyright: ignore[reportUnusedFunction]
        path = Path(url.database or "")
        path.parent.mkdir(parents=True, exist_ok=True)
        os.close(os.open(path, os.O_CREAT | os.O_RDWR | os.O_CLOEXEC, 0o600))  # what people said is private

    @event.listens_for(engine, "connect")
    def _prepare(connection: DBAPIConnection, _: ConnectionPoolEntry) -> None:  # pyright: ignore[reportUnusedFunction]
        cursor = connection.cursor()
        cursor.execute("PRAGMA busy_timeout=5000")
        cursor.execute("PRAGMA journal_mode=WAL")
        cursor.execute("PRAGMA synchronous=FULL")
        cursor.close()

    @event.listens_for(engine, "begin")
    def _begin(connection: Connection) -> None:  # pyright: ignore[reportUnusedFunction]
        connection.exec_driver_sql(begin)

    return engine
