"""A scripted reply as the events of the Responses API, each checked with the SDK's own types, in the API's order."""

from __future__ import annotations

import re
import uuid
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from functools import partial
from typing import Any, cast, get_args

from openai.types.responses import ResponseStreamEvent
from pydantic import BaseModel

from tests.support.replies import Call, Part, Reasoning, Refusal, Text, Turn

Event = dict[str, Any]


def _kinds() -> dict[str, type[BaseModel]]:
    union = get_args(ResponseStreamEvent)[0]
    models = cast("tuple[type[BaseModel], ...]", get_args(union))
    return {get_args(model.model_fields["type"].annotation)[0]: model for model in models}


KINDS = _kinds()


def check(event: Event) -> None:
    """Raise unless the SDK knows this event, with these fields and no others."""
    model = KINDS[event["type"]].model_validate(event, strict=True)
    extra = list(_extra(model, event["type"]))
    assert not extra, f"fields the SDK does not know: {extra}"


def _extra(value: object, where: str) -> Iterator[str]:
    if isinstance(value, BaseModel):
        yield from (f"{where}.{name}" for name in value.model_extra or {})
        for name in type(value).model_fields:
            yield from _extra(getattr(value, name), f"{where}.{name}")
    elif isinstance(value, list):
        for entry in cast("list[object]", value):
            yield from _extra(entry, where)


@dataclass(slots=True)
class Writer:
    """Writes one reply's events. `request` is the body it answers."""

    request: Event
    turn: Turn
    events: list[Event] = field(default_factory=list[Event])
    output: list[Event] = field(default_factory=list[Event])
    id: str = field(default_factory=lambda: f"resp_{uuid.uuid4().hex}")

    def write(self) -> list[Event]:
        """All events, from response.created to the last one."""
        self._add("response.created", response=self.response("in_progress"))
        self._add("response.in_progress", response=self.response("in_progress"))
        for part in self.turn.parts:
            self._part(part)
        self._last()
        for event in self.events:
            check(event)
        Order().check(self.events)
        return self.events

    def response(self, status: str) -> Event:
        """The response object as it stands."""
        ended = status != "in_progress"
        tokens = self.turn.tokens
        usage = {
            "input_tokens": tokens.input,
            "input_tokens_details": {"cached_tokens": tokens.cached, "cache_write_tokens": 0},
            "output_tokens": tokens.output,
            "output_tokens_details": {"reasoning_tokens": 0},
            "total_tokens": tokens.input + tokens.output,
        }
        reason = {"max_tokens": "max_output_tokens", "filtered": "content_filter"}.get(self.turn.ending)
        return {
            "id": self.id,
            "object": "response",
            "created_at": 1_700_000_000.0,
            "status": status,
            "error": dict(zip(("code", "message"), self.turn.error, strict=True)) if status == "failed" else None,
            "incomplete_details": {"reason": reason} if status == "incomplete" else None,
            "instructions": self.request.get("instructions"),
            "model": self.request["model"],
            "output": list(self.output) if ended else [],
            "parallel_tool_calls": bool(self.request.get("parallel_tool_calls", True)),
            "tool_choice": "auto",
            "tools": self.request.get("tools", []),
            "usage": usage if ended else None,
        }

    def _last(self) -> None:
        match self.turn.ending:
            case "max_tokens" | "filtered":
                self._add("response.incomplete", response=self.response("incomplete"))
            case "failed":
                self._add("response.failed", response=self.response("failed"))
            case "error":
                self._add("error", code=self.turn.error[0], message=self.turn.error[1], param=None)
            case _:
                self._add("response.completed", response=self.response("completed"))

    def _add(self, kind: str, **fields: Any) -> None:
        self.events.append({"type": kind, "sequence_number": len(self.events), **fields})

    def _part(self, part: Part) -> None:
        match part:
            case Text(text, phase):
                content: Event = {"type": "output_text", "text": text, "annotations": [], "logprobs": []}
                self._message(content, "output_text", "text", phase)
            case Refusal(text):
                self._message({"type": "refusal", "refusal": text}, "refusal", "refusal", "")
            case Call():
                self._call(part)
            case Reasoning():
                self._reasoning(part)

    def _message(self, content: Event, kind: str, key: str, phase: str) -> None:
        item: Event = {"id": _id("msg"), "type": "message", "role": "assistant"}
        item |= {"phase": phase} if phase else {}
        add = self._begin(item | {"status": "in_progress", "content": []})
        at = {"item_id": item["id"], "content_index": 0}
        extra: Event = {"logprobs": []} if kind == "output_text" else {}
        add("response.content_part.added", part=content | {key: ""}, **at)
        for piece in pieces(content[key]):
            add(f"response.{kind}.delta", delta=piece, **at, **extra)
        add(f"response.{kind}.done", **{key: content[key]}, **at, **extra)
        add("response.content_part.done", part=content, **at)
        self._end(item | {"status": "completed", "content": [content]})

    def _call(self, call: Call) -> None:
        item: Event = {
            "id": _id("fc"),
            "type": "function_call",
            "name": call.name,
            "call_id": call.call_id or _id("call"),
        }
        add = self._begin(item | {"status": "in_progress", "arguments": ""})
        for piece in pieces(call.written()):
            add("response.function_call_arguments.delta", item_id=item["id"], delta=piece)
        add("response.function_call_arguments.done", item_id=item["id"], arguments=call.written())
        self._end(item | {"status": "completed", "arguments": call.written()})

    def _reasoning(self, reasoning: Reasoning) -> None:
        item: Event = {"id": _id("rs"), "type": "reasoning"}
        add = self._begin(item | {"summary": []})
        summary = [{"type": "summary_text", "text": reasoning.summary}] if reasoning.summary else []
        for part in summary:
            at = {"item_id": item["id"], "summary_index": 0}
            add("response.reasoning_summary_part.added", part=part | {"text": ""}, **at)
            for piece in pieces(part["text"]):
                add("response.reasoning_summary_text.delta", delta=piece, **at)
            add("response.reasoning_summary_text.done", text=part["text"], **at)
            add("response.reasoning_summary_part.done", part=part, **at)
        self._end(item | {"summary": summary, "encrypted_content": reasoning.encrypted})

    def _begin(self, item: Event) -> Callable[..., None]:
        index = len(self.output)
        self._add("response.output_item.added", output_index=index, item=item)
        return partial(self._add, output_index=index)

    def _end(self, item: Event) -> None:
        self._add("response.output_item.done", output_index=len(self.output), item=item)
        self.output.append(item)


