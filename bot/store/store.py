"""The one truth: sessions, inboxes, journals, money and settings in SQL, the same on SQLite and PostgreSQL.

Workers may die at any statement, two may believe that they own a session, messages arrive twice: what stands here
is still right, because every change is one transaction and every write to a session names its fence.
"""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from datetime import datetime
from itertools import islice
from typing import Any

from sqlalchemy import Boolean, ColumnElement, Connection, literal_column, select, tuple_, union, update

from bot.heard import Heard, Thread
from bot.store import posts, reading, records, schema
from bot.store.database import Clock, Database, utcnow
from bot.store.homes import Homes
from bot.store.installs import Installs
from bot.store.lease import Grant, Lease, Term
from bot.store.mailroom import Mailroom
from bot.store.rows import Busy, DocumentRow, EgressRow, Receipt, Row, SessionRow, Spend
from bot.store.tables import SESSIONS

SKEW = 5.0
"""Seconds by which a lease may begin in the future before the clock counts as set back and the lease as void."""
CHUNK = 1000


class Store:
    """Open with `Store.open`. Every method may raise StoreDown; lost connections are retried where that is safe."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._term: Term | None = None
        self._mailroom = Mailroom(database)
        self.installs = Installs(database)
        self.homes = Homes(database)

    @classmethod
    async def open(cls, url: str, *, migrate: bool = True, clock: Clock = utcnow) -> Store:
        """Connect to sqlite:////file or postgresql://...; `clock` is what leases go by on SQLite.

        Without `migrate` the schema must be there already. Raises SchemaNewer, StoreDown, StoreError.
        """
        database = Database.connect(url, clock)
        try:
            await (schema.migrate(database) if migrate else schema.check(database))
        except BaseException:
            await database.close()
            raise
        return cls(database)

    async def close(self) -> None:
        """Close every connection."""
        await self._mailroom.close()
        await self._database.close()

    async def now(self) -> datetime:
        """The clock that leases go by: the database's own on PostgreSQL, this machine's on SQLite."""

        def work(connection: Connection) -> datetime:
            return connection.execute(select(self._database.moment())).scalar_one()

        return self._database.here() or await self._database.read(work)

    async def post(self, thread: Thread, heard: Heard, key: str, *, opens: bool) -> Receipt:
        """Put what was heard into the thread's inbox, once per `key`; `opens` makes the session if need be."""
        letter = posts.Letter(thread, heard, key, opens)
        if not self._database.postgres:
            return await self._mailroom.post(letter)

        def work(connection: Connection) -> Receipt:
            return posts.deliver(self._database, connection, letter)

        return await self._database.write(work, again=True)

    async def sweep_parked(self) -> int:
        """Throw away parked messages older than ten minutes. Returns how many."""

        def work(connection: Connection) -> int:
            return posts.sweep(self._database, connection)

        return await self._database.write(work, again=True)

    async def acquire(self, session: str, holder: str, seconds: float) -> Lease | Busy | None:
        """Take the session for `seconds`, raising its fence. None: there is no such session."""
        term = self._from_now(seconds)
        take = (
            update(SESSIONS)
            .where(SESSIONS.c.id == session, self._free())
            .values(
                fence=SESSIONS.c.fence + 1,
                holder=holder,
                lease_from=self._database.moment(),
                lease_until=self._database.moment(seconds),
                unfinished=True,
                updated=self._database.moment(),
            )
            .returning(SESSIONS)
        )
        look = select(SESSIONS.c.lease_until, self._database.moment()).where(SESSIONS.c.id == session)

        def work(connection: Connection) -> Lease | Busy | None:
            row = connection.execute(take).one_or_none()
            if row is not None:
                grant = Grant(reading.thread_of(row), row.fence, row.seq, row.head)
                return Lease(self._database, grant, term, lambda: self._term)
            held = connection.execute(look).one_or_none()
            return None if held is None else Busy(held[0] or held[1])

        return await self._database.write(work)

    async def renew(self, fences: Mapping[str, int], seconds: float) -> frozenset[str]:
        """Prolong the leases of these sessions (with their fences) in one go. Returns those that are lost.

        The other leases are then to be told, by `Lease.renewed`.
        """
        term = self._from_now(seconds)
        kept: set[str] = set()
        pairs = iter(fences.items())
        while chunk := list(islice(pairs, CHUNK)):
            kept |= await self._renew(chunk, seconds)
        self._term = term
        return frozenset(fences.keys() - kept)

    async def _renew(self, pairs: list[tuple[str, int]], seconds: float) -> set[str]:
        statement = (
            update(SESSIONS)
            .where(tuple_(SESSIONS.c.id, SESSIONS.c.fence).in_(pairs), SESSIONS.c.lease_until.is_not(None))
            .values(lease_from=self._database.moment(), lease_until=self._database.moment(seconds))
            .returning(SESSIONS.c.id)
        )

        def work(connection: Connection) -> set[str]:
            return set(connection.execute(statement).scalars())

        return await self._database.write(work, again=True)

    async def due(self, limit: int = 100) -> list[tuple[str, int]]:
        """Sessions that nobody holds and that have something to do, with their inbox's length, oldest first."""
        # Three questions, each answered by an index of its own: most sessions wait, and are not looked at.
        something = union(
            select(SESSIONS.c.id).where(SESSIONS.c.inbox_seq > SESSIONS.c.consumed),
            select(SESSIONS.c.id).where(SESSIONS.c.wake_at <= self._database.moment()),
            select(SESSIONS.c.id).where(literal_column("sessions.unfinished", Boolean)),
        )
        statement = (
            select(SESSIONS.c.id, SESSIONS.c.inbox_seq)
            .where(SESSIONS.c.id.in_(something), self._free())
            .order_by(SESSIONS.c.updated, SESSIONS.c.id)
            .limit(limit)
        )

        def work(connection: Connection) -> list[tuple[str, int]]:
            return [(row.id, row.inbox_seq) for row in connection.execute(statement)]

        return await self._database.read(work)

    async def news(self, sessions: Sequence[str]) -> dict[str, int]:
        """The lengths of these sessions' inboxes."""
        if not sessions:
            return {}
        statement = select(SESSIONS.c.id, SESSIONS.c.inbox_seq).where(SESSIONS.c.id.in_(sessions))

        def work(connection: Connection) -> dict[str, int]:
            return {row.id: row.inbox_seq for row in connection.execute(statement)}

        return await self._database.read(work)

    async def journal(self, session: str, after: int = 0) -> list[Row]:
        """The session's entries numbered above `after`."""
        return await reading.read_journal(self._database, session, after)

    async def verify(self, session: str) -> int | None:
        """Check the hash chain: None if whole, else the number of the first entry that is missing or was changed."""
        return await reading.verify_chain(self._database, session)

    async def sessions(
        self, *, workspace: str = "", person: str = "", status: str = "", limit: int = 100
    ) -> list[SessionRow]:
        """Sessions, the most recently changed first; an empty filter does not filter."""
        return await reading.list_sessions(
            self._database, workspace=workspace, person=person, status=status, limit=limit
        )

    async def thread(self, session: str) -> Thread | None:
        """The thread of that session; None when there is no such session."""
        return await reading.find_thread(self._database, session)

    async def spent(self, workspace: str, person: str | None, since: datetime) -> Spend:
        """Money and tokens of a workspace, or of one person in it, from the day of `since` (UTC) on."""
        return await reading.total_spent(self._database, workspace, person, since)

    async def record_egress(self, session: str, row: EgressRow) -> None:
        """Add a line to the session's record of what left its machine."""
        await records.add_egress(self._database, session, row)

    async def egress(self, session: str) -> list[EgressRow]:
        """That record, oldest first."""
        return await records.list_egress(self._database, session)

    async def get_document(self, workspace: str, name: str) -> tuple[int, dict[str, Any]] | None:
        """The newest version of a settings document and its number."""
        return await records.newest(self._database, workspace, name)

    async def put_document(
        self, workspace: str, name: str, value: dict[str, Any], author: str, expect_version: int
    ) -> int:
        """Write the version after `expect_version` (0: the first); returns its number. Raises Conflict."""
        row = DocumentRow(workspace, name, expect_version + 1, value, author, self._database.clock())
        return await records.put(self._database, row)

    async def document_history(self, workspace: str, name: str) -> list[DocumentRow]:
        """All versions of a settings document, newest first."""
        return await records.history(self._database, workspace, name)

    def _free(self) -> ColumnElement[bool]:
        lapsed = SESSIONS.c.lease_until.is_(None) | (SESSIONS.c.lease_until <= self._database.moment())
        return lapsed | (SESSIONS.c.lease_from > self._database.moment(SKEW))

    def _from_now(self, seconds: float) -> Term:
        return Term(time.monotonic(), self._database.here(), seconds)
