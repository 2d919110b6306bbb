"""The seam to a language model: one request in, a stream of events out, failures as values.

Items are the Responses API's own, as plain dicts: that API is the vocabulary of the whole project, and no
SDK type crosses this seam.
"""

from __future__ import annotations

from collections.abc import AsyncGenerator
from dataclasses import dataclass
from typing import Any, Literal, Protocol

from bot.entries import Item, Usage


@dataclass(frozen=True, slots=True)
class ModelRequest:
    """Everything a model call depends on. `cache_key` is the same for all calls of a session."""

    instructions: str
    items: tuple[Item, ...]
    tools: tuple[dict[str, Any], ...]
    cache_key: str
    max_output_tokens: int | None = None


@dataclass(frozen=True, slots=True)
class TextDelta:
    """A piece of visible text. `phase` is the provider's word for it ("final_answer", "commentary"), or ""."""

    text: str
    phase: str = ""


@dataclass(frozen=True, slots=True)
class CallBegun:
    """The reply contains a call: what was written so far is not the answer."""

    name: str


@dataclass(frozen=True, slots=True)
class Completed:
    """The whole reply: output items exactly as they must be sent back, and what it cost."""

    items: tuple[Item, ...]
    usage: Usage
    model: str


Trouble = Literal[
    "rate_limited", "overloaded", "network", "cut", "overflow", "refused", "empty", "invalid", "auth", "quota"
]


@dataclass(frozen=True, slots=True)
class Broken:
    """The call failed, as a value. `retry` says whether the same request may succeed later.

    `text` is for a person: what went wrong and what to do. It never contains a credential.
    """

    code: Trouble
    text: str
    retry: bool
    retry_after: float | None = None


ModelEvent = TextDelta | CallBegun | Completed | Broken


class Model(Protocol):
    """A language model."""

    @property
    def name(self) -> str:
        """As the record shows it."""
        ...

    def stream(self, request: ModelRequest) -> AsyncGenerator[ModelEvent]:
        """One model call. The last event is Completed or Broken. Closing the generator cuts the call short."""
        ...
