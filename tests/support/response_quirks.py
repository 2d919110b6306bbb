"""A faithful reply spoiled on purpose: as servers with a partial API send it, or as a broken line leaves it."""

from __future__ import annotations

import json
from typing import Any

from tests.support.replies import Turn
from tests.support.response_events import Event

_ITEM_EVENTS = ("response.output_item.added", "response.output_item.done")


def spoiled(events: list[Event], turn: Turn) -> list[Event]:
    """The events with the turn's quirks, up to where its ending cuts them off."""
    made = [json.loads(json.dumps(event)) for event in events]
    for event in made:
        _one(event, turn)
    if "no_deltas" in turn.quirks:
        made = [event for event in made if not event["type"].endswith(".delta")]
    if "silent_items" in turn.quirks:
        made = [event for event in made if event["type"] not in _ITEM_EVENTS]
    match turn.ending:
        case "cut" | "garbage" | "hang":
            first = next((n for n, event in enumerate(made) if event["type"].endswith(".delta")), 1)
            return made[: first + 1]
        case "eof" | "done":
            return made[:-1]
        case _:
            return made


def _one(event: Event, turn: Turn) -> None:
    for item in [event.get("item"), *event.get("response", {}).get("output", [])]:
        if item:
            _item(item, turn)
    if "no_output" in turn.quirks and event["type"] == "response.completed":
        event["response"]["output"] = []
    if "bare_events" in turn.quirks:
        for name in ("output_index", "sequence_number", "content_index", "logprobs"):
            event.pop(name, None)
    if "no_ids" in turn.quirks:
        event.pop("item_id", None)


def _item(item: dict[str, Any], turn: Turn) -> None:
    if "no_ids" in turn.quirks:
        item.pop("id", None)
    if item["type"] == "function_call":
        if "no_call_ids" in turn.quirks:
            item.pop("call_id")
        if "object_arguments" in turn.quirks and item["arguments"]:
            item["arguments"] = json.loads(item["arguments"])
