"""Pages that wait for the answer to what they sent, while a person decides.

Hides how long a browser is left waiting. A form that was sent stays under way, as on a slow site; the answer reaches
the page as if nothing had been between, and where nobody decides in time the page is told that the request waits.
"""

from __future__ import annotations

import asyncio
import functools
from collections.abc import Awaitable, Callable

from sandbox.egress.types import EgressRequest, EgressResponse, Refuse

WAIT_SECONDS = 300.0
"""Browsers give up on a silent server after about as long."""

Given = EgressResponse | Refuse | None
"""What came; None when the page has waited long enough."""


def from_page(request: EgressRequest) -> bool:
    """Whether a browser sent it: it marks its requests, to sites without TLS in an older way. A program may pretend to
    be one; all it gains is that it waits."""
    marks = ("sec-fetch-mode", "upgrade-insecure-requests")
    return any(request.header(mark) for mark in marks) or "Chrome/" in (request.header("user-agent") or "")


class Answers:
    """One session's waiting pages, by the id of what they sent."""

    def __init__(self, seconds: float = WAIT_SECONDS) -> None:
        self._seconds = seconds
        self._waiting: dict[str, asyncio.Future[EgressResponse | Refuse]] = {}

    def expect(self, held: str) -> Callable[[], Awaitable[Given]]:
        """What the page waits on; an answer that is given before it waits is not missed."""
        self._waiting[held] = asyncio.get_running_loop().create_future()
        return functools.partial(self._wait, held)

    async def _wait(self, held: str) -> Given:
        try:
            async with asyncio.timeout(self._seconds):
                return await self._waiting[held]
        except TimeoutError:
            return None
        finally:
            self._waiting.pop(held, None)

    def give(self, held: str, answer: EgressResponse | Refuse) -> None:
        """To the page that waits for it, if one does."""
        future = self._waiting.get(held)
        if future is not None and not future.done():
            future.set_result(answer)

    def close(self) -> None:
        """Nobody will answer any more."""
        for future in self._waiting.values():
            if not future.done():
                future.set_result(Refuse("the machine was closed meanwhile"))
