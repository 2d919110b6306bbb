"""Trouble on demand, for tests: answers that fail before or after taking effect, events twice, late, out of order.

Nothing happens until a switch is thrown. The same switches are on the driver and on the control address.
"""

import asyncio
import random
from collections import defaultdict, deque
from dataclasses import dataclass, field
from typing import Literal, TypeAlias

Kind: TypeAlias = Literal["429", "500", "cut"]
When: TypeAlias = Literal["before", "after"]


@dataclass(frozen=True, slots=True)
class Fault:
    """What happens to one call. 'after' means the call took effect and only its answer is lost."""

    kind: Kind
    when: When = "before"


@dataclass(slots=True)
class Chaos:
    """The switches. Shares are 0 to 1, delays in seconds; `seed` makes a run repeatable."""

    duplicates: float = 0.0
    delays: float = 0.0
    longest_delay: float = 0.0
    calls: float = 0.0
    call_kinds: tuple[Fault, ...] = (Fault("429"), Fault("500"), Fault("500", "after"), Fault("cut", "after"))
    dice: random.Random = field(default_factory=lambda: random.Random(7))  # noqa: S311 - a test's dice
    queued: dict[str, deque[Fault]] = field(default_factory=lambda: defaultdict(deque))

    def fail(self, method: str, fault: Fault, count: int = 1) -> None:
        """The next `count` calls of `method` ('*' for any) meet `fault`."""
        self.queued[method].extend([fault] * count)

    def seed(self, value: int) -> None:
        self.dice = random.Random(value)  # noqa: S311 - a test's dice

    def next_fault(self, method: str) -> Fault | None:
        """What the call at hand meets, if anything."""
        for key in (method, "*"):
            if self.queued.get(key):
                return self.queued[key].popleft()
        if self.calls and self.dice.random() < self.calls:
            return self.dice.choice(self.call_kinds)
        return None

    def copies(self) -> int:
        """How many times the event at hand is delivered."""
        return 2 if self.duplicates and self.dice.random() < self.duplicates else 1

    async def linger(self) -> None:
        """Holds the event at hand back for a while, which also reorders it."""
        if self.delays and self.dice.random() < self.delays:
            await asyncio.sleep(self.dice.random() * self.longest_delay)

    def calm(self) -> None:
        """Every switch off again."""
        self.duplicates = self.delays = self.longest_delay = self.calls = 0.0
        self.queued.clear()
