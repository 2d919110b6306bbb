"""What left the machines, and workspace settings with every version and its author."""

from __future__ import annotations

import json
from dataclasses import asdict
from typing import Any

from sqlalchemy import Connection, func, insert, select
from sqlalchemy.engine import Row as SqlRow

from bot.store.database import Database
from bot.store.errors import Conflict
from bot.store.rows import DocumentRow, EgressRow
from bot.store.tables import DOCUMENTS, EGRESS


async def add_egress(database: Database, session: str, row: EgressRow) -> None:
    """Add a line to the session's record."""
    values: dict[str, Any] = {
        name: value.replace("\0", "") if isinstance(value, str) else value for name, value in asdict(row).items()
    }

    def work(connection: Connection) -> None:
        connection.execute(insert(EGRESS).values(session=session, **values))

    await database.write(work)


async def list_egress(database: Database, session: str) -> list[EgressRow]:
    """The session's record, oldest first."""
    columns = [column for column in EGRESS.c if column.name not in ("id", "session")]
    statement = select(*columns).where(EGRESS.c.session == session).order_by(EGRESS.c.id)

    def work(connection: Connection) -> list[EgressRow]:
        return [EgressRow(**row) for row in connection.execute(statement).mappings()]

    return await database.read(work)


async def newest(database: Database, workspace: str, name: str) -> tuple[int, dict[str, Any]] | None:
    """The newest version and its number."""
    statement = _versions(workspace, name).limit(1)

    def work(connection: Connection) -> tuple[int, dict[str, Any]] | None:
        row = connection.execute(statement).one_or_none()
        return None if row is None else (row.version, json.loads(row.value))

    return await database.read(work)


async def put(database: Database, row: DocumentRow) -> int:
    """Write a version if it is the one after the newest. Raises Conflict."""
    last = func.coalesce(func.max(DOCUMENTS.c.version), 0)
    statement = select(last).where(DOCUMENTS.c.workspace == row.workspace, DOCUMENTS.c.name == row.name)
    values = asdict(row) | {"value": json.dumps(row.value, ensure_ascii=True)}
    write = database.insert(DOCUMENTS).values(values).on_conflict_do_nothing()

    def work(connection: Connection) -> int:
        found = connection.execute(statement).scalar_one()
        if found != row.version - 1 or connection.execute(write).rowcount != 1:
            raise Conflict(
                f"Somebody else changed '{row.name}' meanwhile: it is at version {max(found, row.version)}, "
                f"your change was made on version {row.version - 1}. Read it again and repeat your change."
            )
        return row.version

    return await database.write(work)


async def history(database: Database, workspace: str, name: str) -> list[DocumentRow]:
    """All versions, newest first."""

    def work(connection: Connection) -> list[DocumentRow]:
        return [_document(row) for row in connection.execute(_versions(workspace, name))]

    return await database.read(work)


def _versions(workspace: str, name: str):
    return (
        select(DOCUMENTS)
        .where(DOCUMENTS.c.workspace == workspace, DOCUMENTS.c.name == name)
        .order_by(DOCUMENTS.c.version.desc())
    )


def _document(row: SqlRow[tuple[object, ...]]) -> DocumentRow:
    return DocumentRow(row.workspace, row.name, row.version, json.loads(row.value), row.author, row.at)
