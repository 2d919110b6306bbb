"""A journal as people read it: one line for each entry, in words."""

from __future__ import annotations

from typing import Any, assert_never

from bot.entries import (
    Answered,
    Asked,
    Brought,
    Compacted,
    Decided,
    Dropped,
    Entry,
    Failed,
    Finished,
    Judged,
    Noted,
    Picked,
    Planned,
    Posted,
    Posting,
    Rated,
    Refused,
    Replied,
    Reworded,
    Said,
    Started,
    Stopped,
    Withdrawn,
)
from bot.handover import GaveBack, Invited, TookOver
from bot.heard import Person
from bot.lost import Lost, Unsaved, for_model
from bot.scripted import Requested
from bot.spent import Spent

WIDTH = 160


def line(number: int, entry: Entry) -> str:
    """Number, time (UTC), kind and what happened, on one line of readable length."""
    text = "".join(char if char.isprintable() else " " for char in " ".join(_what(entry).split()))
    if len(text) > WIDTH:
        text = f"{text[: WIDTH - 1]}…"
    return f"{number:>5}  {entry.at:%Y-%m-%d %H:%M:%S}  {entry.kind:<10}{text}"


def _what(entry: Entry) -> str:
    """What happened, in words."""
    match entry:
        case Said() | Reworded() | Withdrawn() | Refused() | Brought() | Rated():
            return _from_the_thread(entry)
        case Replied() | Planned() | Noted() | Compacted() | Failed():
            return _thought(entry)
        case Judged() | Asked() | Picked() | Decided() | Started() | Finished() | Dropped():
            return _did(entry)
        case Spent():
            return f"{entry.what}: {'unknown' if entry.cost is None else f'{entry.cost:.4f} USD'}"
        case Requested():
            return f"{entry.call} {entry.name}, by a program in the machine"
        case TookOver():
            return f"{entry.by.name} has the screen until {entry.until:%H:%M:%S}"
        case GaveBack():
            return f"by {_name(entry.by)}{f', on {entry.page}' if entry.page else ''}"
        case Invited():
            return f"{entry.author.name} asked for a link to the screen"
        case Lost() | Unsaved():
            return for_model(entry)
        case Posting():
            return f"{entry.what} ({entry.key})"
        case Posted():
            return f"{entry.key} as {entry.message or 'a message without an id'}"
        case Answered():
            return f"{entry.text}{_files(len(entry.files))}"
        case Stopped():
            return f"by {_name(entry.by)}: {entry.why}"
        case _:
            assert_never(entry)


def _from_the_thread(entry: Said | Reworded | Withdrawn | Refused | Brought | Rated) -> str:
    match entry:
        case Said():
            return f"{entry.author.name} ({entry.sense}): {entry.text}{_files(len(entry.files))}"
        case Reworded():
            return f"{entry.author.name}: {entry.before!r} is now {entry.text!r}"
        case Withdrawn():
            return f"the message {entry.ts} was deleted"
        case Refused():
            return f"{entry.author.name}: {entry.why}"
        case Brought():
            return f"{entry.file}: {entry.error or f'{entry.path}, {entry.size} bytes'}"
        case Rated():
            return f"{entry.author.name} found {entry.message} {'good' if entry.good else 'not good'}"
        case _:
            assert_never(entry)


def _thought(entry: Replied | Planned | Noted | Compacted | Failed) -> str:
    match entry:
        case Replied():
            cost = "" if entry.usage.cost is None else f", {entry.usage.cost:.4f} USD"
            tokens = f"{entry.usage.input}+{entry.usage.output} tokens"
            return f"{entry.model}: {', '.join(map(_item, entry.items))} ({tokens}{cost}, {entry.seconds:.1f} s)"
        case Planned():
            return f"{entry.goal}: {'; '.join(f'{step.text} ({step.state})' for step in entry.steps)}"
        case Noted():
            return entry.text
        case Compacted():
            return f"entries up to {entry.upto}: {entry.summary}"
        case Failed():
            again = f"; again at {entry.retry_at:%H:%M:%S}" if entry.retry_at else ""
            return f"{entry.code}: {entry.text}{again}"
        case _:
            assert_never(entry)


def _did(entry: Judged | Asked | Picked | Decided | Started | Finished | Dropped) -> str:
    match entry:
        case Judged():
            return f"{entry.call} ({entry.effect}): {entry.verdict} by {entry.rule}, {entry.why}"
        case Asked():
            texts = "; ".join(question.text for question in entry.questions)
            return f"{entry.purpose} {entry.ask} to {', '.join(entry.deciders)}: {texts or entry.call}"
        case Picked():
            return f"{entry.ask}, question {entry.index + 1}: {entry.answer} by {entry.by.name}"
        case Decided():
            said = entry.text or ", ".join(entry.answers)
            return f"{entry.ask}: {entry.verdict} by {_name(entry.by)}{f': {said}' if said else ''}"
        case Started():
            return f"{entry.call} {entry.name}: {entry.title}"
        case Finished():
            state = "unknown" if entry.unknown else "ok" if entry.ok else "failed"
            return f"{entry.call} {state} after {entry.seconds:.1f} s: {entry.output}{_files(len(entry.files))}"
        case Dropped():
            return f"{', '.join(entry.calls)}: {entry.why}"
        case _:
            assert_never(entry)


def _item(item: dict[str, Any]) -> str:
    """One output item of the model."""
    kind = str(item.get("type", "item"))
    return f"{kind} {item['name']}" if "name" in item else kind


def _name(person: Person | None) -> str:
    return person.name if person else "the session itself"


def _files(count: int) -> str:
    return "" if count == 0 else f" [{count} file{'s' if count > 1 else ''}]"
