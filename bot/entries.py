"""The journal's vocabulary: what a session wrote down.

A session is its journal. Status, context, card, audit and cost are folds over these entries; nothing else
holds state. Every type here is frozen and survives JSON and back unchanged (`dump`, `load`).
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Annotated, Any, Literal

from pydantic import Field, TypeAdapter

from bot.handover import GaveBack, Invited, TookOver
from bot.heard import FileRef, Person
from bot.lost import Lost, Unsaved
from bot.scripted import Requested
from bot.spent import Spent

Item = dict[str, Any]
"""One item of the model's input or output, in the shape of the Responses API."""

Sense = Literal["request", "steer", "answer", "status", "aside", "stop", "mute", "unmute", "refused", "resume"]
"""What a message means for the session, decided once when it is read and never again."""


@dataclass(frozen=True, slots=True)
class Said:
    """A message was read. `ask` is the question it answers, `reason` says why it was taken so."""

    at: datetime
    key: str
    author: Person
    ts: str
    text: str
    sense: Sense
    files: tuple[FileRef, ...] = ()
    ask: str = ""
    reason: str = ""
    about: str = ""
    """The message in the thread that this one, made of a click or an edit, is about."""
    kind: Literal["said"] = "said"


@dataclass(frozen=True, slots=True)
class Reworded:
    """A message that the session acts on was edited."""

    at: datetime
    key: str
    author: Person
    ts: str
    before: str
    text: str
    kind: Literal["reworded"] = "reworded"


@dataclass(frozen=True, slots=True)
class Withdrawn:
    """A message that the session acts on was deleted."""

    at: datetime
    key: str
    ts: str
    kind: Literal["withdrawn"] = "withdrawn"


@dataclass(frozen=True, slots=True)
class Refused:
    """A click or message that had no right or no effect; the person is told privately."""

    at: datetime
    key: str
    author: Person
    why: str
    kind: Literal["refused"] = "refused"


@dataclass(frozen=True, slots=True)
class Brought:
    """A file of the thread was put into the machine, or could not be (`error`)."""

    at: datetime
    file: str
    path: str
    size: int
    error: str = ""
    kind: Literal["brought"] = "brought"


@dataclass(frozen=True, slots=True)
class Usage:
    """Tokens of one model call; `cost` in US dollars, None where the price is not known."""

    input: int = 0
    cached: int = 0
    output: int = 0
    cost: float | None = None


@dataclass(frozen=True, slots=True)
class Replied:
    """The model's reply. `seen` is the journal's length when its context was made: what came after is news."""

    at: datetime
    items: tuple[Item, ...]
    seen: int
    usage: Usage
    model: str
    seconds: float = 0.0
    kind: Literal["replied"] = "replied"


@dataclass(frozen=True, slots=True)
class Judged:
    """The policy's word on one call. `digest` is the hash of the exact arguments it was about."""

    at: datetime
    call: str
    verdict: Literal["auto", "ask", "deny"]
    rule: str
    why: str
    effect: str
    digest: str
    kind: Literal["judged"] = "judged"


@dataclass(frozen=True, slots=True)
class Query:
    """One question of a question card. `default` is what silence means; empty: silence means nothing."""

    text: str
    options: tuple[str, ...] = ()
    default: str = ""


@dataclass(frozen=True, slots=True)
class Asked:
    """A person must act. `card` is the confirmation's content as JSON, `deciders` ids of who may decide.

    `digest` binds an approval to its exact arguments; `call` is the call it is about.
    """

    at: datetime
    ask: str
    purpose: Literal["question", "approval", "takeover"]
    call: str
    deciders: tuple[str, ...]
    questions: tuple[Query, ...] = ()
    card: Item | None = None
    digest: str = ""
    version: int = 1
    deadline: datetime | None = None
    kind: Literal["asked"] = "asked"


@dataclass(frozen=True, slots=True)
class Picked:
    """One of several questions on a card was answered; the ask ends when all are."""

    at: datetime
    key: str
    ask: str
    index: int
    answer: str
    by: Person
    kind: Literal["picked"] = "picked"


@dataclass(frozen=True, slots=True)
class Decided:
    """An ask ended, once. `by` is None when a deadline or the session ended it."""

    at: datetime
    key: str
    ask: str
    verdict: Literal["yes", "no", "change", "answered", "expired", "withdrawn"]
    by: Person | None = None
    text: str = ""
    answers: tuple[str, ...] = ()
    kind: Literal["decided"] = "decided"


@dataclass(frozen=True, slots=True)
class Started:
    """A call is about to act: written before, so that a crash leaves a trace. `key` is its idempotency key."""

    at: datetime
    call: str
    name: str
    key: str
    title: str
    repeat: Literal["safe", "keyed", "look", "unknown"]
    kind: Literal["started"] = "started"


