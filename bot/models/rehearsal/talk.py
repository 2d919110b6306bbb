"""The conversation as the rehearsal model sees it: what is still open, what was called, what came back.

It follows the forms in which the context puts things: people's messages open with a bracketed line of who and when,
the bot's own news is a message in square brackets, attached files are lines of their own.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any, cast

from bot.entries import Item

_HEAD = re.compile(r"^\[(?P<who>[^\]\n]{1,80}), (?P<when>\d{4}-\d\d-\d\d[^\]\n]*)\]\n?")
_FILE = re.compile(r"^\[file: (?P<path>.+), (?P<size>[^,\]]+), (?P<mime>[^,\]]*)\]$", re.MULTILINE)
_ANY_FILE = re.compile(r"^\[file[ :].*\]$", re.MULTILINE)
_REWORDED = re.compile(
    r'^\[(?P<who>.+?) changed the message "(?P<before>.*)"\. It now says:\]\n(?P<now>.*)$', re.DOTALL
)
_DELETED = re.compile(r'^\[.+? deleted the message "(?P<before>.*)"\. It no longer counts\.\]$', re.DOTALL)
_REDO = re.compile(r'^\(I changed "(?P<before>.*)" to "(?P<now>.*)"\. Redo what that changes.*\)$', re.DOTALL)
_GO_ON = re.compile(
    r"(?:ok(?:ay)?[, ]*)?(?:please )?(?:go on|continue|resume|carry on|keep going|proceed|try again|weiter)"
    r"(?: from where you were)?[.! ]*",
    re.IGNORECASE,
)
_UNSAID = "[This was not posted:"
_VOID = re.compile(r"^\[Not (?:run|finished)", re.IGNORECASE)
TABLE = re.compile(r"\.(?:csv|tsv|xlsx|xlsm)$", re.IGNORECASE)


@dataclass(slots=True)
class Said:
    """One message of a person."""

    text: str
    files: tuple[str, ...] = ()


@dataclass(slots=True)
class Talk:
    """`open` are the messages since the last answer, `past` those before; `news` is what the bot learned since."""

    open: list[Said] = field(default_factory=list[Said])
    past: list[Said] = field(default_factory=list[Said])
    rest: list[Said] = field(default_factory=list[Said])
    news: list[str] = field(default_factory=list[str])
    last: str = ""
    plan: str = ""
    _calls: dict[str, str] = field(default_factory=dict[str, str])
    _outputs: dict[str, list[str]] = field(default_factory=dict[str, list[str]])
    _tried: dict[str, int] = field(default_factory=dict[str, int])
    _before: tuple[int, dict[str, list[str]]] = field(default_factory=lambda: (0, {}))

    @classmethod
    def of(cls, items: Sequence[Item]) -> Talk:
        """Read the model's input."""
        talk = cls()
        for item in items:
            match item:
                case {"type": "function_call", "call_id": str(call_id), "name": str(name), "arguments": str(given)}:
                    talk._call(call_id, name, given)
                case {"type": "function_call_output", "call_id": str(call_id)}:
                    talk._output(call_id, text_of(item.get("output")))
                case {"role": "assistant"}:
                    talk._answered()
                case {"role": "user"}:
                    talk._heard(text_of(item.get("content")))
                case _:
                    pass
        return talk

    @property
    def tables(self) -> tuple[str, ...]:
        """Tables attached before the open messages, oldest first."""
        return tuple(path for said in self.past for path in said.files if TABLE.search(path))

    def take(self, name: str, arguments: dict[str, Any]) -> str | None:
        """The output of this very call since the last answer, each output once; None when it has to be made.

        A call that was dropped before it ran is made again, twice at most.
        """
        key = call_key(name, arguments)
        waiting = self._outputs.get(key, [])
        if waiting:
            return waiting.pop(0)
        return "[It was dropped again and again.]" if self._tried.get(key, 0) > 2 else None

    def results(self) -> list[str]:
        """What calls since the last answer gave, for a summary."""
        return [output for outputs in self._outputs.values() for output in outputs]

    def _call(self, call_id: str, name: str, given: str) -> None:
        arguments: dict[str, Any] = {}
        with suppress(ValueError):
            arguments = json.loads(given)
        self._calls[call_id] = call_key(name, arguments)
        if name == "plan":
            self.plan = call_key(name, arguments)

    def _output(self, call_id: str, output: str) -> None:
        key = self._calls.get(call_id, "")
        if _VOID.match(output):
            self._tried[key] = self._tried.get(key, 0) + 1
        else:
            self._outputs.setdefault(key, []).append(output)

    def _answered(self) -> None:
        self._before = (len(self.open), self._outputs)
        self.past += self.open
        self.open, self.rest, self.news, self.plan = [], [], [], ""
        self._outputs, self._tried = {}, {}

    def _heard(self, text: str) -> None:
        self.last = text
        if _HEAD.match(text) or not text.startswith("["):
            self._said(text)
        elif change := _REWORDED.match(text):
            self._reword(change["before"], change["now"])
        elif gone := _DELETED.match(text):
            self.open = [said for said in self.open if said.text != gone["before"].strip()]
        else:
            self._news(text)

    def _said(self, text: str) -> None:
        body = _HEAD.sub("", text)
        files = tuple(match["path"] for match in _FILE.finditer(body))
        words = _ANY_FILE.sub("", body).strip()
        if _GO_ON.fullmatch(words) and not files:
            self.open, self.rest = self.rest + self.open, []
        elif redo := _REDO.match(words):
            self._reword(redo["before"], redo["now"])
        else:
            self.open.append(Said(words, files))

    def _reword(self, before: str, now: str) -> None:
        for said in self.open:
            if said.text == before.strip():
                said.text = now.strip()
                return
        files = next((said.files for said in reversed(self.past) if said.text == before.strip()), ())
        self.open.append(Said(now.strip(), files))

    def _unsaid(self) -> None:
        """The last answer was not read by anybody: what it answered is open still, and what was done stays done."""
        count, self._outputs = self._before
        cut = len(self.past) - count
        self.open, self.past = self.past[cut:], self.past[:cut]

    def _news(self, text: str) -> None:
        if text.startswith(_UNSAID):
            self._unsaid()
        elif text.endswith("Nothing that was queued will run.]"):
            self.rest, self.open = self.open, []
        else:
            self.news.append(text)


def text_of(content: object) -> str:
    """The text of a message's content or a call's output, given as text or as parts."""
    if isinstance(content, str):
        return content
    if not isinstance(content, list):
        return ""
    parts = [cast("Item", part) for part in cast("list[object]", content) if isinstance(part, dict)]
    return "\n".join(str(part["text"]) for part in parts if part.get("text"))


def fingerprint(items: Sequence[Item]) -> str:
    """The same for the same items, so that ids made from it are repeatable."""
    return hashlib.sha256(json.dumps(list(items), sort_keys=True, default=str).encode()).hexdigest()[:20]


def call_key(name: str, arguments: dict[str, Any]) -> str:
    """A call by its content: equal for equal calls."""
    return json.dumps([name, arguments], sort_keys=True)
