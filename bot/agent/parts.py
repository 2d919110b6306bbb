"""What the loop is built of: every seam and every number it depends on, given once by the composition root."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Protocol

from bot.broker import Answer
from bot.entries import Entry, HeldWrite
from bot.heard import Person, Thread
from bot.models.types import Model
from bot.session.steps import Allowance
from bot.steering import Rules
from bot.surface import Surface
from bot.tools.types import Toolbox
from sandbox.egress.types import EgressResponse
from sandbox.types import Machine


@dataclass(frozen=True, slots=True)
class Sent:
    """What came of a held write that was sent. `error`: no answer came; `unknown`: it may have arrived all the same."""

    status: int = 0
    text: str = ""
    error: str = ""
    unknown: bool = False


class Computer(Protocol):
    """One session's computer and its way out."""

    async def machine(self) -> Machine:
        """The running machine, started when first needed. Raises sandbox.types.MachineError."""
        ...

    async def interrupt(self) -> None:
        """Kill what runs in it, if it runs at all."""
        ...

    async def fetch(self, url: str) -> EgressResponse:
        """GET through the gate. Raises sandbox.egress.types.EgressError."""
        ...

    async def render(self, url: str) -> EgressResponse:
        """The page once its scripts have run in the machine's browser. Raises EgressError, MachineError."""
        ...

    def take_held(self) -> tuple[HeldWrite, ...]:
        """Writes the gate kept since the last call."""
        ...

    async def send(self, held: HeldWrite) -> Sent:
        """Send an approved write, exactly as it was kept. Never retries."""
        ...

    def drop(self, held: HeldWrite, why: str) -> None:
        """It will not be sent: a page that waits for its answer is told why."""
        ...

    def news(self) -> tuple[Entry, ...]:
        """What became of it that the session has not been told yet, as when it was lost."""
        ...

    async def told(self) -> None:
        """The session has been told."""
        ...

    def answer(self, answer: Answer | None) -> None:
        """Who answers programs in it from now on."""
        ...

    async def lend(self, person: str) -> None:
        """The machine to this person (an id), until it is lent to nobody (an empty string): all else is refused."""
        ...

    async def rest(self) -> None:
        """Nothing will be needed for a while."""
        ...


class Keep(Protocol):
    """Where bytes are kept by their hash."""

    async def put(self, data: bytes | AsyncIterator[bytes], limit: int | None = None) -> tuple[str, int]:
        """Store; returns sha256 and size. Raises BlobError above `limit`."""
        ...

    async def read(self, sha: str) -> bytes:
        """The bytes again."""
        ...


@dataclass(frozen=True, slots=True)
class Tariff:
    """Money limits of a day, US dollars."""

    person: float = 50.0
    workspace: float = 500.0


@dataclass(frozen=True, slots=True)
class Patience:
    """Seconds. How long failures are waited out; tests make them short."""

    model_first: float = 1.0
    model_most: float = 60.0
    model_tries: int = 6
    surface_tries: int = 4
    rest: float = 10.0
    """How long until a session whose chat product does not answer is taken up again."""


@dataclass(frozen=True, slots=True)
class Parts:
    """Everything a session's loop needs."""

    surfaces: Mapping[str, Surface]
    model: Model
    toolbox: Toolbox
    computer: Callable[[Thread], Computer]
    keep: Keep
    spent_today: Callable[[str, str | None], Awaitable[float]]
    """US dollars of (workspace, person or None for all) today."""
    allowance: Allowance = field(default_factory=Allowance)
    tariff: Tariff = field(default_factory=Tariff)
    patience: Patience = field(default_factory=Patience)
    rules: Rules = field(default_factory=Rules)
    context_tokens: int = 200_000
    file_limit: int = 100_000_000
    ask_minutes: float = 120
    watch: Callable[[Thread], str] = lambda _: ""
    """Address of the thread's live page, or empty."""
    invite: Callable[[Thread, Person], str] = lambda thread, person: ""
    """A link to it that signs this one person in, or empty."""
    observe: Callable[[Entry], None] = lambda _: None
    """Told of each entry once it is written."""
    span: Callable[[str], AbstractContextManager[object]] = lambda _: nullcontext()
    """Around each step, for traces."""
    clock: Callable[[], datetime] = lambda: datetime.now(UTC)
