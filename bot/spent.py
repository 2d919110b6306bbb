"""Money that a tool spent, as the journal keeps it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Literal


@dataclass(frozen=True, slots=True)
class Spent:
    """A tool cost something: `cost` in US dollars, None where the price is not known."""

    at: datetime
    what: str
    cost: float | None
    kind: Literal["spent"] = "spent"
