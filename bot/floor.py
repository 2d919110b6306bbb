"""Who may put hands on a session's machine at this moment, as this process knows it.

The journal says who took over; here stands what has been carried out: the session's own programs are at rest before
a person is let in, and a person is out before the session goes on. Everyone who shows or relays the screen asks here.
"""

from __future__ import annotations

import asyncio
import time

GRACE = 5.0
"""Seconds after a person left in which what their pages still send is neither passed nor kept."""


class Floor:
    """One machine's. `holder` is a person's id, or empty while the machine is the session's own."""

    def __init__(self) -> None:
        self.holder = ""
        self.asleep = False
        self._left = -GRACE
        self._changed = asyncio.Event()

    def give(self, person: str) -> None:
        """The machine to this person; an empty id gives it back to the session."""
        if person == self.holder:
            return
        if self.holder:
            self._left = time.monotonic()
        self.holder = person
        self._turn()

    def sleep(self, asleep: bool) -> None:
        """The machine rests, or wakes."""
        if asleep != self.asleep:
            self.asleep = asleep
            self._turn()

    @property
    def private(self) -> bool:
        """Whether what the machine sends may be a person's own: it is then never kept for somebody's yes."""
        return bool(self.holder) or time.monotonic() - self._left < GRACE

    def curtained(self, person: str) -> bool:
        """Whether the screen is hidden from this person."""
        return bool(self.holder) and self.holder != person

    async def changed(self) -> None:
        """Wait for the next change."""
        await self._changed.wait()

    def _turn(self) -> None:
        before, self._changed = self._changed, asyncio.Event()
        before.set()
