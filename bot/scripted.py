"""What programs in the machine ask of their session through `hand`, as the journal keeps it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Literal

HAND_TOOLS = {"plan": "plan", "note": "note", "deliver": "deliver_file", "ask": "ask"}
"""Tools that a program may call, by the word it uses."""


@dataclass(frozen=True, slots=True)
class Requested:
    """A program wants a call of this tool. Its result goes to the program; the model does not read it."""

    at: datetime
    call: str
    name: str
    arguments: str
    kind: Literal["requested"] = "requested"
