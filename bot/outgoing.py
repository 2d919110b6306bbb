"""What a session says in its thread, before any chat product gives it a shape.

Every text that the model or a stranger wrote is plain Markdown here; a surface renders it inert: nobody is
pinged, no link pretends to lead elsewhere, nothing unfurls.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from bot.entries import Deliverable, Query
from bot.heard import Person
from policies.types import Card

StepState = Literal["done", "doing", "todo", "dropped", "failed"]
RunState = Literal["working", "waiting", "done", "stopped", "failed"]


@dataclass(frozen=True, slots=True)
class CardStep:
    """One line of the status card; `details` is what unfolds."""

    title: str
    state: StepState
    details: str = ""


@dataclass(frozen=True, slots=True)
class StatusCard:
    """The one live card of a run. `note` is the last line that changed the course ('Now: blue only …')."""

    goal: str
    state: RunState
    steps: tuple[CardStep, ...] = ()
    headline: str = ""
    """What it is doing or waiting for, in one line ('Waiting for Priya's yes')."""
    note: str = ""
    footer: str = ""
    """Time and money, as shown ('1 min 40 s · 0.31 USD of 5')."""
    watch: str = ""
    """URL of the live page, or empty."""


@dataclass(frozen=True, slots=True)
class Reply:
    """An answer or a plain message in the thread, Markdown. Files follow it."""

    text: str
    files: tuple[Deliverable, ...] = ()
    to: Person | None = None
    """Mentioned at the start where somebody must act."""
    feedback: bool = False
    resume: bool = False
    """Offers a 'Go on' button."""


@dataclass(frozen=True, slots=True)
class Question:
    """All open questions together, with buttons; a reply in the thread counts too."""

    ask: str
    version: int
    to: Person
    questions: tuple[Query, ...]
    deadline: str = ""
    """What silence will mean and when, in words."""
    screen: str = ""
    """Address of the live page, where the person has to act on the machine's screen."""


@dataclass(frozen=True, slots=True)
class Confirmation:
    """One card for one consequential action. `only` names who may decide."""

    ask: str
    version: int
    to: Person
    card: Card
    only: str


@dataclass(frozen=True, slots=True)
class Record:
    """What a question or confirmation becomes once it has ended: who decided what, when."""

    title: str
    outcome: str
    body: str = ""


Outgoing = StatusCard | Reply | Question | Confirmation | Record
