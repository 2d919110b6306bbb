"""`threadhand`: the command line. Commands live in bot/commands; here is their tree and how errors end.

An expected error is one clear line on stderr and exit code 2; with --debug any error comes with its traceback.
Commands import what they need when they run: `threadhand --help` is not to wait for a database library.
"""

from __future__ import annotations

import sys
import traceback
from importlib.metadata import version
from typing import Annotated

import typer

from bot.commands import check, db, journal, running, slack
from bot.ending import ENDING

app = typer.Typer(
    name="threadhand",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
    help="A colleague that lives in chat threads. Settings come from the environment: see docs/settings.md.",
)
for command in (running.play, running.serve, running.web, running.worker, check.check):
    app.command()(command)
app.add_typer(slack.app, name="slack")
app.add_typer(journal.app, name="journal")
app.add_typer(db.app, name="db")


def _version(wanted: bool) -> None:
    if wanted:
        typer.echo(f"threadhand {version('threadhand')}")
        raise typer.Exit


@app.callback()
def root(
    debug: Annotated[bool, typer.Option("--debug", help="Show the traceback of an error.")] = False,
    show_version: Annotated[bool, typer.Option("--version", callback=_version, is_eager=True, help="Show it.")] = False,
) -> None:
    """A colleague that lives in chat threads."""


def main() -> None:
    """Run the command line and exit."""
    words = sys.argv[1:]
    debug = "--debug" in words
    code = run([word for word in words if word != "--debug"], debug=debug)
    ENDING.over()
    sys.exit(code)


def run(words: list[str], *, debug: bool = False) -> int:
    """Run one command; returns the exit code."""
    try:
        app(words, prog_name="threadhand")
    except SystemExit as end:
        return end.code if isinstance(end.code, int) else 0
    except KeyboardInterrupt:
        return 130
    except Exception as error:  # noqa: BLE001  the last place before the person sees it
        return _failed(error, debug=debug)
    return 0


def _failed(error: Exception, *, debug: bool) -> int:
    """Say what went wrong, without secrets."""
    from bot.commands.start import Failure
    from bot.config import Settings, SettingsError
    from bot.observe.redact import Redactor
    from bot.store.errors import StoreError

    try:
        redactor = Redactor.of(Settings.from_environment().secrets())
    except SettingsError:
        redactor = Redactor()
    if debug:
        print(redactor.text("".join(traceback.format_exception(error))), file=sys.stderr)  # noqa: T201
    if isinstance(error, Failure | SettingsError | StoreError | OSError):
        text = str(error)
    else:
        text = f"{type(error).__name__}: {error} (an unexpected error: --debug shows where)"
    print(f"threadhand: {redactor.text(text)}", file=sys.stderr)  # noqa: T201
    return 2
