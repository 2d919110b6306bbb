"""What tokens cost, in US dollars per million: a small table of well-known families, which settings can override.

A model that isn't listed has no known price, and its cost is None: a wrong number is worse than none. Prices are
those of OpenAI's own list; other servers set their own, so they are never guessed from a model's name.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass

LONG = 272_000
"""Input tokens above which families with a long-context tariff charge twice for input, half more for output."""


@dataclass(frozen=True, slots=True)
class Price:
    """US dollars per million tokens.

    `cached` is for input read from the provider's prompt cache, `written` for input put into it (None: as input).
    `long`: the family has the tariff for long contexts.
    """

    input: float
    cached: float
    output: float
    written: float | None = None
    long: bool = False

    def cost(self, tokens: int, cached: int, output: int, written: int = 0) -> float:
        """Dollars for `tokens` of input (of which `cached` were read and `written` were stored) and `output`."""
        total = max(tokens, 0)
        hit = min(max(cached, 0), total)
        stored = min(max(written, 0), total - hit)
        rate = self.input if self.written is None else self.written
        read = (total - hit - stored) * self.input + hit * self.cached + stored * rate
        wrote = max(output, 0) * self.output
        if self.long and total > LONG:
            read, wrote = read * 2, wrote * 1.5
        return (read + wrote) / 1_000_000


PRICES: Mapping[str, Price] = {
    "gpt-6-astra": Price(10.00, 1.00, 50.00, 12.50, long=True),
    "gpt-6.1-sol": Price(2.00, 0.10, 10.00, 2.50, long=True),
    "gpt-6-sol": Price(2.00, 0.20, 10.00, 2.50, long=True),
    "gpt-6-luna": Price(0.10, 0.01, 0.50, 0.125, long=True),
    "gpt-5.6-sol": Price(4.00, 0.40, 20.00, 5.00, long=True),
    "gpt-5.6-terra": Price(2.00, 0.20, 12.00, 2.50, long=True),
    "gpt-5.6-luna": Price(0.20, 0.02, 1.20, 0.25, long=True),
    "gpt-5.5": Price(5.00, 0.50, 30.00, long=True),
    "gpt-5.4": Price(2.50, 0.25, 15.00, long=True),
    "gpt-5.4-mini": Price(0.75, 0.075, 4.50),
    "gpt-5.3-codex": Price(1.75, 0.175, 14.00),
    "gpt-5.2": Price(1.75, 0.175, 14.00),
    "gpt-5.1": Price(1.25, 0.125, 10.00),
    "gpt-5.1-codex": Price(1.25, 0.125, 10.00),
    "gpt-5": Price(1.25, 0.125, 10.00),
    "gpt-5-codex": Price(1.25, 0.125, 10.00),
    "gpt-5-mini": Price(0.25, 0.025, 2.00),
    "gpt-5-nano": Price(0.05, 0.005, 0.40),
    "gpt-4.1": Price(2.00, 0.50, 8.00),
    "gpt-4.1-mini": Price(0.40, 0.10, 1.60),
    "gpt-4.1-nano": Price(0.10, 0.025, 0.40),
    "gpt-4o": Price(2.50, 1.25, 10.00),
    "gpt-4o-mini": Price(0.15, 0.075, 0.60),
    "o3": Price(2.00, 0.50, 8.00),
    "o4-mini": Price(1.10, 0.275, 4.40),
}

_SNAPSHOT = re.compile(r"-(\d{4}-\d{2}-\d{2}|latest)$")


def price_of(model: str, overrides: Mapping[str, Price], *, official: bool) -> Price | None:
    """The price of `model`, or None where nobody knows.

    A dated snapshot ("gpt-5-2025-08-07") costs what its family does; a longer name is another model. Without
    `official`, the server isn't OpenAI's and only `overrides` count.
    """
    family = _SNAPSHOT.sub("", model)
    tables = (overrides, PRICES) if official else (overrides,)
    for table in tables:
        for name in (model, family):
            if name in table:
                return table[name]
    return None
