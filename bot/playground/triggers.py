"""Short-lived permissions: trigger ids (once, three seconds) and response addresses (five uses, half an hour)."""

import secrets
import time
from dataclasses import dataclass

from bot.playground.shapes import SlackError

RESPONSE_SECONDS, RESPONSE_USES = 1800.0, 5


@dataclass(slots=True)
class ResponseRight:
    """Who pressed what where, so that an answer to its response_url finds its place."""

    user: str
    channel: str
    message_ts: str
    until: float
    left: int = RESPONSE_USES


class Triggers:
    """Hands out triggers and response rights, and takes them back."""

    def __init__(self) -> None:
        self._triggers: dict[str, tuple[str, float]] = {}
        self._rights: dict[str, ResponseRight] = {}

    def issue(self, user: str) -> str:
        """A trigger_id for what `user` just did."""
        made = f"{secrets.randbelow(10**12)}.{secrets.token_hex(8)}"
        self._triggers[made] = (user, time.monotonic())
        return made

    def spend(self, trigger: str, seconds: float) -> str:
        """Who owns the trigger. Raises `invalid_trigger_id`, `expired_trigger_id`, `exchanged_trigger_id`."""
        found = self._triggers.get(trigger)
        if found is None:
            raise SlackError("invalid_trigger_id")
        user, issued = found
        if not user:
            raise SlackError("exchanged_trigger_id")
        if time.monotonic() - issued > seconds:
            raise SlackError("expired_trigger_id")
        self._triggers[trigger] = ("", issued)
        return user

    def grant(self, user: str, channel: str, message_ts: str) -> str:
        """The secret part of a response_url."""
        made = secrets.token_urlsafe(18)
        self._rights[made] = ResponseRight(user, channel, message_ts, time.monotonic() + RESPONSE_SECONDS)
        return made

    def use(self, secret: str) -> ResponseRight:
        """The right behind a response_url, one use spent. Raises `expired_url`, `used_url`."""
        right = self._rights.get(secret)
        if right is None or time.monotonic() > right.until:
            raise SlackError("expired_url")
        if right.left <= 0:
            raise SlackError("used_url")
        right.left -= 1
        return right