@dataclass(slots=True)
class Order:
    """The order that the API keeps: created first, items one after another, deltas that add up, one last event."""

    open: int | None = None
    next: int = 0
    said: str = ""

    def check(self, events: list[Event]) -> None:
        """Raise unless `events` are a whole reply in order."""
        assert [event["type"] for event in events[:2]] == ["response.created", "response.in_progress"]
        assert [event["sequence_number"] for event in events] == list(range(len(events)))
        for event in events[2:-1]:
            self._item(event)
        assert self.open is None
        assert events[-1]["type"] in ("response.completed", "response.incomplete", "response.failed", "error")

    def _item(self, event: Event) -> None:
        kind = event["type"]
        if kind == "response.output_item.added":
            assert self.open is None
            assert event["output_index"] == self.next
            self.open, self.said = self.next, ""
            return
        assert self.open == event["output_index"], f"{kind} outside its item"
        if kind.endswith(".delta"):
            self.said += event["delta"]
        elif kind == "response.output_item.done":
            self.open, self.next = None, self.next + 1
        elif kind.endswith((".output_text.done", ".refusal.done", ".arguments.done", "summary_text.done")):
            whole = event.get("text", event.get("refusal", event.get("arguments")))
            assert self.said == whole, "the deltas do not add up"


def pieces(text: str) -> list[str]:
    """The text in deltas of a word each."""
    return re.findall(r"\S+\s*|\s+", text)


def _id(kind: str) -> str:
    return f"{kind}_{uuid.uuid4().hex}"
