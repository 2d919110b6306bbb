"""What the Responses API demands of a request, checked as strictly as the real one and a little more."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator
from typing import Any, cast

from jsonschema import Draft202012Validator

Body = dict[str, Any]

_PARTS = {
    "user": ("input_text", "input_image", "input_file"),
    "system": ("input_text",),
    "developer": ("input_text",),
    "assistant": ("output_text", "refusal"),
}


def faults(body: Body, lacks: Collection[str] = ()) -> list[str]:
    """What is wrong with the request; empty when nothing is. Parameters in `lacks` may be missing."""
    return [*_settings(body, lacks), *_tools(body.get("tools", [])), *_input(body.get("input"))]


def _settings(body: Body, lacks: Collection[str]) -> Iterator[str]:
    if not isinstance(body.get("model"), str) or not body["model"]:
        yield "model is missing"
    if body.get("stream") is not True:
        yield "stream is not on"
    if "store" not in lacks and body.get("store") is not False:
        yield "store is not off: the provider would keep the conversation"
    if "include" not in lacks and "reasoning.encrypted_content" not in body.get("include", []):
        yield "reasoning.encrypted_content is not asked for"
    if not isinstance(body.get("instructions", ""), str):
        yield "instructions are not text"
    if len(str(body.get("prompt_cache_key", ""))) > 64:
        yield "prompt_cache_key is longer than 64 characters"
    if body.get("previous_response_id"):
        yield "previous_response_id makes no sense when nothing is stored"


def _tools(tools: list[Body]) -> Iterator[str]:
    names: set[str] = set()
    for tool in tools:
        if tool.get("type") != "function":
            continue
        name = str(tool.get("name", ""))
        if not re.fullmatch(r"[a-zA-Z0-9_-]{1,64}", name):
            yield f"tool name {name!r}"
        if name in names:
            yield f"tool {name} twice"
        names.add(name)
        schema = tool.get("parameters")
        if not isinstance(schema, dict) or cast("Body", schema).get("type") != "object":
            yield f"tool {name}: parameters are not an object schema"
        else:
            yield from (f"tool {name}: {error.message}" for error in _schema_errors(cast("Body", schema)))


def _schema_errors(schema: Body) -> list[Any]:
    validator: Any = Draft202012Validator(Draft202012Validator.META_SCHEMA)
    return list(validator.iter_errors(schema))


def _input(items: object) -> Iterator[str]:
    if isinstance(items, str):
        return
    if not isinstance(items, list) or not items:
        yield "input is empty"
        return
    asked: dict[str, int] = {}
    answered: dict[str, int] = {}
    for number, item in enumerate(cast("list[Body]", items)):
        where = f"input[{number}]"
        yield from (f"{where}: {text}" for text in _item(item))
        call_id = str(item.get("call_id", ""))
        if item.get("type") == "function_call":
            if call_id in asked:
                yield f"{where}: call {call_id} twice"
            asked[call_id] = number
        elif item.get("type") == "function_call_output":
            if call_id in answered:
                yield f"{where}: a second output for {call_id}"
            if call_id not in asked:
                yield f"{where}: No tool call found for function call output with call_id {call_id}."
            answered[call_id] = number
    for call_id in asked.keys() - answered.keys():
        yield f"No tool output found for function call {call_id}."


def _item(item: Body) -> Iterator[str]:
    match item.get("type", "message"):
        case "message":
            yield from _message(item)
        case "function_call":
            for name in ("call_id", "name", "arguments"):
                if not isinstance(item.get(name), str) or not item[name]:
                    yield f"{name} is not text"
        case "function_call_output":
            if not isinstance(item.get("output"), str | list):
                yield "output is neither text nor a list"
        case "reasoning":
            if not isinstance(item.get("summary"), list):
                yield "a reasoning item without summary"
            if not item.get("encrypted_content") and not item.get("content"):
                yield f"Item with id {item.get('id')} not found. Items are not persisted when `store` is false."
        case "compaction":
            pass
        case other:
            yield f"unknown type {other!r}"


def _message(item: Body) -> Iterator[str]:
    role, content = item.get("role"), item.get("content")
    if role not in _PARTS:
        yield f"unknown role {role!r}"
    elif isinstance(content, str):
        return
    elif not isinstance(content, list) or not content:
        yield "content is neither text nor a list"
    else:
        for part in cast("list[Body]", content):
            if part.get("type") not in _PARTS[role]:
                yield f"a part of type {part.get('type')!r} in a message of {role}"
            elif part["type"].endswith("text") and not isinstance(part.get("text"), str):
                yield "a text part without text"