@dataclass(frozen=True, slots=True)
class HeldWrite:
    """A request to the outside, made by a program in the machine, kept until a person decides.

    `blob` is the stored body's hash; `shown` is what the card says of it: all of it when `whole`, else its beginning.
    """

    id: str
    method: str
    url: str
    headers: tuple[tuple[str, str], ...]
    blob: str
    size: int
    shown: str
    whole: bool = False


@dataclass(frozen=True, slots=True)
class Deliverable:
    """A file to hand over with the answer; its bytes are in the blob store under `blob` (sha256)."""

    name: str
    blob: str
    size: int
    mime: str


@dataclass(frozen=True, slots=True)
class Finished:
    """A call ended. `output` is what the model reads; `unknown` marks an outcome that a crash hid."""

    at: datetime
    call: str
    ok: bool
    output: str
    seconds: float = 0.0
    held: tuple[HeldWrite, ...] = ()
    files: tuple[Deliverable, ...] = ()
    unknown: bool = False
    image: str = ""
    """sha256 of a stored picture that the model sees beside the output."""
    kind: Literal["finished"] = "finished"


@dataclass(frozen=True, slots=True)
class Dropped:
    """Queued calls that will not run, and why."""

    at: datetime
    calls: tuple[str, ...]
    why: str
    kind: Literal["dropped"] = "dropped"


@dataclass(frozen=True, slots=True)
class PlanStep:
    """One line of the plan, in a person's words. `task` names its request where a message holds several."""

    text: str
    state: Literal["todo", "doing", "done", "dropped"] = "todo"
    task: str = ""


@dataclass(frozen=True, slots=True)
class Planned:
    """The plan as it now stands. `goal` restates the request in the person's terms."""

    at: datetime
    goal: str
    steps: tuple[PlanStep, ...]
    kind: Literal["planned"] = "planned"


@dataclass(frozen=True, slots=True)
class Noted:
    """A note the model keeps for itself; survives compaction."""

    at: datetime
    text: str
    kind: Literal["noted"] = "noted"


@dataclass(frozen=True, slots=True)
class Compacted:
    """Everything up to and including `upto` (a journal number) is represented by `summary` from now on."""

    at: datetime
    upto: int
    summary: str
    kind: Literal["compacted"] = "compacted"


@dataclass(frozen=True, slots=True)
class Posting:
    """A post is about to be made under `key`."""

    at: datetime
    key: str
    what: str
    kind: Literal["posting"] = "posting"


@dataclass(frozen=True, slots=True)
class Posted:
    """The post under `key` stands in the thread as `message`; empty for one that cannot be addressed again."""

    at: datetime
    key: str
    message: str
    kind: Literal["posted"] = "posted"


@dataclass(frozen=True, slots=True)
class Answered:
    """The answer of a run was delivered."""

    at: datetime
    message: str
    text: str
    files: tuple[Deliverable, ...] = ()
    kind: Literal["answered"] = "answered"


@dataclass(frozen=True, slots=True)
class Stopped:
    """The run was ended by a person, or by a withdrawal of its request."""

    at: datetime
    by: Person | None
    why: str
    kind: Literal["stopped"] = "stopped"


@dataclass(frozen=True, slots=True)
class Failed:
    """A step failed. With `retry_at` it is tried again then; without, the run ends and rests until someone speaks.

    `seen` is the journal's length the step knew of: a change of course after it keeps the run going. 0: all of it.
    """

    at: datetime
    code: str
    text: str
    retry_at: datetime | None = None
    seen: int = 0
    kind: Literal["failed"] = "failed"


@dataclass(frozen=True, slots=True)
class Rated:
    """Somebody's feedback on an answer."""

    at: datetime
    key: str
    author: Person
    message: str
    good: bool
    kind: Literal["rated"] = "rated"


Entry = (
    Said
    | Reworded
    | Withdrawn
    | Refused
    | Brought
    | Replied
    | Judged
    | Asked
    | Picked
    | Decided
    | Started
    | Finished
    | Dropped
    | Planned
    | Noted
    | Compacted
    | Posting
    | Posted
    | Answered
    | Stopped
    | Failed
    | Rated
    | TookOver
    | GaveBack
    | Invited
    | Requested
    | Spent
    | Lost
    | Unsaved
)

_ENTRY: TypeAdapter[Entry] = TypeAdapter(Annotated[Entry, Field(discriminator="kind")])


def dump(entry: Entry) -> str:
    """The entry as canonical JSON: the same entry gives the same text, so that it can be hashed."""
    return _ENTRY.dump_json(entry).decode()


def load(text: str) -> Entry:
    """The entry of that JSON. Raises pydantic.ValidationError for anything else."""
    return _ENTRY.validate_json(text)
