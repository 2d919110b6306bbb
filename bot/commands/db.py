"""db: bring the database to the schema this version needs, or say which it has."""

from __future__ import annotations

import asyncio

import typer

app = typer.Typer(no_args_is_help=True, help="The database's schema.")


@app.command()
def upgrade() -> None:
    """Bring the database to this version's schema; makes a new database where there is none."""
    asyncio.run(_open(migrate=True))
    typer.echo("The database has the current schema.")


@app.command()
def current() -> None:
    """Say whether the database has the schema that this version needs. Ends with code 2 when it has not."""
    asyncio.run(_open(migrate=False))
    typer.echo("The database has the current schema.")


async def _open(*, migrate: bool) -> None:
    from bot.commands.start import read_deployment
    from bot.store import Store

    store = await Store.open(read_deployment().settings.storage.database, migrate=migrate)
    await store.close()
