"""Brings events and interactions to the app and makes sure they are acknowledged.

Hides whether the app listens over Socket Mode or HTTP, and the retries: an event nobody acknowledged in three
seconds comes again (with retry_attempt), one whose connection broke comes again at once on the next connection.
"""

import asyncio
import secrets
from collections.abc import Callable, Coroutine
from typing import Any

from bot.playground.changes import AppConnected, Change
from bot.playground.chaos import Chaos
from bot.playground.events import events_of
from bot.playground.limits import Limits
from bot.playground.shapes import Obj
from bot.playground.sockets import Gone, Sockets
from bot.playground.webhooks import Refused, Webhooks
from bot.playground.workspace import Workspace

PATIENCE = 600.0
MOST_BREAKS = 50


class Unanswered(Exception):
    """The app did not acknowledge an interaction in time, or is not there."""


class Delivery:
    """The app's mail. Listens to the workspace from the moment it is made."""

    def __init__(self, workspace: Workspace, chaos: Chaos, limits: Callable[[], Limits]) -> None:
        self.sockets = Sockets(lambda here: workspace.tell(AppConnected(here)))
        self.webhooks = Webhooks()
        self.delivered = 0
        self.abandoned = 0
        self._workspace = workspace
        self._chaos = chaos
        self._limits = limits
        self._running: set[asyncio.Task[None]] = set()
        workspace.listen(self._heard)

    @property
    def pending(self) -> int:
        """Events on their way, acknowledged by nobody yet."""
        return len(self._running)

    async def interact(self, payload: Obj) -> Obj:
        """Delivers an interaction; returns what the app answered with. Raises Unanswered."""
        seconds = self._limits().ack_seconds
        try:
            if self.webhooks.url:
                return await self.webhooks.interaction(payload, seconds)
            return await self.sockets.send(_envelope("interactive", payload), seconds)
        except (Gone, TimeoutError, Refused) as error:
            raise Unanswered("Threadhand did not answer. Is it running?") from error

    async def close(self) -> None:
        for task in list(self._running):
            task.cancel()
        await asyncio.gather(*self._running, return_exceptions=True)
        await self.webhooks.close()

    def _heard(self, change: Change) -> None:
        for body in events_of(self._workspace, change):
            for _ in range(self._chaos.copies()):
                self._start(self._deliver(body))

    def _start(self, work: Coroutine[Any, Any, None]) -> None:
        task = asyncio.get_running_loop().create_task(work)
        self._running.add(task)
        task.add_done_callback(self._running.discard)

    async def _deliver(self, body: Obj) -> None:
        await self._chaos.linger()
        attempt = breaks = 0
        waits = self._limits().retry_seconds
        while True:
            try:
                await self._once(body, attempt)
            except Gone:
                breaks += 1
                if breaks > MOST_BREAKS:
                    break
                continue
            except (TimeoutError, Refused):
                if attempt >= len(waits):
                    break
                await asyncio.sleep(waits[attempt])
                attempt += 1
                continue
            self.delivered += 1
            return
        self.abandoned += 1

    async def _once(self, body: Obj, attempt: int) -> None:
        seconds = self._limits().ack_seconds
        if self.webhooks.url:
            await self.webhooks.event(body, seconds, attempt)
            return
        await self.sockets.wait_for_app(PATIENCE)
        envelope = _envelope("events_api", body) | {
            "retry_attempt": attempt,
            "retry_reason": "timeout" if attempt else "",
        }
        await self.sockets.send(envelope, seconds)


def _envelope(kind: str, payload: Obj) -> Obj:
    return {
        "envelope_id": secrets.token_hex(16),
        "type": kind,
        "payload": payload,
        "accepts_response_payload": kind == "interactive",
    }
