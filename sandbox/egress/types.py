"""What leaves the machine, as values: a request, what was decided about it, its answer, its record.

Hides the wire: the policy judges a whole request (method, full URL, headers, body) whichever program sent it
and whether or not it was encrypted.
"""

from __future__ import annotations

import hashlib
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Literal

FETCH_METHODS = frozenset({"GET", "HEAD", "OPTIONS"})
BODY_MAX = 10 * 1024 * 1024
"""Most bytes of a request's body: a write is read whole so that it can be judged and shown."""


class EgressError(Exception):
    """A request that was not answered; the message is for the model and the person.

    EgressError
     ├─ AddressRefused   the host is inside a private network, or its name is no name
     ├─ RequestRefused   policy said no (or: not before a person agrees, `hold` has its id)
     └─ Unreachable      no name, no connection, no answer in time, or a broken one
    """


class AddressRefused(EgressError):
    """The host's address is not a public one and no admin has named it."""


class RequestRefused(EgressError):
    """The request was judged and may not be sent now."""

    def __init__(self, message: str, hold: str | None = None) -> None:
        super().__init__(message)
        self.hold = hold


class Unreachable(EgressError):
    """The host could not be reached or broke off. `maybe_sent`: it had been sent, at least in part, so it may
    have taken effect all the same."""

    def __init__(self, message: str, *, maybe_sent: bool = False) -> None:
        super().__init__(message)
        self.maybe_sent = maybe_sent


@dataclass(frozen=True, slots=True)
class EgressRequest:
    """One HTTP request. url is absolute and canonical (`https://host[:port]/path?query`, no fragment);
    host is lower-case ASCII without port; header names are lower-case, hop-by-hop ones are left out."""

    method: str
    url: str
    host: str
    port: int
    headers: tuple[tuple[str, str], ...] = ()
    body: bytes = b""

    @property
    def writes(self) -> bool:
        """Whether it can change something at the other end."""
        return self.method not in FETCH_METHODS or bool(self.body)

    @property
    def body_sha256(self) -> str:
        return hashlib.sha256(self.body).hexdigest()

    def header(self, name: str) -> str | None:
        return next((value for key, value in self.headers if key == name.lower()), None)


@dataclass(frozen=True, slots=True)
class EgressResponse:
    """An answer. url is where it came from (after redirects); body is decoded (gzip, deflate) and cut at the
    size cap when `truncated`."""

    status: int
    headers: tuple[tuple[str, str], ...]
    body: bytes
    url: str
    truncated: bool = False

    def header(self, name: str) -> str | None:
        return next((value for key, value in self.headers if key == name.lower()), None)


@dataclass(frozen=True, slots=True)
class Allow:
    """Send it."""


@dataclass(frozen=True, slots=True)
class Refuse:
    """Never send it; `reason` is one sentence for whoever asked."""

    reason: str


@dataclass(frozen=True, slots=True)
class Hold:
    """A person decides; `id` names the stored request, which is sent exactly as it is once they agree.

    later: waits for what comes of it, for a program that may be left waiting: the answer, or that it was refused;
    None when it has waited long enough. Without it the program is answered at once.
    """

    id: str
    reason: str
    later: Callable[[], Awaitable[EgressResponse | Refuse | None]] | None = None


Verdict = Allow | Refuse | Hold


@dataclass(frozen=True, slots=True)
class EgressRecord:
    """What became of one request. outcome: 'sent' (status is set), 'refused', 'held' or 'failed' (reason says
    why). address is the one that was connected to. at: seconds since 1970. sent, received: body bytes."""

    session_id: str
    at: float
    method: str
    url: str
    outcome: Literal["sent", "refused", "held", "failed"]
    reason: str = ""
    address: str = ""
    status: int | None = None
    sent: int = 0
    received: int = 0
    body_sha256: str = ""
    seconds: float = 0.0


Judge = Callable[[EgressRequest], Awaitable[Verdict]]
Record = Callable[[EgressRecord], Awaitable[None]]
Resolve = Callable[[str, int], Awaitable[tuple[str, ...]]]
"""Host name and port to numeric addresses, best first; raises OSError when there is none."""
