"""The first schema.

Revision ID: 0001
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None

BIG = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
TIME = sa.DateTime(timezone=True)


def text(name: str, *, key: bool = False) -> sa.Column[str]:
    return sa.Column(name, sa.Text, primary_key=key, nullable=False)


def big(name: str, *, key: bool = False, counts: bool = False) -> sa.Column[int]:
    return sa.Column(name, BIG, primary_key=key, autoincrement=counts, nullable=False)


def upgrade() -> None:
    _sessions()
    _messages()
    _money_and_records()
    _workspaces()


def _sessions() -> None:
    op.create_table(
        "sessions",
        text("id", key=True),
        *(text(name) for name in ("surface", "workspace", "channel", "root")),
        big("seq"),
        text("head"),
        *(big(name) for name in ("inbox_seq", "consumed", "fence")),
        text("holder"),
        *(sa.Column(name, TIME) for name in ("lease_from", "lease_until", "wake_at")),
        sa.Column("unfinished", sa.Boolean, nullable=False),
        *(text(name) for name in ("status", "title", "person", "waiting_for")),
        sa.Column("created", TIME, nullable=False),
        sa.Column("updated", TIME, nullable=False),
        sa.Column("cost", sa.Float, nullable=False),
        big("tokens"),
    )
    op.create_index("sessions_by_person", "sessions", ["workspace", "person", "updated"])
    op.create_index("sessions_by_wake", "sessions", ["wake_at"])
    # The sweep looks every few seconds: it must not read ten thousand sessions that wait for somebody.
    for name, where in (("sessions_unread", "inbox_seq > consumed"), ("sessions_unfinished", "unfinished")):
        op.create_index(name, "sessions", ["id"], postgresql_where=sa.text(where), sqlite_where=sa.text(where))


def _messages() -> None:
    op.create_table("journal", text("session", key=True), big("number", key=True), text("entry"), text("hash"))
    op.create_table(
        "inbox",
        text("session", key=True),
        big("number", key=True),
        text("key"),
        sa.Column("at", TIME, nullable=False),
        text("heard"),
        sa.UniqueConstraint("session", "key", name="inbox_key"),
    )
    op.create_table(
        "parked",
        big("id", key=True, counts=True),
        text("session"),
        text("key"),
        sa.Column("at", TIME, nullable=False),
        text("heard"),
        sa.UniqueConstraint("session", "key", name="parked_key"),
    )
    op.create_index("parked_by_time", "parked", ["at"])


def _money_and_records() -> None:
    op.create_table(
        "spend",
        text("workspace", key=True),
        text("person", key=True),
        sa.Column("day", sa.Date, primary_key=True, nullable=False),
        sa.Column("cost", sa.Float, nullable=False),
        big("tokens"),
    )
    op.create_table(
        "egress",
        big("id", key=True, counts=True),
        text("session"),
        sa.Column("at", TIME, nullable=False),
        *(text(name) for name in ("method", "url", "verdict", "reason", "address")),
        sa.Column("status", sa.Integer),
        big("sent"),
        big("received"),
        text("sha256"),
        sa.Column("seconds", sa.Float, nullable=False),
    )
    op.create_index("egress_by_session", "egress", ["session", "id"])


def _workspaces() -> None:
    op.create_table(
        "documents",
        text("workspace", key=True),
        text("name", key=True),
        big("version", key=True),
        text("value"),
        text("author"),
        sa.Column("at", TIME, nullable=False),
    )
    op.create_table(
        "installations",
        text("surface", key=True),
        text("workspace", key=True),
        text("data"),
        big("version"),
        sa.Column("at", TIME, nullable=False),
    )
    op.create_table(
        "oauth_states",
        text("digest", key=True),
        text("purpose"),
        text("data"),
        sa.Column("until", TIME, nullable=False),
    )
    op.create_table("locks", text("name", key=True), text("holder"), sa.Column("until", TIME, nullable=False))
