"""How much and how often: the size limits of messages and the rate tiers of methods, with the real errors.

Hides the counting. The numbers are the real service's; `Limits` lets a test scale the rates or switch them off.
"""

import math
import time
from collections import defaultdict, deque
from dataclasses import dataclass

from bot.playground.shapes import Obj, SlackError, as_obj, as_text, decoded

TEXT_LIMIT = 40_000
STREAM_TEXT_LIMIT = 12_000
METADATA_LIMIT = 16_000

TIER_TWO, TIER_THREE, TIER_FOUR, SPECIAL = 20, 50, 100, 60
PER_MINUTE: dict[str, int] = {
    "chat.startStream": TIER_TWO,
    "chat.stopStream": TIER_TWO,
    "reactions.remove": TIER_TWO,
    "users.list": TIER_TWO,
    "conversations.list": TIER_TWO,
    "chat.update": TIER_THREE,
    "chat.delete": TIER_THREE,
    "conversations.replies": TIER_THREE,
    "conversations.history": TIER_THREE,
    "conversations.info": TIER_THREE,
    "conversations.open": TIER_THREE,
    "reactions.add": TIER_THREE,
    "agents.sessions.setStatus": TIER_THREE,
    "agents.sessions.rename": TIER_THREE,
    "conversations.members": TIER_FOUR,
    "chat.appendStream": TIER_FOUR,
    "chat.postEphemeral": TIER_FOUR,
    "files.getUploadURLExternal": TIER_FOUR,
    "files.completeUploadExternal": TIER_FOUR,
    "files.info": TIER_FOUR,
    "files.delete": TIER_THREE,
    "views.open": TIER_FOUR,
    "views.push": TIER_FOUR,
    "views.update": TIER_FOUR,
    "views.publish": TIER_FOUR,
    "users.info": TIER_FOUR,
    "chat.postMessage": SPECIAL,
}
WORKSPACE_POSTS = 300
BURST = 4


@dataclass(frozen=True, slots=True)
class Limits:
    """How strict the playground is.

    `rates` off answers every call; `scale` multiplies every tier (0.1 reaches 429 ten times sooner);
    `stream_seconds` is how long a stream lives, `ack_seconds` how long the app has to acknowledge,
    `trigger_seconds` how long a trigger_id is good for;
    `retry_seconds` are the waits before each further delivery of an event nobody acknowledged,
    `processing_seconds` how long a session stays 'processing' unless it is set again.
    """

    rates: bool = True
    scale: float = 1.0
    stream_seconds: float = 300.0
    ack_seconds: float = 3.0
    trigger_seconds: float = 3.0
    processing_seconds: float = 3600.0
    retry_seconds: tuple[float, ...] = (1.0, 60.0, 300.0)


UNLIMITED = Limits(rates=False, ack_seconds=10.0, trigger_seconds=30.0)
"""For tests about something else: no rate tiers, and patience with a busy machine."""


class RateLimiter:
    """Counts calls of the last minute a token and method; chat.postMessage also a channel."""

    def __init__(self) -> None:
        self._calls: dict[tuple[str, ...], deque[float]] = defaultdict(deque)

    def wait(self, limits: Limits, token: str, method: str, channel: str) -> int:
        """Seconds to wait before this call is welcome; 0 means it is (and was counted)."""
        per_minute = PER_MINUTE.get(method)
        if not limits.rates or per_minute is None:
            return 0
        now = time.monotonic()
        if method != "chat.postMessage":
            return self._count((token, method), per_minute * limits.scale, 60.0, now)
        burst = max(1.0, BURST * limits.scale)
        waited = self._count((token, method, channel), burst, float(BURST), now)
        return waited or self._count((token, method), WORKSPACE_POSTS * limits.scale, 60.0, now)

    def _count(self, key: tuple[str, ...], most: float, window: float, now: float) -> int:
        calls = self._calls[key]
        while calls and calls[0] <= now - window:
            calls.popleft()
        if len(calls) >= max(1, int(most)):
            return max(1, math.ceil(calls[0] + window - now))
        calls.append(now)
        return 0


def check_text(text: str, blocks: list[Obj], has_files: bool = False) -> None:
    """A message says something and not too much. Raises `no_text` or `msg_too_long`."""
    if not text.strip() and not blocks and not has_files:
        raise SlackError("no_text")
    if len(text) > TEXT_LIMIT:
        raise SlackError("msg_too_long")


def check_stream_text(text: str) -> None:
    """One append carries at most 12,000 characters. Raises `msg_too_long`."""
    if len(text) > STREAM_TEXT_LIMIT:
        raise SlackError("msg_too_long")


def check_metadata(value: object) -> Obj | None:
    """Metadata as `{event_type, event_payload}`, or None. Raises the real service's errors."""
    if value is None or value == "":
        return None
    try:
        given = as_obj(decoded(value))
    except ValueError:
        raise SlackError("invalid_metadata_format") from None
    if not as_text(given.get("event_type")) or not isinstance(given.get("event_payload"), dict):
        raise SlackError("invalid_metadata_schema")
    if len(str(given)) > METADATA_LIMIT:
        raise SlackError("metadata_too_large")
    return {"event_type": given["event_type"], "event_payload": given["event_payload"]}
