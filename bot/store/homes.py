"""Each session's computer as the deployment remembers it: where its files lie, which of its lives this is, its saves.

A computer may be lost with its host; what stands here is how anybody can tell, and what the session has yet to hear.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, delete, func, insert, select, update

from bot.entries import Entry, dump, load
from bot.store.database import Database
from bot.store.tables import HOMES, SAVES


@dataclass(frozen=True, slots=True)
class HomeRow:
    """`place` names the folder of its files; `generation` counts its lives; `untold` is what the journal lacks."""

    session: str
    place: str
    generation: int
    untold: tuple[Entry, ...] = ()


@dataclass(frozen=True, slots=True)
class SaveRow:
    """A save: a sealed file of `size` bytes with this hash. `omitted`: (path, bytes) of the largest
    of the `omitted_count` files for which there was no room."""

    id: str
    session: str
    at: datetime
    size: int
    sha256: str
    files: int
    home_files: int
    omitted_count: int = 0
    omitted: tuple[tuple[str, int], ...] = ()


class Homes:
    """Homes and saves of one database. Every method may raise StoreDown."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def find(self, session: str) -> HomeRow | None:
        """The session's computer, if it ever had one."""
        statement = select(HOMES).where(HOMES.c.session == session)

        def work(connection: Connection) -> HomeRow | None:
            row = connection.execute(statement).one_or_none()
            if row is None:
                return None
            untold = tuple(load(text) for text in json.loads(row.untold or "[]"))
            return HomeRow(row.session, row.place, row.generation, untold)

        return await self._database.read(work)

    async def put(self, row: HomeRow) -> None:
        """Remember it so from now on."""
        untold = json.dumps([dump(entry) for entry in row.untold]) if row.untold else ""
        values = {"place": row.place, "generation": row.generation, "untold": untold}
        statement = self._database.insert(HOMES).values(session=row.session, **values)
        upsert = statement.on_conflict_do_update(index_elements=["session"], set_=values)

        def work(connection: Connection) -> None:
            connection.execute(upsert)

        await self._database.write(work, again=True)

    async def told(self, session: str) -> None:
        """The journal has it all."""
        statement = update(HOMES).where(HOMES.c.session == session).values(untold="")

        def work(connection: Connection) -> None:
            connection.execute(statement)

        await self._database.write(work, again=True)

    async def places(self) -> frozenset[str]:
        """Every folder that belongs to a session."""

        def work(connection: Connection) -> frozenset[str]:
            return frozenset(connection.execute(select(HOMES.c.place)).scalars())

        return await self._database.read(work)

    async def saved(self, row: SaveRow) -> None:
        """A save stands in its file."""
        values = asdict(row) | {"omitted": json.dumps(row.omitted)}

        def work(connection: Connection) -> None:
            connection.execute(insert(SAVES).values(values))

        await self._database.write(work)

    async def saves(self, session: str) -> list[SaveRow]:
        """The session's saves, the newest first."""
        statement = select(SAVES).where(SAVES.c.session == session).order_by(SAVES.c.at.desc(), SAVES.c.id)

        def work(connection: Connection) -> list[SaveRow]:
            return [_save(row) for row in connection.execute(statement).mappings()]

        return await self._database.read(work)

    async def unsave(self, ids: list[str]) -> None:
        """These saves are gone."""
        statement = delete(SAVES).where(SAVES.c.id.in_(ids))

        def work(connection: Connection) -> None:
            connection.execute(statement)

        await self._database.write(work, again=True)

    async def beyond(self, most: int) -> list[SaveRow]:
        """The saves to give up so that all together have at most `most` bytes.

        First those that a newer one of their session replaces, then those of the sessions longest at rest.
        """
        newest = select(SAVES.c.session, func.max(SAVES.c.at).label("at")).group_by(SAVES.c.session).subquery()
        last = newest.c.at == SAVES.c.at
        statement = (
            select(SAVES, last.label("last"))
            .join(newest, newest.c.session == SAVES.c.session)
            .order_by(last, SAVES.c.at, SAVES.c.id)
        )
        total = select(func.coalesce(func.sum(SAVES.c.size), 0))

        def work(connection: Connection) -> list[SaveRow]:
            over = int(connection.execute(total).scalar_one()) - most
            found: list[SaveRow] = []
            if over <= 0:
                return found
            for row in connection.execute(statement).mappings():
                found.append(_save(row))
                over -= row["size"]
                if over <= 0:
                    break
            return found

        return await self._database.read(work)


def _save(row: Mapping[Any, Any]) -> SaveRow:
    names = ("id", "session", "at", "size", "sha256", "files", "home_files", "omitted_count")
    omitted = tuple((str(path), int(size)) for path, size in json.loads(row["omitted"]))
    return SaveRow(**{name: row[name] for name in names}, omitted=omitted)
