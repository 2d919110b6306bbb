"""What a tool is: a value with a name, a parameters model, an effect, and a function that runs it.

A tool knows neither the policy nor the thread. It gets a `Bench` with what it may touch, and returns an
Outcome the model can read; expected failures are outcomes too, never exceptions.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal, Protocol

from pydantic import BaseModel

from bot.entries import Deliverable, Entry, HeldWrite
from bot.surface import Line
from policies.types import Effect
from sandbox.egress.types import EgressResponse
from sandbox.types import Machine

Repeat = Literal["safe", "keyed", "look", "unknown"]
"""After a crash between start and end: repeat it, repeat under the same key, look whether it happened, ask a person."""


@dataclass(frozen=True, slots=True)
class Outcome:
    """What a call came to. `output` is what the model reads, `image` a PNG it sees beside it; `entries` are written to
    the journal with it."""

    output: str
    ok: bool = True
    held: tuple[HeldWrite, ...] = ()
    files: tuple[Deliverable, ...] = ()
    entries: tuple[Entry, ...] = ()
    image: bytes | None = None
    unknown: bool = False
    """Whether it may have happened although it is not known to."""


class Bench(Protocol):
    """What a running tool may touch: the session's machine, started when first needed, and the bot's services."""

    @property
    def key(self) -> str:
        """The call's idempotency key."""
        ...

    async def machine(self) -> Machine:
        """The session's machine. Raises sandbox.types.MachineError."""
        ...

    async def keep(self, data: bytes) -> str:
        """Store bytes; returns their sha256, by which they are found again."""
        ...

    async def fetch(self, url: str) -> EgressResponse:
        """GET through the egress gate, policy included. Raises sandbox.egress.types.EgressError."""
        ...

    async def render(self, url: str) -> EgressResponse:
        """The page once its scripts have run in the machine's browser. Raises EgressError, MachineError."""
        ...

    async def thread(self) -> Sequence[Line]:
        """The thread as it stands, oldest first: untrusted text."""
        ...

    def held(self) -> tuple[HeldWrite, ...]:
        """Writes of the machine's programs that the gate kept since the call started."""
        ...


@dataclass(frozen=True, slots=True)
class Tool:
    """One thing the model can do. `title` makes the card's words for a call from its arguments."""

    name: str
    description: str
    params: type[BaseModel]
    effect: Effect
    run: Callable[[Bench, Any], Awaitable[Outcome]]
    title: Callable[[Any], str]
    repeat: Repeat = "safe"
    outside: bool = False

    def schema(self) -> dict[str, Any]:
        """The tool as the Responses API takes it."""
        return {
            "type": "function",
            "name": self.name,
            "description": self.description,
            "parameters": _plain(self.params.model_json_schema()),
            "strict": False,
        }


@dataclass(frozen=True, slots=True)
class Toolbox:
    """The tools of a session, in a fixed order so that the request's prefix stays the same bytes."""

    tools: Mapping[str, Tool] = field(default_factory=dict[str, Tool])
    schemas: tuple[dict[str, Any], ...] = ()
    """All tools as the Responses API takes them, made once."""

    @classmethod
    def of(cls, *tools: Tool) -> Toolbox:
        """A box of these tools, by name."""
        return cls({tool.name: tool for tool in tools}, tuple(tool.schema() for tool in tools))


def _plain(schema: dict[str, Any]) -> dict[str, Any]:
    """The schema without pydantic's titles, which only cost tokens."""
    result: dict[str, Any] = {}
    for name, value in schema.items():
        if name == "title" and isinstance(value, str):
            continue
        if isinstance(value, dict):
            result[name] = _plain(value)  # pyright: ignore[reportUnknownArgumentType]
        else:
            result[name] = value
    return result
