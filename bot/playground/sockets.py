"""Socket Mode: tickets, open connections of the app, envelopes and their acknowledgements.

Hides which of several connections gets an envelope. An app may hold ten connections; each envelope goes to one.
"""

import asyncio
import json
import secrets
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from starlette.websockets import WebSocket, WebSocketDisconnect

from bot.playground.people import APP_ID
from bot.playground.shapes import Obj, as_obj

MOST_CONNECTIONS = 10


class Gone(Exception):
    """The connection closed before the app acknowledged."""


@dataclass(eq=False, slots=True)
class Link:
    """One open connection and the acknowledgements it owes."""

    socket: WebSocket
    owed: dict[str, "asyncio.Future[Obj]"] = field(default_factory=dict[str, "asyncio.Future[Obj]"])
    sending: asyncio.Lock = field(default_factory=asyncio.Lock)

    async def send(self, message: Obj) -> None:
        async with self.sending:
            await self.socket.send_text(json.dumps(message))


class Sockets:
    """The app's connections, used in turn. `on_presence` hears when the app comes and when it is gone."""

    def __init__(self, on_presence: Callable[[bool], None]) -> None:
        self._on_presence = on_presence
        self._links: list[Link] = []
        self._tickets: set[str] = set()
        self._present = asyncio.Event()

    @property
    def count(self) -> int:
        return len(self._links)

    def ticket(self) -> str:
        """A one-time ticket for a connection."""
        made = secrets.token_urlsafe(12)
        self._tickets.add(made)
        return made

    async def serve(self, socket: WebSocket) -> None:
        """Speaks with one connection until it closes."""
        ticket = socket.query_params.get("ticket", "")
        if ticket not in self._tickets:
            await socket.close(4001)
            return
        self._tickets.discard(ticket)
        await socket.accept()
        link = Link(socket)
        if len(self._links) >= MOST_CONNECTIONS:
            await link.send({"type": "disconnect", "reason": "too_many_websockets"})
            await socket.close()
            return
        await link.send(self._hello())
        self._links.append(link)
        self._note()
        try:
            while True:
                self._heard(link, await socket.receive_text())
        except (WebSocketDisconnect, RuntimeError, KeyError):
            pass
        finally:
            self._forget(link)

    async def wait_for_app(self, seconds: float) -> None:
        """Returns once a connection is open. Raises TimeoutError."""
        async with asyncio.timeout(seconds):
            await self._present.wait()

    async def send(self, envelope: Obj, seconds: float) -> Obj:
        """Sends to one connection and returns what the acknowledgement carried.

        Raises Gone when the connection closes first, or after `seconds` of silence.
        """
        if not self._links:
            raise Gone
        link = self._links.pop(0)
        self._links.append(link)
        id = str(envelope["envelope_id"])
        answer: asyncio.Future[Obj] = asyncio.get_running_loop().create_future()
        link.owed[id] = answer
        try:
            await link.send(envelope)
            return await asyncio.wait_for(answer, seconds)
        except TimeoutError as error:  # also an OSError, but the connection lives
            raise Gone from error
        except (WebSocketDisconnect, RuntimeError, OSError) as error:
            self._forget(link)  # dead already, though nobody has told us yet: the next try is for another one
            raise Gone from error
        finally:
            link.owed.pop(id, None)

    async def refresh(self) -> int:
        """Asks every connection to come anew, as the real service does now and then; returns how many."""
        links = list(self._links)
        for link in links:
            await link.send({"type": "disconnect", "reason": "refresh_requested", "debug_info": {"host": "applink"}})
        return len(links)

    async def drop(self) -> int:
        """Closes every connection without a word; returns how many."""
        links = list(self._links)
        for link in links:
            self._forget(link)
            await link.socket.close(1011)
        return len(links)

    def _hello(self) -> Obj:
        info: Obj = {"host": "applink", "approximate_connection_time": 18060}
        return {
            "type": "hello",
            "num_connections": len(self._links) + 1,
            "debug_info": info,
            "connection_info": {"app_id": APP_ID},
        }

    def _heard(self, link: Link, text: str) -> None:
        try:
            answer: Any = json.loads(text)
        except ValueError:
            return
        owed = link.owed.pop(str(as_obj(answer).get("envelope_id", "")), None)
        if owed and not owed.done():
            owed.set_result(as_obj(as_obj(answer).get("payload")))

    def _note(self) -> None:
        here = bool(self._links)
        if here == self._present.is_set():
            return
        if here:
            self._present.set()
        else:
            self._present.clear()
        self._on_presence(here)

    def _forget(self, link: Link) -> None:
        if link in self._links:
            self._links.remove(link)
            self._note()
        for answer in link.owed.values():
            if not answer.done():
                answer.set_exception(Gone())
        link.owed.clear()
