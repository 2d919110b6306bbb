"""Starts a playground on a loopback port and stops it: for tests, for `play`, for a process of its own.

Hides uvicorn: its signals are left to whoever owns the process, and a cut connection is cut at the transport.
"""

import asyncio
import contextlib
import socket
from collections.abc import AsyncGenerator, Generator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

import uvicorn
from starlette.applications import Starlette
from starlette.types import Receive, Scope, Send

from bot.playground.doors import Doors
from bot.playground.driver import Driver, local_driver
from bot.playground.limits import Limits
from bot.playground.outside import notice_routes
from bot.playground.page import HINTS, Page
from bot.playground.people import APP_TOKEN, BOT_TOKEN, SIGNING_SECRET
from bot.playground.site import Site
from bot.playground.wire import Cut, wire_routes


@dataclass(frozen=True, slots=True)
class Options:
    """How to open a playground: port 0 lets the system choose; `control` opens /_control to the machine.

    `hints` are the (title, message) pairs the page offers on the first run.
    """

    port: int = 0
    control: bool = False
    limits: Limits = field(default_factory=Limits)
    hints: tuple[tuple[str, str], ...] = HINTS


@dataclass(frozen=True, slots=True)
class Playground:
    """A running playground. `url` is its page, `api_url` what an app calls SLACK_API_URL."""

    url: str
    site: Site
    driver: Driver
    bot_token: str = BOT_TOKEN
    app_token: str = APP_TOKEN
    signing_secret: str = SIGNING_SECRET

    @property
    def api_url(self) -> str:
        return f"{self.url}/api/"


class _Server(uvicorn.Server):
    """uvicorn without its hands on the process's signals."""

    @contextlib.contextmanager
    def capture_signals(self) -> Generator[None]:
        yield

    def cut(self, client: Any) -> None:
        """Breaks the connection of a client (host, port) without a byte more."""
        for connection in list(self.server_state.connections):
            transport: Any = getattr(connection, "transport", None)
            if transport is not None and getattr(connection, "client", None) == tuple(client):
                transport.abort()


class _Guarded:
    """The application with connections cut where a handler asks for it."""

    def __init__(self, app: Starlette) -> None:
        self.app = app
        self.server: _Server | None = None

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        try:
            await self.app(scope, receive, send)
        except Cut:
            if self.server:
                self.server.cut(scope.get("client"))
            await asyncio.sleep(0)


@asynccontextmanager
async def serve_playground(options: Options | None = None) -> AsyncGenerator[Playground]:
    """A playground on 127.0.0.1, ready when this yields, gone when it ends.

    Raises OSError when the port is taken.
    """
    options = options or Options()
    site = Site(options.limits)
    doors = Doors(site)
    page = Page(site, doors, options.hints)
    listener = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listener.bind(("127.0.0.1", options.port))
        site.workspace.base_url = f"http://127.0.0.1:{listener.getsockname()[1]}"
        routes = [*wire_routes(site, doors, options.control), *notice_routes(site), *page.routes()]
        async with _running(_Guarded(Starlette(routes=routes)), listener):
            try:
                yield Playground(site.workspace.base_url, site, local_driver(doors))
            finally:
                page.close()
                await site.delivery.close()
    finally:
        listener.close()


@asynccontextmanager
async def _running(app: _Guarded, listener: socket.socket) -> AsyncGenerator[None]:
    config = uvicorn.Config(
        app, log_config=None, log_level="critical", lifespan="off", access_log=False, timeout_graceful_shutdown=1
    )
    server = _Server(config)
    app.server = server
    task = asyncio.create_task(server.serve(sockets=[listener]))
    while not server.started:
        if task.done():
            task.result()
        await asyncio.sleep(0.005)
    try:
        yield
    finally:
        server.should_exit = True
        await task
