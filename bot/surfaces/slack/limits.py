"""How often Slack may be called: one bucket a workspace and method, kept below the published tiers.

Waiting here costs nothing; a 429 costs a penalty for everybody in the workspace. Numbers: Slack's rate-limit tiers.
"""

from __future__ import annotations

import asyncio
import time
from collections import deque
from collections.abc import Awaitable, Callable

TWO, THREE, FOUR = 20, 50, 100
PER_MINUTE: dict[str, int] = {
    "chat.startStream": TWO,
    "chat.stopStream": TWO,
    "reactions.remove": TWO,
    "chat.update": THREE,
    "chat.delete": THREE,
    "conversations.replies": THREE,
    "conversations.info": THREE,
    "reactions.add": THREE,
    "agents.sessions.setStatus": THREE,
    "assistant.threads.setSuggestedPrompts": FOUR,
    "chat.appendStream": FOUR,
    "chat.postEphemeral": FOUR,
    "files.getUploadURLExternal": FOUR,
    "files.completeUploadExternal": FOUR,
    "files.info": FOUR,
    "users.info": FOUR,
    "views.open": FOUR,
    "views.publish": FOUR,
    "chat.postMessage": 240,
}
"""Calls a minute; a method that is not here is not paced."""
PER_CHANNEL: dict[str, tuple[int, float]] = {"chat.postMessage": (4, 4.5)}
"""So many calls in so many seconds in one channel: about one a second, with a small burst."""


class Pace:
    """Sliding windows of calls. `clock` is in seconds and only moves forward; `rate` multiplies the tiers."""

    def __init__(
        self,
        clock: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
        *,
        rate: float = 1.0,
    ) -> None:
        self._clock, self._sleep, self._rate = clock, sleep, rate
        self._calls: dict[tuple[str, ...], deque[float]] = {}
        self._closed_until: dict[tuple[str, str], float] = {}

    def delay(self, workspace: str, method: str, channel: str = "") -> float:
        """Seconds until the call is welcome; 0.0 now."""
        now = self._clock()
        waits = [self._closed_until.get((workspace, method), now) - now]
        waits += [self._free(key, most, window, now) for key, most, window in _windows(workspace, method, channel)]
        return max(0.0, *waits)

    def take(self, workspace: str, method: str, channel: str = "") -> None:
        """Count a call."""
        for key, _, _ in _windows(workspace, method, channel):
            self._calls.setdefault(key, deque()).append(self._clock())

    async def turn(self, workspace: str, method: str, channel: str = "") -> None:
        """Wait for a turn and take it."""
        while (wait := self.delay(workspace, method, channel)) > 0:
            await self._sleep(wait)
        self.take(workspace, method, channel)

    def close(self, workspace: str, method: str, seconds: float) -> None:
        """Slack said no until then."""
        until = self._clock() + seconds
        key = (workspace, method)
        self._closed_until[key] = max(until, self._closed_until.get(key, 0.0))

    async def rest(self, seconds: float) -> None:
        """Wait that long."""
        await self._sleep(seconds)

    def _free(self, key: tuple[str, ...], most: int, window: float, now: float) -> float:
        calls = self._calls.get(key)
        if calls is None:
            return 0.0
        while calls and calls[0] <= now - window:
            calls.popleft()
        if not calls:
            del self._calls[key]
            return 0.0
        most = max(1, int(most * self._rate))
        return calls[len(calls) - most] + window - now if len(calls) >= most else 0.0


def _windows(workspace: str, method: str, channel: str) -> list[tuple[tuple[str, ...], int, float]]:
    found: list[tuple[tuple[str, ...], int, float]] = []
    if method in PER_MINUTE:
        found.append(((workspace, method), PER_MINUTE[method], 60.0))
    if channel and method in PER_CHANNEL:
        most, window = PER_CHANNEL[method]
        found.append(((workspace, method, channel), most, window))
    return found
