"""What the journal keeps of a computer that was lost, and of files that no save holds.

A computer can be lost with its host. It is followed by another one, and that is always said: when the files are from,
and what did not come back.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Literal

NAMED = 5
"""How many files a sentence names."""


@dataclass(frozen=True, slots=True)
class Lost:
    """The session's computer was gone and another one took its place.

    `saved`: when its files were saved that are back now, None where there was no save. `files`: how many came back.
    `left`: files that were never saved for their size. `why`: what kept the files from coming back, or empty.
    """

    at: datetime
    saved: datetime | None
    files: int = 0
    left: tuple[str, ...] = ()
    why: str = ""
    kind: Literal["lost"] = "lost"


@dataclass(frozen=True, slots=True)
class Unsaved:
    """The newest save had no room for these, `count` files in all."""

    at: datetime
    left: tuple[str, ...]
    count: int
    kind: Literal["unsaved"] = "unsaved"


def mishap(entry: Lost | Unsaved) -> str:
    """What the card says of it, if anything."""
    return sentence(entry) if isinstance(entry, Lost) else ""


def sentence(lost: Lost) -> str:
    """What happened, for a person."""
    if lost.saved is None:
        return f"The computer was lost and its files with it: {lost.why or 'there was no save of them'}"
    back = f"files are back as of {_moment(lost.saved, lost.at)}"
    if lost.why:
        back = f"not all of its files could be brought back ({lost.why})"
    left = f"; not among them: {_names(lost.left, len(lost.left))}" if lost.left else ""
    return f"The computer was lost; {back}; programs that ran are not{left}"


def for_model(entry: Lost | Unsaved) -> str:
    """The same for the model, with what to do about it."""
    if isinstance(entry, Lost):
        return (
            f"[{sentence(entry)}. This happened before your last command ran. Look at what is there before you rely on "
            "it, start again what must run, and say in your answer what was lost if it matters.]"
        )
    files = "1 file is" if entry.count == 1 else f"{entry.count} files are"
    return (
        f"[{files} too large to be saved with the others and would not come back if this computer were lost: "
        f"{_names(entry.left, entry.count)}. Deliver what matters, or keep it small.]"
    )


def _names(names: tuple[str, ...], count: int) -> str:
    shown = ", ".join(names[:NAMED])
    return shown if count <= NAMED else f"{shown} and {count - min(NAMED, len(names))} more"


def _moment(then: datetime, now: datetime) -> str:
    return f"{then:%H:%M} UTC" if then.date() == now.date() else f"{then:%Y-%m-%d %H:%M} UTC"
