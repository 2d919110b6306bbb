"""What the store hands out: plain frozen values, times always aware and in UTC."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal

from bot.entries import Entry
from bot.heard import Heard, Thread

GENESIS = "0" * 64
"""The hash before a journal's first entry."""


def chain(previous: str, text: str) -> str:
    """The hash of an entry: sha256 over the hash before it and its canonical JSON, in hexadecimal."""
    return hashlib.sha256(previous.encode() + b"\n" + text.encode()).hexdigest()


@dataclass(frozen=True, slots=True)
class Receipt:
    """What became of a post. `number` is the message's place in the inbox, 0 unless it stands there.

    stored: it is in the inbox. duplicate: it had been heard before. parked: it waits, for ten minutes, for the
    message that opens its session. dropped: it means nothing without a session.
    """

    session: str
    number: int
    new: bool
    state: Literal["stored", "duplicate", "parked", "dropped"]


@dataclass(frozen=True, slots=True)
class InboxRow:
    """One message of the inbox. `key` is what duplicates are told by."""

    number: int
    key: str
    at: datetime
    heard: Heard


@dataclass(frozen=True, slots=True)
class Row:
    """One entry of a journal; numbers count from 1 without gaps."""

    number: int
    at: datetime
    entry: Entry
    hash: str


@dataclass(frozen=True, slots=True)
class Busy:
    """Somebody else works on the session; the lease ends at `until` if it is not renewed."""

    until: datetime


@dataclass(frozen=True, slots=True)
class Spend:
    """Money in US dollars and tokens. `person` is whom it is booked on; empty: the session's person."""

    cost: float = 0.0
    tokens: int = 0
    person: str = ""


@dataclass(frozen=True, slots=True)
class Projection:
    """What lists show of a session; `person` is an id, `waiting_for` whom and what it waits for, in words."""

    status: str = ""
    title: str = ""
    person: str = ""
    waiting_for: str = ""


@dataclass(frozen=True, slots=True)
class SessionRow:
    """A session as lists show it: a projection of its journal, never the truth itself."""

    id: str
    thread: Thread
    status: str
    title: str
    person: str
    waiting_for: str
    created: datetime
    updated: datetime
    wake_at: datetime | None
    unfinished: bool
    cost: float
    tokens: int


@dataclass(frozen=True, slots=True)
class EgressRow:
    """One request that left a machine, or wanted to. `sent` and `received` are bytes, `sha256` of the body sent."""

    at: datetime
    method: str
    url: str
    verdict: str
    reason: str = ""
    address: str = ""
    status: int | None = None
    sent: int = 0
    received: int = 0
    sha256: str = ""
    seconds: float = 0.0


@dataclass(frozen=True, slots=True)
class DocumentRow:
    """One version of a workspace's settings document and who wrote it."""

    workspace: str
    name: str
    version: int
    value: dict[str, Any]
    author: str
    at: datetime


@dataclass(frozen=True, slots=True)
class InstallationRow:
    """A workspace's credentials, sealed. `version` counts its saves."""

    surface: str
    workspace: str
    data: str
    version: int
    at: datetime
