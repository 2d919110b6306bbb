"""Who may look into a session, and who may put hands on its machine: asked of the chat, never taken from a link.

A signed link or cookie says who somebody is. Whether they may is decided anew each time: members of the thread's own
workspace who are in its channel or whom the session works for. Guests and outsiders may not.
"""

from __future__ import annotations

import time
from collections import OrderedDict
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Protocol

from bot.heard import Person, Thread
from bot.session.state import State
from bot.store import Row
from bot.web.live.links import Visitor

KEPT_MOST = 200
FRESH = 60.0
"""Seconds for which the chat's word on one person in one thread holds."""


class Directory(Protocol):
    """A chat product's word on its people. Raises SurfaceError where it does not answer."""

    async def look(self, thread: Thread, person: str) -> Person | None:
        """The person as they stand now; None for nobody of the thread's workspace."""
        ...

    async def inside(self, thread: Thread, person: str) -> bool:
        """Whether they are in the thread's channel."""
        ...


class Journals(Protocol):
    """The part of the store that is read here."""

    async def thread(self, session: str) -> Thread | None: ...

    async def journal(self, session: str, after: int = 0) -> list[Row]: ...


class Denied(Exception):
    """Not for this person; the message says why. `status` is HTTP's."""

    def __init__(self, message: str, status: int = 403) -> None:
        super().__init__(message)
        self.status = status


@dataclass(frozen=True, slots=True)
class Admitted:
    """A person who may look. `partner`: the session works for them, so they may take over as well."""

    person: Person
    state: State
    partner: bool

    @property
    def thread(self) -> Thread:
        return self.state.thread

    @property
    def session(self) -> str:
        return self.state.thread.session


class Access:
    """Answers for one deployment."""

    def __init__(self, journals: Journals, directories: Mapping[str, Directory]) -> None:
        self._journals, self._directories = journals, directories
        self._states: OrderedDict[str, State] = OrderedDict()
        self._known: OrderedDict[tuple[str, str], tuple[float, Person]] = OrderedDict()

    async def state(self, session: str) -> State:
        """The session as its journal stands. Raises Denied when there is none."""
        state = self._states.get(session)
        if state is None:
            thread = await self._journals.thread(session)
            if thread is None:
                raise Denied("There is no such session.", 404)
            state = self._states[session] = State(thread)
        self._states.move_to_end(session)
        while len(self._states) > KEPT_MOST:
            self._states.popitem(last=False)
        for row in await self._journals.journal(session, state.number):
            if row.number == state.number + 1:  # another reader may have been faster
                state.apply(row.number, row.entry)
        return state

    async def admit(self, session: str, visitor: Visitor) -> Admitted:
        """Let the visitor look. Raises Denied, SurfaceError or StoreError."""
        if visitor.session not in ("", session):
            raise Denied("This link is for another session.")
        state = await self.state(session)
        person = await self._person(state, visitor)
        return Admitted(person, state, person.id in state.partners)

    async def _person(self, state: State, visitor: Visitor) -> Person:
        key = (state.thread.session, visitor.id)
        found = self._known.get(key)
        if found is not None and time.monotonic() - found[0] < FRESH:
            return found[1]
        self._known.pop(key, None)
        person = await self._ask(state, visitor)
        self._known[key] = (time.monotonic(), person)
        while len(self._known) > KEPT_MOST * 10:
            self._known.popitem(last=False)
        return person

    async def _ask(self, state: State, visitor: Visitor) -> Person:
        directory = self._directories.get(state.thread.surface)
        person = await directory.look(state.thread, visitor.id) if directory else None
        if directory is None or person is None or not person.trusted:
            raise Denied("Only members of this workspace can open this page.")
        if person.id not in state.partners and not await directory.inside(state.thread, person.id):
            raise Denied("Only people in the thread's channel can open this page.")
        return person
