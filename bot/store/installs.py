"""Where a surface keeps its workspaces' credentials (sealed by bot.vault), and what an OAuth installation needs.

Plain on purpose: what the vendor's SDK wants is written on top of this, at the surface.
"""

from __future__ import annotations

import asyncio
import hashlib
import secrets
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager

from sqlalchemy import Connection, delete, insert, select

from bot.store.database import Database
from bot.store.errors import Conflict, StoreDown
from bot.store.rows import InstallationRow
from bot.store.tables import INSTALLATIONS, LOCKS, OAUTH_STATES

STATE_SECONDS = 600.0
LOCK_SECONDS = 30.0
"""A lock's holder must be done within this time; one that died keeps it no longer."""


class Installs:
    """Installations, states and locks of one database. `workspace` is any text the surface tells them apart by."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def save(self, surface: str, workspace: str, data: str, *, expect: int | None = None) -> int:
        """Keep sealed `data`; returns its version. With `expect`, raises Conflict unless that is the version now."""
        statement = self._database.insert(INSTALLATIONS).values(
            surface=surface, workspace=workspace, data=data, version=1, at=self._database.moment()
        )
        upsert = statement.on_conflict_do_update(
            index_elements=["surface", "workspace"],
            set_={"data": data, "version": INSTALLATIONS.c.version + 1, "at": self._database.moment()},
            where=None if expect is None else INSTALLATIONS.c.version == expect,
        ).returning(INSTALLATIONS.c.version)

        def work(connection: Connection) -> int:
            version = connection.execute(upsert).scalar_one_or_none()
            if version is None or (expect is not None and version != expect + 1):
                raise Conflict(f"The installation of {workspace} was renewed by another process meanwhile.")
            return version

        return await self._database.write(work)

    async def find(self, surface: str, workspace: str) -> InstallationRow | None:
        """The installation, or None."""
        statement = select(INSTALLATIONS).where(
            INSTALLATIONS.c.surface == surface, INSTALLATIONS.c.workspace == workspace
        )

        def work(connection: Connection) -> InstallationRow | None:
            row = connection.execute(statement).mappings().one_or_none()
            return None if row is None else InstallationRow(**row)

        return await self._database.read(work)

    async def list(self, surface: str) -> list[InstallationRow]:
        """All installations of a surface."""
        statement = select(INSTALLATIONS).where(INSTALLATIONS.c.surface == surface).order_by(INSTALLATIONS.c.workspace)

        def work(connection: Connection) -> list[InstallationRow]:
            return [InstallationRow(**row) for row in connection.execute(statement).mappings()]

        return await self._database.read(work)

    async def delete(self, surface: str, workspace: str) -> bool:
        """Forget the installation. False: there was none."""
        statement = delete(INSTALLATIONS).where(
            INSTALLATIONS.c.surface == surface, INSTALLATIONS.c.workspace == workspace
        )

        def work(connection: Connection) -> bool:
            return connection.execute(statement).rowcount > 0

        return await self._database.write(work, again=True)

    async def issue_state(self, purpose: str, data: str = "") -> str:
        """A fresh OAuth state, good once and for ten minutes. `data` comes back when it is consumed."""
        state = secrets.token_urlsafe(32)
        old = delete(OAUTH_STATES).where(OAUTH_STATES.c.until <= self._database.moment())
        new = insert(OAUTH_STATES).values(
            digest=_digest(state), purpose=purpose, data=data, until=self._database.moment(STATE_SECONDS)
        )

        def work(connection: Connection) -> None:
            connection.execute(old)
            connection.execute(new)

        await self._database.write(work)
        return state

    async def consume_state(self, purpose: str, state: str) -> str | None:
        """Use a state up and return its data; None: it is unknown, used, expired or for another purpose."""
        statement = (
            delete(OAUTH_STATES)
            .where(
                OAUTH_STATES.c.digest == _digest(state),
                OAUTH_STATES.c.purpose == purpose,
                OAUTH_STATES.c.until > self._database.moment(),
            )
            .returning(OAUTH_STATES.c.data)
        )

        def work(connection: Connection) -> str | None:
            return connection.execute(statement).scalar_one_or_none()

        return await self._database.write(work)

    @asynccontextmanager
    async def lock(self, name: str, wait: float = 20.0) -> AsyncGenerator[None]:
        """Hold a lock of that name across all processes, for at most 30 s. Raises StoreDown after `wait` seconds.

        A holder that overstays loses it: what it saves must name the version it began with.
        """
        holder = secrets.token_hex(16)
        try:
            async with asyncio.timeout(wait):
                while not await self._take(name, holder):  # noqa: ASYNC110 (the holder may be another process)
                    await asyncio.sleep(0.1)
        except TimeoutError as error:
            raise StoreDown(f"another process keeps the lock '{name}'") from error
        try:
            yield
        finally:
            await self._drop(name, holder)

    async def _take(self, name: str, holder: str) -> bool:
        now, until = self._database.moment(), self._database.moment(LOCK_SECONDS)
        statement = (
            self._database.insert(LOCKS)
            .values(name=name, holder=holder, until=until)
            .on_conflict_do_update(
                index_elements=["name"],
                set_={"holder": holder, "until": until},
                # Far in the future: taken before the clock was set back.
                where=(LOCKS.c.until <= now) | (LOCKS.c.until > self._database.moment(2 * LOCK_SECONDS)),
            )
        )

        def work(connection: Connection) -> bool:
            return connection.execute(statement).rowcount == 1

        return await self._database.write(work)

    async def _drop(self, name: str, holder: str) -> None:
        statement = delete(LOCKS).where(LOCKS.c.name == name, LOCKS.c.holder == holder)

        def work(connection: Connection) -> None:
            connection.execute(statement)

        await self._database.write(work, again=True)


def _digest(state: str) -> str:
    return hashlib.sha256(state.encode()).hexdigest()
