"""The right to work on one session for a while, and the only way to write its journal.

Every write names the fence that the lease was given; once somebody else holds a higher one, nothing of ours gets
through. The journal's last hash is part of the condition too, so that an append whose outcome a lost connection hid
can be repeated: it finds out by itself whether it had already happened.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass
from datetime import datetime

from sqlalchemy import Connection, case, insert, select, update
from sqlalchemy.sql.elements import ColumnElement

from bot.entries import Entry, dump
from bot.heard import Thread, load_heard
from bot.store.database import Database
from bot.store.errors import Fenced
from bot.store.reading import read_journal
from bot.store.rows import InboxRow, Projection, Row, Spend, chain
from bot.store.tables import INBOX, JOURNAL, SESSIONS, SPEND

MARGIN = 2.0
"""Seconds before the lease's end from which on nothing outside is done; a short lease has a shorter one."""
MARGIN_SHARE = 0.2


@dataclass(frozen=True, slots=True)
class Term:
    """For how long a lease was given or renewed: taken before the request was sent, so never too long.

    `began` by the monotonic clock; `wall` by the clock that leases go by, where that is this machine's.
    """

    began: float
    wall: datetime | None
    seconds: float


@dataclass(frozen=True, slots=True)
class Grant:
    """What the session row said when the lease was given."""

    thread: Thread
    fence: int
    seq: int
    head: str


