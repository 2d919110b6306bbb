"""Recognising a session's computer when it starts, and saving it before it is put away.

Hides marks and generations. A home that does not bear the mark it was given is not the session's: it is said to be
lost, and what the last save holds is brought back, before anything runs in it.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import UTC, datetime

from bot.entries import Entry
from bot.lost import Lost, Unsaved
from bot.saves import SaveFailed, Saves
from bot.store import HomeRow, Homes, StoreError
from sandbox.parcel import Luggage, Mark, Portable
from sandbox.types import Machine, MachineError

log = logging.getLogger(__name__)


def _now() -> datetime:
    return datetime.now(UTC)


@dataclass(frozen=True, slots=True)
class Upkeep:
    """Of all computers of a deployment."""

    homes: Homes
    saves: Saves
    clock: Callable[[], datetime] = _now

    async def arrived(self, session: str, machine: Machine) -> tuple[Entry, ...]:
        """A machine was started for the session: make sure that it is the session's own. Returns what the session has
        not been told yet. Raises MachineError, StoreError.

        A mark is written before its row: a crash in between repeats the recognition, and never calls a good home lost.
        """
        if not isinstance(machine, Portable):
            return ()
        luggage = machine.luggage()
        row, found = await self.homes.find(session), await luggage.found()
        if row is None:
            row = HomeRow(session, session, 1)
            await luggage.set_mark(Mark(session, row.generation))
            await self.homes.put(row)
        elif found.mark != Mark(session, row.generation):
            row = replace(row, generation=row.generation + 1, untold=(*row.untold, await self._back(session, luggage)))
            await luggage.set_mark(Mark(session, row.generation))
            await self.homes.put(row)
        return row.untold

    async def told(self, session: str) -> None:
        """The journal has what `arrived` returned."""
        await self.homes.told(session)

    async def save(self, session: str, machine: Machine) -> None:
        """Save the machine's files; what was saved before stays where that fails, and the log says why."""
        if not isinstance(machine, Portable):
            return
        try:
            luggage = machine.luggage()
            await luggage.settle()
            saved = await self.saves.make(session, luggage)
            row = await self.homes.find(session)
            if saved.omitted_count and row is not None:
                names = tuple(path for path, _ in saved.omitted)
                unsaved = Unsaved(self.clock(), names, saved.omitted_count)
                await self.homes.put(replace(row, untold=(*row.untold, unsaved)))
        except (SaveFailed, MachineError, StoreError) as error:
            log.error("the files of session %s were not saved: %s", session, error)

    async def _back(self, session: str, luggage: Luggage) -> Lost:
        """Bring back what there is; what is in the home already stays."""
        newest = await self.saves.newest(session)
        try:
            restored = await self.saves.restore(session, luggage, over=False)
        except SaveFailed as error:
            log.error("session %s has lost its computer, and its saves cannot be used: %s", session, error)
            return Lost(self.clock(), None, why=str(error))
        if restored is None:
            log.error("session %s has lost its computer, and there is no save", session)
            return Lost(self.clock(), None)
        row, files = restored
        log.error("session %s has lost its computer; %d files are back", session, files)
        older = "the newest save was damaged" if newest is not None and newest.id != row.id else ""
        return Lost(self.clock(), row.at, files, tuple(path for path, _ in row.omitted), older)
