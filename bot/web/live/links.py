"""Texts that prove who made them: links for one person, and what a signed-in browser keeps.

Signed with the deployment's key, each for one purpose and until one moment; they hold a person's id and name and
nothing secret. A key that is no longer the newest still opens what it signed.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import time
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from bot.heard import Person, Thread

HOURS = 12
LINK, COOKIE, STATE = "link", "cookie", "state"


@dataclass(frozen=True, slots=True)
class Visitor:
    """Who opens a page. `session`: the only session this holds for; empty for any."""

    id: str
    name: str
    session: str = ""


class Seals:
    """Seals and opens. `keys`: the deployment's, the newest first."""

    def __init__(self, keys: Sequence[bytes], clock: Callable[[], float] = time.time) -> None:
        self._keys = [hmac.digest(key, b"threadhand live links 1", "sha256") for key in keys]
        self._clock = clock

    def __repr__(self) -> str:
        return "Seals(...)"

    def seal(self, purpose: str, value: dict[str, Any], seconds: float) -> str:
        """The value as text that is good for one purpose and that long."""
        inside = {"for": purpose, "until": int(self._clock() + seconds), "value": value}
        body = _encode(json.dumps(inside, separators=(",", ":"), sort_keys=True).encode())
        return f"{body}.{_encode(self._mark(self._keys[0], body))}"

    def open(self, purpose: str, text: str) -> dict[str, Any] | None:
        """The value, or None when it is not ours, for something else, or too old."""
        body, _, mark = text.partition(".")
        try:
            given = _decode(mark)
        except ValueError:
            return None
        if not any(hmac.compare_digest(self._mark(key, body), given) for key in self._keys):
            return None
        inside = json.loads(_decode(body))
        if inside["for"] != purpose or inside["until"] <= self._clock():
            return None
        return dict(inside["value"])

    def visitor(self, purpose: str, text: str) -> Visitor | None:
        """The person a link or cookie is for."""
        value = self.open(purpose, text)
        return None if value is None else Visitor(**value)

    def invite(self, purpose: str, visitor: Visitor) -> str:
        """A link's or cookie's text for a person, good for HOURS."""
        return self.seal(purpose, asdict(visitor), HOURS * 3600)

    def _mark(self, key: bytes, body: str) -> bytes:
        return hmac.digest(key, body.encode(), hashlib.sha256)


@dataclass(frozen=True, slots=True)
class Invitations:
    """Addresses of live pages. `address`: where people reach the web server; empty where they cannot."""

    address: str
    seals: Seals

    def watch(self, thread: Thread) -> str:
        """The thread's page; whoever opens it has to sign in. Empty where there is none."""
        return f"{self.address}/live/{thread.session}" if self.address else ""

    def invite(self, thread: Thread, person: Person) -> str:
        """A link that signs this person in, for this session alone. Empty where there is none."""
        if not self.address:
            return ""
        link = self.seals.invite(LINK, Visitor(person.id, person.name, thread.session))
        return f"{self.address}/live/enter?link={link}"


def _encode(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def _decode(text: str) -> bytes:
    if not text.isascii():
        raise ValueError("not base64")
    return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))
