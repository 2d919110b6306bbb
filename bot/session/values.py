"""What a session's state is made of: calls, asks and runs, and the few words they share."""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime
from typing import Literal

from bot.entries import (
    Answered,
    Asked,
    Decided,
    Deliverable,
    Failed,
    Finished,
    HeldWrite,
    Judged,
    Replied,
    Said,
    Started,
    Stopped,
)
from bot.heard import Person

Phase = Literal["proposed", "asking", "ready", "running", "done"]
SENT = "web_write"
"""The name of the action that sends a held write: no tool of the model's, a call of the session's own."""


@dataclass(slots=True)
class Call:
    """One action the model, or a program in its machine, wants."""

    id: str
    """Unique in the session: the reply's number and the call's place in it. Providers reuse their own ids."""
    name: str
    arguments: str
    call_id: str = ""
    """The provider's id, under which the output goes back."""
    phase: Phase = "proposed"
    judged: Judged | None = None
    ask: str = ""
    started: Started | None = None
    finished: Finished | None = None
    dropped: str = ""
    """Why it was dropped, if it was."""
    held: HeldWrite | None = None
    """The held write it would send: its result reaches the model as a message, not as a call's output."""
    run: int = 0
    """The number of the run it was asked for in."""

    @property
    def unsure(self) -> bool:
        """Whether it was begun and nobody knows how it ended."""
        return self.started is not None and self.finished is None


@dataclass(slots=True)
class Ask:
    """A question or an approval and how it ended."""

    asked: Asked
    decided: Decided | None = None
    picked: dict[int, str] = field(default_factory=dict[int, str])
    """Answers given so far, by the question's place."""

    @property
    def open(self) -> bool:
        return self.decided is None


@dataclass(frozen=True, slots=True)
class Draft:
    """A reply that asked for nothing more: `number` is its place in the journal."""

    number: int
    text: str


@dataclass(slots=True)
class Run:
    """One piece of work: from a request to its answer."""

    number: int
    requester: Person
    request: Said
    since: datetime
    heard: list[Said] = field(default_factory=list[Said])
    """The request and every message that changed its course."""
    steps: int = 0
    tokens: int = 0
    cost: float | None = 0.0
    """US dollars; None once a call's price was not known."""
    busy: float = 0.0
    """Seconds the model and the tools took; waiting for people does not count."""
    failures: int = 0
    failed: Failed | None = None
    stopped: Stopped | None = None
    answered: Answered | None = None
    ended_at: datetime | None = None
    files: list[Deliverable] = field(default_factory=list[Deliverable])
    """To be handed over with the answer, in this order."""
    handing: int = 0
    """How many of them the newest post of files covers; it may not stand yet."""
    handed: int = 0
    """How many of them stand in the thread."""
    note: str = ""
    """The last message that changed the course, with the step from which it applies."""
    mishap: str = ""
    """What befell the computer during the run, in a sentence."""

    @property
    def ended(self) -> bool:
        return self.ended_at is not None

    def pay(self, cost: float | None) -> None:
        """Something was bought; None where its price is not known."""
        self.cost = None if self.cost is None or cost is None else self.cost + cost

    def concerns(self, ts: str) -> bool:
        """Whether the message `ts` is one that this run acts on."""
        return any(ts in (said.ts, said.about) for said in self.heard)

    def add_files(self, files: Iterable[Deliverable]) -> None:
        """Take up files to hand over; a newer one replaces one of the same name that nobody has seen."""
        for file in files:
            seen = max(self.handed, self.handing)
            if file in self.files:
                continue
            fresh = [other for other in self.files[seen:] if other.name != file.name]
            self.files[seen:] = [*fresh, file]


def answer_key(run: int, step: int) -> str:
    """The key under which the reply of a run's step is posted, should it be the answer."""
    return f"answer:{run}.{step}"


def calls_of(number: int, reply: Replied) -> list[Call]:
    """The calls a reply asks for; `number` is the reply's place in the journal."""
    items = [item for item in reply.items if item.get("type") == "function_call"]
    return [
        Call(f"{number}.{place}", str(item["name"]), str(item["arguments"]), str(item["call_id"]))
        for place, item in enumerate(items, start=1)
    ]


def held_arguments(held: HeldWrite) -> str:
    """What a yes to this write is bound to, as canonical JSON."""
    value = {"method": held.method, "url": held.url, "headers": list(held.headers), "body": held.blob}
    return json.dumps(value, sort_keys=True)


def shorten(text: str, most: int) -> str:
    """The text on one line, at most `most` characters."""
    line = " ".join(text.split())
    return line if len(line) <= most else line[: most - 1].rstrip() + "…"


def plural(count: int, noun: str) -> str:
    """'1 file', '2 files'."""
    return f"{count} {noun}" if count == 1 else f"{count} {noun}s"


def reply_text(reply: Replied) -> str:
    """The text a person reads in a reply; refusals of the model included."""
    parts: list[str] = []
    for item in reply.items:
        if item.get("type") != "message":
            continue
        for part in item.get("content", ()):
            text = part.get("text") or part.get("refusal") or ""
            if text:
                parts.append(str(text))
    return "\n\n".join(parts)


def files_key(run: Run) -> str:
    """The key under which the run's next files are posted: a post that was begun keeps its key until it stands."""
    return f"files:{run.number}:{run.handed}-{run.handing or len(run.files)}"


def files_in(key: str, run: int) -> int:
    """Up to which of the run's files the post under `key` goes; 0 for any other post."""
    kind, _, rest = key.partition(":")
    number, _, span = rest.partition(":")
    return int(span.partition("-")[2]) if kind == "files" and number == str(run) else 0
