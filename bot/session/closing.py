"""What ends together with a run: every question and confirmation of it that still waits for somebody."""

from __future__ import annotations

from datetime import datetime

from bot.entries import Decided
from bot.session.state import State


def withdrawals(state: State, at: datetime, key: str, why: str) -> list[Decided]:
    """The ends of all open asks. `key` is the inbox key that caused it, or a name of the session's own."""
    return [Decided(at, key, ask.asked.ask, "withdrawn", None, why) for ask in state.open_asks]
