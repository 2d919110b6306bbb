"""What the journal keeps of people who take the machine over.

One person at a time holds the machine's screen and keyboard; while somebody does, the session rests. What is typed
is never among these words.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Literal

from bot.heard import Person

HOLD = timedelta(minutes=30)
"""How long a hold lasts without a sign of life."""
SCREEN_TOOL = "request_takeover"


@dataclass(frozen=True, slots=True)
class TookOver:
    """`by` holds the machine until `until`; written again while they give signs of life."""

    at: datetime
    key: str
    by: Person
    until: datetime
    kind: Literal["took_over"] = "took_over"


@dataclass(frozen=True, slots=True)
class GaveBack:
    """The machine is the session's again. `by` is None when the hold lapsed."""

    at: datetime
    key: str
    by: Person | None
    page: str = ""
    kind: Literal["gave_back"] = "gave_back"


@dataclass(frozen=True, slots=True)
class Invited:
    """Somebody asked for a link to the live page; the link itself is made when it is told, and never written down."""

    at: datetime
    key: str
    author: Person
    kind: Literal["invited"] = "invited"
