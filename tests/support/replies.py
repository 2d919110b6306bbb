"""What a scripted model answers: values for its replies, with gates that let a test speak while it streams."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

Phase = Literal["", "commentary", "final_answer"]
Ending = Literal["completed", "cut", "eof", "done", "max_tokens", "filtered", "failed", "error", "garbage", "hang"]
"""How a stream ends: as it should; connection reset; clean end without a last event; "[DONE]" without one;
incomplete by tokens or by filter; response.failed; an error event; rubbish; silence."""

Quirk = Literal[
    "bare_events", "no_ids", "no_output", "json", "no_call_ids", "object_arguments", "no_deltas", "silent_items"
]
"""How servers with a partial API differ: events without indexes and numbers; items without ids; a completed response
without output; JSON instead of a stream; calls without call_id; arguments as an object; no deltas; nothing about items
but their deltas."""

PATIENCE = 25.0


@dataclass(frozen=True, slots=True)
class Text:
    """A message."""

    text: str
    phase: Phase = ""


@dataclass(frozen=True, slots=True)
class Refusal:
    """A message in which the model declines."""

    text: str


@dataclass(frozen=True, slots=True)
class Call:
    """A function call. A string as arguments is sent as it is, valid JSON or not."""

    name: str
    arguments: Mapping[str, Any] | str = field(default_factory=dict[str, Any])
    call_id: str = ""

    def written(self) -> str:
        """The arguments as the wire carries them."""
        return self.arguments if isinstance(self.arguments, str) else json.dumps(self.arguments, ensure_ascii=False)


@dataclass(frozen=True, slots=True)
class Reasoning:
    """A reasoning item; `encrypted` is what must come back with the next request."""

    encrypted: str = "gAAAA-not-real"
    summary: str = ""


Part = Text | Refusal | Call | Reasoning


@dataclass(frozen=True, slots=True)
class Tokens:
    """What the reply is said to have cost."""

    input: int = 100
    cached: int = 0
    output: int = 20


@dataclass(frozen=True, slots=True)
class Fault:
    """An HTTP error instead of a reply. `body` replaces the usual error object."""

    status: int
    code: str = ""
    message: str = "something is wrong"
    headers: Mapping[str, str] = field(default_factory=dict[str, str])
    body: str | None = None

    def written(self) -> str:
        """The body as the wire carries it."""
        if self.body is not None:
            return self.body
        error = {"message": self.message, "type": "invalid_request_error", "param": None, "code": self.code or None}
        return json.dumps({"error": error})


@dataclass(slots=True, eq=False)
class Turn:
    """One reply. `hold` it at a delta, wait until it is `held`, speak, `release` it; `gone` when the client hung up."""

    parts: tuple[Part, ...] = ()
    ending: Ending = "completed"
    quirks: tuple[Quirk, ...] = ()
    tokens: Tokens = Tokens()
    error: tuple[str, str] = ("server_error", "The server had an error while processing your request.")
    hold_after: int | None = None
    _open: asyncio.Event = field(default_factory=asyncio.Event)
    _held: asyncio.Event = field(default_factory=asyncio.Event)
    _gone: asyncio.Event = field(default_factory=asyncio.Event)

    @classmethod
    def of(cls, *parts: Part | str, ending: Ending = "completed", quirks: tuple[Quirk, ...] = ()) -> Turn:
        """A reply of these parts; a string is a Text."""
        return cls(tuple(Text(part) if isinstance(part, str) else part for part in parts), ending, quirks)

    def hold(self, after: int = 1) -> Turn:
        """Stop after that many deltas (0: before the first event) until `release`."""
        self.hold_after = after
        return self

    def release(self) -> None:
        """Let it go on."""
        self._open.set()

    async def held(self) -> None:
        """Wait until the stream stands at its gate."""
        await asyncio.wait_for(self._held.wait(), PATIENCE)

    async def gone(self) -> None:
        """Wait until the client has closed the connection before the end."""
        await asyncio.wait_for(self._gone.wait(), PATIENCE)

    async def gate(self) -> None:
        """For the server: stand at the gate."""
        self._held.set()
        await self._open.wait()

    def lost(self) -> None:
        """For the server: the client has gone."""
        self._gone.set()


Reply = Turn | Fault


def says(text: str, phase: Phase = "") -> Turn:
    """A turn that only talks."""
    return Turn((Text(text, phase),))


def calls(name: str, /, **arguments: Any) -> Turn:
    """A turn with one call."""
    return Turn((Call(name, arguments),))


def rate_limited(after: str = "2") -> Fault:
    """429, try again in `after` seconds."""
    return Fault(429, "rate_limit_exceeded", "Rate limit reached for requests per min.", {"Retry-After": after})


def too_long() -> Fault:
    """400, the conversation doesn't fit."""
    return Fault(400, "context_length_exceeded", "Your input exceeds the context window of this model.")
