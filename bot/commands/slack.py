"""slack: what setting up the Slack app needs."""

from __future__ import annotations

from typing import Annotated, Literal

import typer

app = typer.Typer(no_args_is_help=True, help="Setting up the Slack app.")


@app.callback()
def root() -> None:
    """Setting up the Slack app."""


@app.command()
def manifest(
    socket: Annotated[bool, typer.Option("--socket", help="Connect by Socket Mode: no public address needed.")] = False,
    public_url: Annotated[str, typer.Option(help="Connect by HTTP at this address.", metavar="URL")] = "",
    distributed: Annotated[bool, typer.Option("--distributed", help="Let other workspaces install it (HTTP).")] = False,
    name: Annotated[str, typer.Option(help="What the app is called in Slack.")] = "Threadhand",
    form: Annotated[Literal["yaml", "json"], typer.Option("--format", help="Form of the output.")] = "yaml",
) -> None:
    """Print the manifest to create the Slack app from.

    Without an option it is for HTTP where THREADHAND_PUBLIC_URL is set, else for Socket Mode.
    """
    from bot.commands.start import Failure
    from bot.config import Settings
    from bot.surfaces.slack.manifest import manifest as make
    from bot.surfaces.slack.manifest import to_json, to_yaml

    if socket and public_url:
        raise Failure("Choose either --socket or --public-url: an app is connected in one way.")
    if public_url and not public_url.startswith(("https://", "http://")):
        raise Failure(f"--public-url {public_url!r} is not an http:// or https:// address.")
    url = "" if socket else public_url or Settings.from_environment().web.public_url
    if distributed and not url:
        raise Failure("--distributed needs --public-url: other workspaces install the app through that address.")
    made = make(url, name=name, distributed=distributed)
    typer.echo((to_json(made) if form == "json" else to_yaml(made)).rstrip())
