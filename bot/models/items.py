"""Output items of the Responses API made fit to be sent back as input with `store` off.

Servers differ in what they leave out: call ids, item ids, argument strings. What is missing is made up from the
request, so that the same request and reply always give the same items.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Sequence
from typing import Any, cast

from bot.entries import Item


def sendable(raw: Sequence[Item], request: Sequence[Item]) -> tuple[Item, ...]:
    """The reply's items as they must be sent back. `request` holds the items the reply answers."""
    taken = {str(item["call_id"]) for item in request if item.get("type") == "function_call" and "call_id" in item}
    seed = _digest(request)
    result: list[Item] = []
    for number, item in enumerate(raw):
        match item.get("type"):
            case "message":
                result += _message(item)
            case "reasoning":
                result += _reasoning(item)
            case "function_call":
                call = _call(item, taken, f"{seed}:{number}")
                taken.add(call["call_id"])
                result.append(call)
            case str():
                result.append(dict(item))
            case _:
                pass
    return tuple(result)


def texts(items: Iterable[Item]) -> Iterable[str]:
    """The visible text of the messages among `items`, refusals included."""
    for item in items:
        if item.get("type") == "message":
            for part in cast("list[Item]", item["content"]):
                yield str(part.get("text") or part.get("refusal") or "")


def message(text: str, phase: str = "") -> Item:
    """An assistant message as an item."""
    item: Item = {
        "type": "message",
        "role": "assistant",
        "status": "completed",
        "content": [{"type": "output_text", "text": text, "annotations": []}],
    }
    return item | ({"phase": phase} if phase else {})


def _message(item: Item) -> Iterable[Item]:
    content: Any = item.get("content")
    if isinstance(content, str):
        content = [{"type": "output_text", "text": content}]
    parts = [part for part in map(_part, _dicts(content)) if part]
    if parts:
        made = message("") | {"content": parts}
        yield made | ({"phase": item["phase"]} if item.get("phase") else {})


def _part(part: Item) -> Item | None:
    match part:
        case {"type": "refusal", "refusal": str(text)} if text:
            return {"type": "refusal", "refusal": text}
        case {"type": "output_text" | "text", "text": str(text)} if text:
            return {"type": "output_text", "text": text, "annotations": _dicts(part.get("annotations"))}
        case _:
            return None


def _reasoning(item: Item) -> Iterable[Item]:
    """Kept only where it can stand alone: the server remembers nothing when nothing is stored."""
    secret, content = item.get("encrypted_content"), _dicts(item.get("content"))
    if not secret and not content:
        return
    made: Item = {"type": "reasoning", "id": _reasoning_id(item), "summary": _dicts(item.get("summary"))}
    if content:
        made["content"] = content
    if secret:
        made["encrypted_content"] = secret
    yield made


def _reasoning_id(item: Item) -> str:
    given = item.get("id")
    return given if isinstance(given, str) and given.startswith("rs_") else f"rs_{_digest([item])}"


def _call(item: Item, taken: set[str], seed: str) -> Item:
    name, arguments = item.get("name"), item.get("arguments")
    if not isinstance(arguments, str):
        arguments = json.dumps(arguments, ensure_ascii=False) if arguments else "{}"
    call_id = item.get("call_id")
    if not isinstance(call_id, str) or not call_id or call_id in taken:
        call_id = "call_" + hashlib.sha256(f"{seed}:{name}:{arguments}".encode()).hexdigest()[:24]
    made: Item = {"type": "function_call", "call_id": call_id, "name": str(name or ""), "arguments": arguments or "{}"}
    return made | {key: item[key] for key in ("namespace", "caller") if item.get(key)}


def _dicts(value: Any) -> list[Item]:
    if not isinstance(value, list):
        return []
    return [cast("Item", part) for part in cast("list[Any]", value) if isinstance(part, dict)]


def _digest(items: Sequence[Item]) -> str:
    return hashlib.sha256(json.dumps(list(items), sort_keys=True, default=str).encode()).hexdigest()[:24]
