"""A model that proves what reached it: it lists the marks (M1, M2, ...) of the messages it has yet to answer."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from tests.support.replies import Call, Turn, says

if TYPE_CHECKING:
    from tests.support.responses import Received

_MARK = re.compile(r"\bM\d+\b")


def echo(request: Received) -> Turn:
    """Answers "done: M12 M13" for all user messages since the last answer, each mark once, in order.

    When one of them says "tool", a call comes first: `note` where there is such a tool, else `shell`.
    """
    texts: list[str] = []
    before: list[str] = []
    called = False
    for item in request.items:
        role, kind = item.get("role"), item.get("type", "message")
        if role == "assistant":
            before, texts, called = texts, [], False
        elif role == "user" and text_of(item).startswith("[This was not posted:"):
            texts = before
        elif role == "user":
            texts.append(text_of(item))
        elif kind == "function_call":
            called = True
    said = "\n".join(texts)
    if re.search(r"\btool\b", said) and not called:
        marks = " ".join(dict.fromkeys(_MARK.findall(said))) or "nothing"
        if "note" in request.tools:
            return Turn((Call("note", {"text": f"seen {marks}"}),))
        if "shell" in request.tools:
            return Turn((Call("shell", {"command": f"echo {marks}"}),))
    return says("done: " + " ".join(dict.fromkeys(_MARK.findall(said))), "final_answer")


def text_of(item: dict[str, object]) -> str:
    """The text of a message item."""
    content = item.get("content")
    if not isinstance(content, list):
        return str(content or "")
    parts: list[dict[str, object]] = content  # pyright: ignore[reportUnknownVariableType]
    return "\n".join(str(part["text"]) for part in parts if "text" in part)
