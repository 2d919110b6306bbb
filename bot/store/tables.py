"""The tables, as SQLAlchemy Core knows them. Migrations make them; this file only describes the newest state."""

from __future__ import annotations

from datetime import UTC, datetime

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    Date,
    DateTime,
    Dialect,
    Float,
    Integer,
    MetaData,
    Table,
    Text,
    UniqueConstraint,
)
from sqlalchemy.types import TypeDecorator, TypeEngine


class Moment(TypeDecorator[datetime]):
    """An aware time in UTC; on SQLite a text of fixed width, so that it sorts as time does."""

    impl = DateTime
    cache_ok = True

    def load_dialect_impl(self, dialect: Dialect) -> TypeEngine[datetime]:
        """With a time zone where the database knows them."""
        return dialect.type_descriptor(DateTime(timezone=dialect.name == "postgresql"))

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        """To UTC; naive times are a mistake of the caller and refused."""
        if value is None:
            return None
        if value.tzinfo is None:
            raise ValueError(f"{value} has no time zone: the store takes aware times only")
        value = value.astimezone(UTC)
        return value if dialect.name == "postgresql" else value.replace(tzinfo=None)

    def process_result_value(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        """Aware, whatever the database gave."""
        if value is None:
            return None
        return value.replace(tzinfo=UTC) if value.tzinfo is None else value.astimezone(UTC)


METADATA = MetaData()
NUMBER = BigInteger().with_variant(Integer(), "sqlite")

SESSIONS = Table(
    "sessions",
    METADATA,
    Column("id", Text, primary_key=True),
    Column("surface", Text, nullable=False),
    Column("workspace", Text, nullable=False),
    Column("channel", Text, nullable=False),
    Column("root", Text, nullable=False),
    Column("seq", NUMBER, nullable=False),  # entries in the journal
    Column("head", Text, nullable=False),  # hash of the last one
    Column("inbox_seq", NUMBER, nullable=False),  # messages in the inbox
    Column("consumed", NUMBER, nullable=False),  # of these, read into the journal
    Column("fence", NUMBER, nullable=False),
    Column("holder", Text, nullable=False),
    Column("lease_from", Moment),
    Column("lease_until", Moment),  # null: nobody holds it
    Column("wake_at", Moment),
    Column("unfinished", Boolean, nullable=False),
    Column("status", Text, nullable=False),
    Column("title", Text, nullable=False),
    Column("person", Text, nullable=False),
    Column("waiting_for", Text, nullable=False),
    Column("created", Moment, nullable=False),
    Column("updated", Moment, nullable=False),
    Column("cost", Float, nullable=False),
    Column("tokens", NUMBER, nullable=False),
)

JOURNAL = Table(
    "journal",
    METADATA,
    Column("session", Text, primary_key=True),
    Column("number", NUMBER, primary_key=True, autoincrement=False),
    Column("entry", Text, nullable=False),  # the very text that was hashed
    Column("hash", Text, nullable=False),
)

INBOX = Table(
    "inbox",
    METADATA,
    Column("session", Text, primary_key=True),
    Column("number", NUMBER, primary_key=True, autoincrement=False),
    Column("key", Text, nullable=False),
    Column("at", Moment, nullable=False),
    Column("heard", Text, nullable=False),
    UniqueConstraint("session", "key", name="inbox_key"),
)

PARKED = Table(
    "parked",
    METADATA,
    Column("id", NUMBER, primary_key=True, autoincrement=True),
    Column("session", Text, nullable=False),
    Column("key", Text, nullable=False),
    Column("at", Moment, nullable=False),
    Column("heard", Text, nullable=False),
    UniqueConstraint("session", "key", name="parked_key"),
)

SPEND = Table(
    "spend",
    METADATA,
    Column("workspace", Text, primary_key=True),
    Column("person", Text, primary_key=True),
    Column("day", Date, primary_key=True),
    Column("cost", Float, nullable=False),
    Column("tokens", NUMBER, nullable=False),
)

EGRESS = Table(
    "egress",
    METADATA,
    Column("id", NUMBER, primary_key=True, autoincrement=True),
    Column("session", Text, nullable=False),
    Column("at", Moment, nullable=False),
    Column("method", Text, nullable=False),
    Column("url", Text, nullable=False),
    Column("verdict", Text, nullable=False),
    Column("reason", Text, nullable=False),
    Column("address", Text, nullable=False),
    Column("status", Integer),
    Column("sent", NUMBER, nullable=False),
    Column("received", NUMBER, nullable=False),
    Column("sha256", Text, nullable=False),
    Column("seconds", Float, nullable=False),
)

DOCUMENTS = Table(
    "documents",
    METADATA,
    Column("workspace", Text, primary_key=True),
    Column("name", Text, primary_key=True),
    Column("version", NUMBER, primary_key=True, autoincrement=False),
    Column("value", Text, nullable=False),
    Column("author", Text, nullable=False),
    Column("at", Moment, nullable=False),
)

INSTALLATIONS = Table(
    "installations",
    METADATA,
    Column("surface", Text, primary_key=True),
    Column("workspace", Text, primary_key=True),
    Column("data", Text, nullable=False),
    Column("version", NUMBER, nullable=False),
    Column("at", Moment, nullable=False),
)

OAUTH_STATES = Table(
    "oauth_states",
    METADATA,
    Column("digest", Text, primary_key=True),
    Column("purpose", Text, nullable=False),
    Column("data", Text, nullable=False),
    Column("until", Moment, nullable=False),
)

LOCKS = Table(
    "locks",
    METADATA,
    Column("name", Text, primary_key=True),
    Column("holder", Text, nullable=False),
    Column("until", Moment, nullable=False),
)

HOMES = Table(
    "homes",
    METADATA,
    Column("session", Text, primary_key=True),
    Column("place", Text, nullable=False),  # name of the folder that holds its computer's files
    Column("generation", NUMBER, nullable=False),  # 1, and one more each time it was lost
    Column("untold", Text, nullable=False),  # entries the session's journal is to get, as JSON; empty: none
)

SAVES = Table(
    "saves",
    METADATA,
    Column("id", Text, primary_key=True),
    Column("session", Text, nullable=False),
    Column("at", Moment, nullable=False),
    Column("size", NUMBER, nullable=False),  # bytes of the sealed file
    Column("sha256", Text, nullable=False),
    Column("files", NUMBER, nullable=False),
    Column("home_files", NUMBER, nullable=False),  # of these, in the agent's home
    Column("omitted_count", NUMBER, nullable=False),
    Column("omitted", Text, nullable=False),  # what was left out for its size, as JSON
)
