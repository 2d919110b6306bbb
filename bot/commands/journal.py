"""journal: what sessions did, to read, to hand on, and to prove unchanged."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING, Annotated, TypeVar

import typer

if TYPE_CHECKING:
    from bot.observe import Redactor
    from bot.store import JournalRow, SessionRow, Store

app = typer.Typer(no_args_is_help=True, help="What sessions did.")

Session = Annotated[str, typer.Argument(help="A session's id, as `journal list` shows it.", metavar="SESSION")]
T = TypeVar("T")


@app.command(name="list")
def list_sessions(
    workspace: Annotated[str, typer.Option(help="Only of this workspace.")] = "",
    status: Annotated[str, typer.Option(help="Only with this status.")] = "",
    limit: Annotated[int, typer.Option(help="How many, the most recently changed first.", min=1)] = 20,
) -> None:
    """List sessions, the most recently changed first."""

    async def read(store: Store) -> list[SessionRow]:
        return await store.sessions(workspace=workspace, status=status, limit=limit)

    rows, redactor = _with_store(read)
    for row in rows:
        text = f"{row.id}  {row.updated:%Y-%m-%d %H:%M}  {row.status:<10}{row.cost:>8.2f} USD  {row.title}"
        typer.echo(redactor.text("".join(char if char.isprintable() else " " for char in text)))
    if not rows:
        typer.echo("There are no sessions.", err=True)


@app.command()
def show(session: Session) -> None:
    """Show a session's journal as a timeline. Times are UTC."""
    from bot.commands.timeline import line

    rows, redactor = _rows(session)
    for row in rows:
        typer.echo(redactor.text(line(row.number, row.entry)))


@app.command()
def export(session: Session) -> None:
    """Write a session's journal as JSON lines, complete and with hashes.

    The hash of a line is the SHA-256 of the hash before it (64 zeros at first), a line feed, and the text of
    `entry` exactly as it stands there.
    """
    from bot.entries import dump

    for row in _rows(session)[0]:
        head = json.dumps({"session": session, "number": row.number, "hash": row.hash}, separators=(",", ":"))
        typer.echo(f'{head[:-1]},"entry":{dump(row.entry)}}}')


@app.command()
def verify(session: Session) -> None:
    """Check that no entry was changed or taken away. Ends with code 1 when one was."""

    async def read(store: Store) -> int | None:
        return await store.verify(session)

    count = len(_rows(session)[0])
    broken, _ = _with_store(read)
    if broken is not None:
        typer.echo(f"BROKEN at entry {broken}: it is missing or was changed, and nothing after it can be relied on.")
        raise typer.Exit(1)
    typer.echo(f"Whole: {count} entries, each as it was written.")


def _rows(session: str) -> tuple[list[JournalRow], Redactor]:
    """The session's entries; there is at least one."""
    from bot.commands.start import Failure

    async def read(store: Store) -> list[JournalRow]:
        return await store.journal(session)

    rows, redactor = _with_store(read)
    if not rows:
        raise Failure(f"There is no journal of a session {session!r}. `threadhand journal list` shows which there are.")
    return rows, redactor


def _with_store(read: Callable[[Store], Awaitable[T]]) -> tuple[T, Redactor]:
    """What `read` gets out of the deployment's store, which is not changed."""
    from bot.commands.start import read_deployment
    from bot.store import Store

    deployment = read_deployment()

    async def work() -> T:
        store = await Store.open(deployment.settings.storage.database, migrate=False)
        try:
            return await read(store)
        finally:
            await store.close()

    return asyncio.run(work()), deployment.redactor