class Lease:
    """Made by Store.acquire. All methods that write raise Fenced once the session is another's, or StoreDown."""

    def __init__(self, database: Database, grant: Grant, term: Term, latest: Callable[[], Term | None]) -> None:
        self.session = grant.thread.session
        self.thread = grant.thread
        self.fence = grant.fence
        self._database = database
        self._seq, self._head = grant.seq, grant.head
        self._term, self._latest = term, latest
        self._lost = ""
        self._turn = asyncio.Lock()

    async def load(self) -> list[Row]:
        """The whole journal."""
        return await read_journal(self._database, self.session)

    async def inbox(self) -> list[InboxRow]:
        """The messages not yet read into the journal, in order."""
        unread = select(SESSIONS.c.consumed).where(SESSIONS.c.id == self.session).scalar_subquery()
        statement = select(INBOX).where(INBOX.c.session == self.session, INBOX.c.number > unread)

        def work(connection: Connection) -> list[InboxRow]:
            rows = connection.execute(statement.order_by(INBOX.c.number))
            return [InboxRow(row.number, row.key, row.at, load_heard(row.heard)) for row in rows]

        return await self._database.read(work)

    async def append(self, *entries: Entry, consumed: int | None = None, spend: Spend | None = None) -> int:
        """Write entries down, all or none. `consumed`: the inbox is read up to this number. `spend` is booked.

        Returns the inbox's length: above `consumed`, somebody spoke.
        """
        return await asyncio.shield(asyncio.create_task(self._append(entries, consumed, spend)))

    async def settle(self, shown: Projection, *, wake_at: datetime | None, unfinished: bool) -> None:
        """Write what lists and the sweep go by: the projection on the session row."""
        clean = {name: text.replace("\0", "") for name, text in asdict(shown).items()}
        await self._update(wake_at=wake_at, unfinished=unfinished, **clean)

    async def release(self, *, wake_at: datetime | None) -> bool:
        """Let the session go, to be woken at `wake_at` or by a message. False: somebody spoke meanwhile, carry on."""

        def work(connection: Connection) -> bool:
            quiet = SESSIONS.c.consumed == SESSIONS.c.inbox_seq
            result = connection.execute(
                update(SESSIONS).where(self._ours(), quiet).values(lease_until=None, wake_at=wake_at)
            )
            if result.rowcount:
                return True
            row = connection.execute(_state(self.session)).one()
            if row.fence != self.fence:
                raise Fenced(self.session, self.fence)
            if row.lease_until is not None:  # settled too early: whoever dies from here on leaves work behind
                connection.execute(update(SESSIONS).where(self._ours()).values(unfinished=True))
            return row.lease_until is None

        async with self._turn:
            self._still_ours()
            released = await self._database.write(work, again=True)
            self._lost = "it was released" if released else ""
            return released

    async def hand_over(self) -> None:
        """Let the session go unfinished, for another worker to take at once: this process is shutting down."""
        async with self._turn:
            await self._change(lease_until=None, unfinished=True)
            self._lost = "it was handed over"

    def guard(self) -> None:
        """Raise Fenced if the lease may have lapsed by our own clocks. To be called right before an effect outside."""
        self._still_ours()
        term, now = self._term, self._database.here()
        left = term.seconds - (time.monotonic() - term.began)
        if term.wall is not None and now is not None:
            gone = (now - term.wall).total_seconds()
            left = min(left, term.seconds - gone) if gone > -MARGIN else 0.0
        if left < min(MARGIN, MARGIN_SHARE * term.seconds):
            raise Fenced(self.session, self.fence, "its lease was not renewed in time")

    def renewed(self) -> None:
        """The store's latest renewal included this lease."""
        self._term = self._latest() or self._term

    def _ours(self) -> ColumnElement[bool]:
        mine = (SESSIONS.c.id == self.session) & (SESSIONS.c.fence == self.fence)
        return mine & SESSIONS.c.lease_until.is_not(None)

    def _still_ours(self) -> None:
        if self._lost:
            raise Fenced(self.session, self.fence, self._lost)

    async def _update(self, **values: object) -> None:
        async with self._turn:
            await self._change(**values)

    async def _change(self, **values: object) -> None:
        def work(connection: Connection) -> None:
            result = connection.execute(
                update(SESSIONS).where(self._ours()).values(updated=self._database.moment(), **values)
            )
            if not result.rowcount:
                raise Fenced(self.session, self.fence)

        self._still_ours()
        try:
            await self._database.write(work, again="lease_until" not in values)
        except Fenced:
            self._lost = "another worker has taken it over"
            raise

    async def _append(self, entries: tuple[Entry, ...], consumed: int | None, spend: Spend | None) -> int:
        async with self._turn:
            self._still_ours()
            page = _Page.of(self, self._seq, self._head, entries)

            def work(connection: Connection) -> int:
                return self._write(connection, page, consumed, spend)

            try:
                length = await self._database.write(work, again=bool(entries) or spend is None)
            except Fenced:
                self._lost = "another worker has taken it over"
                raise
            self._seq, self._head = page.seq, page.head
            return length

    def _write(self, connection: Connection, page: _Page, consumed: int | None, spend: Spend | None) -> int:
        values: dict[str, object] = {"seq": page.seq, "head": page.head, "updated": self._database.moment()}
        if consumed is not None:
            values["consumed"] = case((SESSIONS.c.consumed < consumed, consumed), else_=SESSIONS.c.consumed)
        if spend is not None:
            values |= {"cost": SESSIONS.c.cost + spend.cost, "tokens": SESSIONS.c.tokens + spend.tokens}
        same = SESSIONS.c.head == self._head
        result = connection.execute(
            update(SESSIONS).where(self._ours(), same).values(values).returning(SESSIONS.c.inbox_seq, SESSIONS.c.person)
        )
        row = result.one_or_none()
        if row is None:
            return self._found_out(connection, page)
        if page.rows:
            connection.execute(insert(JOURNAL), page.rows)
        if spend is not None:
            self._book(connection, spend, spend.person or row.person)
        return row.inbox_seq

    def _found_out(self, connection: Connection, page: _Page) -> int:
        """Nothing was updated: either an earlier try had got through, or the session is another's."""
        row = connection.execute(_state(self.session)).one()
        if row.fence == self.fence and page.rows and row.head == page.head:
            return row.inbox_seq
        raise Fenced(self.session, self.fence)

    def _book(self, connection: Connection, spend: Spend, person: str) -> None:
        statement = self._database.insert(SPEND).values(
            workspace=self.thread.workspace,
            person=person,
            day=self._database.clock().date(),
            cost=spend.cost,
            tokens=spend.tokens,
        )
        more = {"cost": SPEND.c.cost + spend.cost, "tokens": SPEND.c.tokens + spend.tokens}
        connection.execute(statement.on_conflict_do_update(index_elements=["workspace", "person", "day"], set_=more))


@dataclass(frozen=True, slots=True)
class _Page:
    """Entries ready to be written, and where the journal stands after them."""

    rows: list[dict[str, object]]
    seq: int
    head: str

    @classmethod
    def of(cls, lease: Lease, seq: int, head: str, entries: tuple[Entry, ...]) -> _Page:
        rows: list[dict[str, object]] = []
        for entry in entries:
            text = dump(entry)
            seq, head = seq + 1, chain(head, text)
            rows.append({"session": lease.session, "number": seq, "entry": text, "hash": head})
        return cls(rows, seq, head)


def _state(session: str):
    return select(SESSIONS.c.fence, SESSIONS.c.head, SESSIONS.c.inbox_seq, SESSIONS.c.lease_until).where(
        SESSIONS.c.id == session
    )
