"""The one way into a session's inbox: one transaction, deduplicated, numbered without gaps.

A reply can overtake the mention that it answers. Such a message is parked and adopted by the post that opens the
session; on PostgreSQL an advisory lock per thread keeps the two from missing each other.
"""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import Connection, delete, insert, select, text, update

from bot.heard import Delete, Edit, Heard, Message, Thread, dump_heard
from bot.store.database import Database
from bot.store.rows import GENESIS, Receipt
from bot.store.tables import INBOX, PARKED, SESSIONS

PARKED_SECONDS = 600.0


@dataclass(frozen=True, slots=True)
class Letter:
    """A message on its way into the inbox of `thread`; `key` tells duplicates."""

    thread: Thread
    heard: Heard
    key: str
    opens: bool

    @property
    def session(self) -> str:
        """The session it is for."""
        return self.thread.session


def deliver_all(database: Database, connection: Connection, letters: list[Letter]) -> list[Receipt]:
    """Put all letters where they belong, in this order. For a database that has one writer at a time."""
    fresh = _openings(connection, letters) if len(letters) > 1 else {}
    if fresh:
        now = database.clock()
        connection.execute(
            insert(SESSIONS), [_blank(letter.thread, now) | {"inbox_seq": 1} for letter in fresh.values()]
        )
        first = [
            {"session": one.session, "number": 1, "key": one.key, "at": now, "heard": dump_heard(one.heard)}
            for one in fresh.values()
        ]
        connection.execute(insert(INBOX), first)
    return [
        Receipt(letter.session, 1, True, "stored")
        if fresh.get(letter.session) is letter
        else deliver(database, connection, letter)
        for letter in letters
    ]


def _openings(connection: Connection, letters: list[Letter]) -> dict[str, Letter]:
    """The letters that do nothing but open a session, by session."""
    first: dict[str, Letter] = {}
    for letter in letters:
        first.setdefault(letter.session, letter)
    known = [
        select(SESSIONS.c.id).where(SESSIONS.c.id.in_(first)),
        select(PARKED.c.session).where(PARKED.c.session.in_(first)),
    ]
    seen = {row[0] for row in connection.execute(known[0].union(known[1]))}
    return {session: letter for session, letter in first.items() if letter.opens and session not in seen}


def deliver(database: Database, connection: Connection, letter: Letter) -> Receipt:
    """Put the letter where it belongs."""
    if _bump(connection, letter.session):
        return _store(database, connection, letter)
    if not letter.opens and not isinstance(letter.heard, Message | Edit | Delete):
        return Receipt(letter.session, 0, False, "dropped")
    if database.postgres:
        connection.execute(
            text("select pg_advisory_xact_lock(hashtextextended(:session, 0))"), {"session": letter.session}
        )
        if _bump(connection, letter.session):  # it was opened while we waited
            return _store(database, connection, letter)
    if not letter.opens:
        return _park(database, connection, letter)
    return _open(database, connection, letter)


def sweep(database: Database, connection: Connection) -> int:
    """Throw away parked messages whose session was never opened. Returns how many."""
    result = connection.execute(delete(PARKED).where(PARKED.c.at < database.moment(-PARKED_SECONDS)))
    return result.rowcount


def _bump(connection: Connection, session: str) -> bool:
    """Count one more message; this also keeps other posts to the session waiting until we commit."""
    result = connection.execute(
        update(SESSIONS).where(SESSIONS.c.id == session).values(inbox_seq=SESSIONS.c.inbox_seq + 1)
    )
    return result.rowcount == 1


def _store(database: Database, connection: Connection, letter: Letter) -> Receipt:
    number = select(SESSIONS.c.inbox_seq).where(SESSIONS.c.id == letter.session).scalar_subquery()
    statement = (
        database.insert(INBOX)
        .values(
            session=letter.session,
            number=number,
            key=letter.key,
            at=database.moment(),
            heard=dump_heard(letter.heard),
        )
        .on_conflict_do_nothing(index_elements=["session", "key"])
        .returning(INBOX.c.number)
    )
    placed = connection.execute(statement).scalar_one_or_none()
    if placed is not None:
        return Receipt(letter.session, placed, True, "stored")
    # The count goes back: the row is ours until we commit, so nobody has seen it.
    connection.execute(
        update(SESSIONS).where(SESSIONS.c.id == letter.session).values(inbox_seq=SESSIONS.c.inbox_seq - 1)
    )
    found = connection.execute(
        select(INBOX.c.number).where(INBOX.c.session == letter.session, INBOX.c.key == letter.key)
    )
    return Receipt(letter.session, found.scalar_one(), False, "duplicate")


def _park(database: Database, connection: Connection, letter: Letter) -> Receipt:
    result = connection.execute(
        database.insert(PARKED)
        .values(session=letter.session, key=letter.key, at=database.moment(), heard=dump_heard(letter.heard))
        .on_conflict_do_nothing(index_elements=["session", "key"])
    )
    fresh = result.rowcount == 1
    return Receipt(letter.session, 0, fresh, "parked" if fresh else "duplicate")


def _open(database: Database, connection: Connection, letter: Letter) -> Receipt:
    """Make the session; its inbox begins with what opened it, then what had overtaken it, in order of arrival."""
    mine = PARKED.c.session == letter.session
    waiting = connection.execute(
        select(PARKED.c.key, PARKED.c.at, PARKED.c.heard)
        .where(mine, PARKED.c.key != letter.key, PARKED.c.at >= database.moment(-PARKED_SECONDS))
        .order_by(PARKED.c.id)
    )
    texts = [(letter.key, None, dump_heard(letter.heard)), *((row.key, row.at, row.heard) for row in waiting)]
    connection.execute(insert(SESSIONS).values(_blank(letter.thread, database.moment()) | {"inbox_seq": len(texts)}))
    for number, (key, at, heard) in enumerate(texts, 1):
        connection.execute(
            insert(INBOX).values(
                session=letter.session,
                number=number,
                key=key,
                at=database.moment() if at is None else at,
                heard=heard,
            )
        )
    connection.execute(delete(PARKED).where(mine))
    return Receipt(letter.session, 1, True, "stored")


def _blank(thread: Thread, now: object) -> dict[str, object]:
    """A new session's row; `now` as a value or as the database says it."""
    return {
        "id": thread.session,
        "surface": thread.surface,
        "workspace": thread.workspace,
        "channel": thread.channel,
        "root": thread.root,
        "seq": 0,
        "head": GENESIS,
        "consumed": 0,
        "fence": 0,
        "holder": "",
        "unfinished": False,
        "status": "",
        "title": "",
        "person": "",
        "waiting_for": "",
        "created": now,
        "updated": now,
        "cost": 0.0,
        "tokens": 0,
    }
