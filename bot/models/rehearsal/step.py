"""One call of a task, and a task as a generator of them."""

from __future__ import annotations

from collections.abc import Callable, Generator
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True)
class Step:
    """A call to make: `at` is the number of the plan's line it belongs to, counted from 0."""

    at: int
    name: str
    arguments: dict[str, Any]


Work = Generator[Step, str, str]
"""Yields calls, is sent their outputs, returns the result's text."""

Take = Callable[[str, dict[str, Any]], str | None]
"""The output of a call that was made, or None."""


def play(work: Work, take: Take) -> Step | str:
    """The first call that still has to be made, or the result when all of them were."""
    try:
        step = next(work)
        while (output := take(step.name, step.arguments)) is not None:
            step = work.send(output)
    except StopIteration as end:
        return str(end.value)
    return step
