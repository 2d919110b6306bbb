"""Serves an ASGI application on a loopback socket inside this process, without taking over its signals.

Hides uvicorn. A handler that calls `cut` has its connection broken instead of answered, as a failing network does.
"""

import asyncio
import contextlib
import socket
from collections.abc import AsyncGenerator, Generator, MutableMapping
from contextlib import asynccontextmanager
from typing import Any

import uvicorn
from starlette.types import ASGIApp, Message, Receive, Scope, Send

CUT = "playground.cut"


def cut(scope: MutableMapping[str, Any]) -> None:
    """From here on, whatever is sent on this request breaks the connection instead."""
    scope[CUT] = True


def loopback(port: int) -> socket.socket:
    """A bound socket on 127.0.0.1; port 0 lets the system choose. Raises OSError when the port is taken."""
    listener = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listener.bind(("127.0.0.1", port))
    except OSError:
        listener.close()
        raise
    return listener


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

    def __init__(self, app: ASGIApp) -> None:
        self.app = app
        self.server: _Server | None = None

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        async def sent(message: Message) -> None:
            if not scope.get(CUT):
                await send(message)
            elif self.server:
                self.server.cut(scope.get("client"))

        await self.app(scope, receive, sent)


@asynccontextmanager
async def serve_app(app: ASGIApp, listener: socket.socket) -> AsyncGenerator[str]:
    """The application served on `listener`, which is closed in the end; yields its address."""
    guarded = _Guarded(app)
    config = uvicorn.Config(
        guarded, log_config=None, log_level="error", lifespan="off", access_log=False, timeout_graceful_shutdown=1
    )
    server = _Server(config)
    guarded.server = server
    task = asyncio.create_task(server.serve(sockets=[listener]))
    while not server.started:
        if task.done():
            task.result()
        await asyncio.sleep(0.005)
    try:
        yield f"http://127.0.0.1:{listener.getsockname()[1]}"
    finally:
        server.should_exit = True
        await task
        listener.close()
