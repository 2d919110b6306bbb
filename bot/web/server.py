"""The web server: health and metrics, beside the routes a surface brings along."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import socket
from collections.abc import Awaitable, Callable, Generator, Sequence
from dataclasses import dataclass

import uvicorn
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import HTMLResponse, JSONResponse, Response
from starlette.routing import BaseRoute, Route

from bot.observe import Metrics

log = logging.getLogger(__name__)

BACKLOG = 2048

FRONT = """<!doctype html><html lang="en"><meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1"><title>Threadhand</title>
<style>:root{color-scheme:light dark}body{font:1rem/1.6 system-ui,sans-serif;max-width:36rem;margin:15vh auto;\
padding:0 1.5rem}a{color:inherit}</style>
<h1>Threadhand</h1><p>A colleague that lives in your chat threads. Mention it in a channel to give it work.</p>
<p><a href="/healthz">Health</a> · <a href="/metrics">Metrics</a>INSTALL</p></html>"""


@dataclass(frozen=True, slots=True)
class Site:
    """What the server serves. `ready` answers what is wrong, or an empty string."""

    metrics: Metrics
    ready: Callable[[], Awaitable[str]]
    routes: Sequence[BaseRoute] = ()
    install: str = ""
    """Path of the page that installs the app, where there is one."""


def application(site: Site) -> Starlette:
    """The ASGI application."""

    async def health(_: Request) -> Response:
        problem = await site.ready()
        body = {"status": "failing", "why": problem} if problem else {"status": "ok"}
        return JSONResponse(body, status_code=503 if problem else 200)

    async def metrics(_: Request) -> Response:
        content, kind = site.metrics.render()
        return Response(content, media_type=kind)

    async def front(_: Request) -> Response:
        link = f' · <a href="{site.install}">Add to Slack</a>' if site.install else ""
        return HTMLResponse(FRONT.replace("INSTALL", link))

    own = [Route("/healthz", health), Route("/metrics", metrics), Route("/", front)]
    return Starlette(routes=[*own, *site.routes])


def listen(host: str, port: int) -> socket.socket:
    """A listening socket; port 0 lets the system choose. Raises OSError when the address cannot be had."""
    listener = socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listener.bind((host, port))
        listener.listen(BACKLOG)  # who comes before we serve waits instead of being turned away
    except OSError:
        listener.close()
        raise
    return listener


async def serve(app: Starlette, listener: socket.socket, stop: asyncio.Event) -> None:
    """Serve on a listening socket until `stop`; it is closed then."""
    # Below warning, uvicorn writes what passes through WebSockets, and cookies: a person's typing among it.
    logging.getLogger("uvicorn.error").setLevel(logging.WARNING)
    config = uvicorn.Config(app, log_config=None, access_log=False, lifespan="off", timeout_graceful_shutdown=5)
    server = _Server(config)
    serving = asyncio.create_task(server.serve(sockets=[listener]))
    stopping = asyncio.create_task(stop.wait())
    try:
        await asyncio.wait({serving, stopping}, return_when=asyncio.FIRST_COMPLETED)
    finally:
        server.should_exit = True
        stopping.cancel()
        await serving
        listener.close()


class _Server(uvicorn.Server):
    """Leaves signals to the process's own handling."""

    @contextlib.contextmanager
    def capture_signals(self) -> Generator[None]:
        yield
