"""What a policy speaks about: effects, labels, requests, decisions and the card a person decides on.

Pure values. Nothing here knows a chat, a machine or a database, so a decision can be replayed from its record.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Literal


class Effect(StrEnum):
    """What an action does to the world, from harmless to grave."""

    READ = "read"
    FETCH = "fetch"
    RUN = "run"
    MAKE = "make"
    EDIT = "edit"
    SEND = "send"
    SHARE = "share"
    DESTROY = "destroy"
    PUBLISH = "publish"
    MONEY = "money"
    SECRET = "secret"


Integrity = Literal["request", "other"]


@dataclass(frozen=True, slots=True)
class Label:
    """Where a value comes from and who may read it. `readers` None means public."""

    integrity: Integrity = "other"
    readers: frozenset[str] | None = None

    def join(self, other: Label) -> Label:
        """The label of something made from both: the lower integrity, the readers common to both."""
        integrity: Integrity = "request" if self.integrity == other.integrity == "request" else "other"
        if self.readers is None:
            readers = other.readers
        elif other.readers is None:
            readers = self.readers
        else:
            readers = self.readers & other.readers
        return Label(integrity, readers)


@dataclass(frozen=True, slots=True)
class Request:
    """One action somebody's session wants to take, with its validated arguments."""

    action: str
    effect: Effect
    arguments: Mapping[str, object]
    person: str
    """Id of the person in whose name it would happen."""
    standing: str
    """member, admin, guest or outsider, as the chat's directory says."""
    outside: bool
    """Whether the effect leaves the session's own machine."""
    target: str = ""
    """The host, object or person it acts on, as a policy file would name it."""


Verdict = Literal["auto", "ask", "deny"]


@dataclass(frozen=True, slots=True)
class Decision:
    """What the policy says: `rule` is the id that stands in the record, `why` is for people."""

    verdict: Verdict
    rule: str
    why: str


@dataclass(frozen=True, slots=True)
class Fact:
    """One line of a confirmation. `origin` says where the value came from when not from the request."""

    label: str
    value: str
    origin: str = ""


@dataclass(frozen=True, slots=True)
class Card:
    """A confirmation: everything a person needs to decide, nothing that the model could have phrased.

    `quote` is untrusted text and is shown inert. `yes` and `no` are fixed verbs, never the model's words.
    """

    heading: str
    facts: tuple[Fact, ...] = ()
    quote: str = ""
    quote_label: str = ""
    hidden: str = ""
    """What is not shown, with its size; empty when nothing is hidden."""
    undo: str = "Cannot be undone."
    why: str = ""
    yes: str = "Allow"
    no: str = "Don't"
