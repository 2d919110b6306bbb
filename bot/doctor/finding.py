"""One line of the doctor's report."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal


@dataclass(frozen=True, slots=True)
class Finding:
    """`state`: OK, WARN (it works, with less) or MISSING (it does not work). `fix` says what to do."""

    state: Literal["OK", "WARN", "MISSING"]
    part: str
    text: str
    fix: str = ""

    def lines(self) -> str:
        """As printed: the fix on a line of its own."""
        head = f"{self.state:<8}{self.part:<14}{self.text}"
        return f"{head}\n{'':<22}-> {self.fix}" if self.fix else head


def ok(part: str, text: str) -> Finding:
    return Finding("OK", part, text)


def warn(part: str, text: str, fix: str) -> Finding:
    return Finding("WARN", part, text, fix)


def missing(part: str, text: str, fix: str) -> Finding:
    return Finding("MISSING", part, text, fix)
