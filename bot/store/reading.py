"""Reading journals and lists back; nothing here writes."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import Connection, func, select
from sqlalchemy.engine import Row as SqlRow

from bot.entries import load
from bot.heard import Thread
from bot.store.database import Database
from bot.store.rows import GENESIS, Row, SessionRow, Spend, chain
from bot.store.tables import JOURNAL, SESSIONS, SPEND


async def read_journal(database: Database, session: str, after: int = 0) -> list[Row]:
    """The entries numbered above `after`, in order."""
    statement = (
        select(JOURNAL.c.number, JOURNAL.c.entry, JOURNAL.c.hash)
        .where(JOURNAL.c.session == session, JOURNAL.c.number > after)
        .order_by(JOURNAL.c.number)
    )

    def work(connection: Connection) -> list[Row]:
        found = connection.execute(statement)
        entries = [(row.number, load(row.entry), row.hash) for row in found]
        return [Row(number, entry.at, entry, digest) for number, entry, digest in entries]

    return await database.read(work)


async def verify_chain(database: Database, session: str) -> int | None:
    """None if the journal is whole; else the number of the first entry that is missing or was changed."""
    statement = select(JOURNAL).where(JOURNAL.c.session == session).order_by(JOURNAL.c.number)
    tip = select(SESSIONS.c.seq, SESSIONS.c.head).where(SESSIONS.c.id == session)

    def work(connection: Connection) -> int | None:
        expected, head = 0, GENESIS
        last = connection.execute(tip).one_or_none()
        for row in connection.execute(statement):
            expected += 1
            head = chain(head, row.entry)
            if row.number != expected or row.hash != head:
                return expected
        if last is None:
            return 1 if expected else None
        if last.seq > expected:
            return expected + 1
        return None if last.seq == expected and last.head == head else max(expected, 1)

    return await database.read(work)


async def list_sessions(
    database: Database, *, workspace: str, person: str, status: str, limit: int
) -> list[SessionRow]:
    """Newest first; an empty filter does not filter."""
    statement = select(SESSIONS).order_by(SESSIONS.c.updated.desc(), SESSIONS.c.id).limit(limit)
    for column, wanted in ((SESSIONS.c.workspace, workspace), (SESSIONS.c.person, person), (SESSIONS.c.status, status)):
        if wanted:
            statement = statement.where(column == wanted)

    def work(connection: Connection) -> list[SessionRow]:
        return [session_row(row) for row in connection.execute(statement)]

    return await database.read(work)


async def find_thread(database: Database, session: str) -> Thread | None:
    """The thread of that session; None when there is no such session."""
    statement = select(SESSIONS).where(SESSIONS.c.id == session)

    def work(connection: Connection) -> Thread | None:
        row = connection.execute(statement).one_or_none()
        return None if row is None else thread_of(row)

    return await database.read(work)


async def total_spent(database: Database, workspace: str, person: str | None, since: datetime) -> Spend:
    """What was booked from the day of `since` (UTC) on."""
    statement = select(func.coalesce(func.sum(SPEND.c.cost), 0.0), func.coalesce(func.sum(SPEND.c.tokens), 0)).where(
        SPEND.c.workspace == workspace, SPEND.c.day >= since.date()
    )
    if person is not None:
        statement = statement.where(SPEND.c.person == person)

    def work(connection: Connection) -> Spend:
        cost, tokens = connection.execute(statement).one()
        return Spend(float(cost), int(tokens), person or "")

    return await database.read(work)


def thread_of(row: SqlRow[tuple[object, ...]]) -> Thread:
    """The thread that a session row belongs to."""
    return Thread(row.surface, row.workspace, row.channel, row.root)


def session_row(row: SqlRow[tuple[object, ...]]) -> SessionRow:
    """A session row as lists show it."""
    return SessionRow(
        id=row.id,
        thread=thread_of(row),
        status=row.status,
        title=row.title,
        person=row.person,
        waiting_for=row.waiting_for,
        created=row.created,
        updated=row.updated,
        wake_at=row.wake_at,
        unfinished=row.unfinished,
        cost=row.cost,
        tokens=row.tokens,
    )
