"""check: the doctor's report on the terminal."""

from __future__ import annotations

import asyncio
from typing import Annotated

import typer

Parts = Annotated[list[str] | None, typer.Argument(help="Only these parts, as the report names them.", metavar="PART")]


def check(parts: Parts = None) -> None:
    """Look at this deployment: what is there, what is missing, and how to get it.

    Ends with code 1 when something that is needed is missing.
    """
    from bot.commands.start import Failure
    from bot.config import Settings
    from bot.doctor import PARTS, examine
    from bot.observe.redact import Redactor

    chosen = tuple(parts or ())
    if wrong := [part for part in chosen if part not in PARTS]:
        raise Failure(f"There is no part {wrong[0]!r}; there are {', '.join(PARTS)}.")
    settings = Settings.from_environment()
    redactor = Redactor.of(settings.secrets())
    findings = asyncio.run(examine(settings, chosen))
    for finding in findings:
        typer.echo(redactor.text(finding.lines()))
    if any(finding.state == "MISSING" for finding in findings):
        raise typer.Exit(1)
