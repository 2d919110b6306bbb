"""Bringing a database to the schema that the code knows, also when several processes start at once."""

from __future__ import annotations

from pathlib import Path

from alembic import command
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, text

from bot.store.database import Database
from bot.store.errors import SchemaNewer, StoreError

_LOCK = 7_203_114_059_421
"""Key of the advisory lock that migrating processes queue on."""


def _config() -> Config:
    config = Config()
    config.set_main_option("script_location", str(Path(__file__).parent / "migrations").replace("%", "%%"))
    return config


def _state(connection: Connection) -> tuple[str | None, str]:
    """The database's revision (None: empty) and the newest known. Raises SchemaNewer."""
    script = ScriptDirectory.from_config(_config())
    head = script.get_current_head() or ""
    current = MigrationContext.configure(connection).get_current_revision()
    if current is not None and current not in {revision.revision for revision in script.walk_revisions()}:
        raise SchemaNewer(current, head)
    return current, head


def _upgrade(connection: Connection) -> None:
    current, head = _state(connection)
    if current == head:
        return
    config = _config()
    config.attributes["connection"] = connection
    command.upgrade(config, "head")


async def migrate(database: Database) -> None:
    """Upgrade to the newest schema, all or nothing. Raises SchemaNewer, StoreDown."""

    def work(connection: Connection) -> None:
        if database.postgres:
            connection.execute(text("select pg_advisory_xact_lock(:key)"), {"key": _LOCK})
        _upgrade(connection)

    await database.write(work, again=True)


async def check(database: Database) -> None:
    """Raise StoreError unless the schema is exactly the one that the code knows."""

    def work(connection: Connection) -> tuple[str | None, str]:
        return _state(connection)

    current, head = await database.read(work)
    if current != head:
        raise StoreError(
            f"The database has schema {current or 'none'}, this version needs {head}: run 'threadhand db upgrade'."
        )
