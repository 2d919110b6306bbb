"""Reading Slack's untyped JSON: each function gives the wanted type, or its empty value for anything else."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, TypeAlias, cast

Obj: TypeAlias = dict[str, Any]


def obj(value: object) -> Obj:
    """The JSON object, or an empty one."""
    return cast("Obj", value) if isinstance(value, dict) else {}


def objs(value: object) -> list[Obj]:
    """The objects of a JSON array; other things in it are left out."""
    return (
        [cast("Obj", item) for item in cast("list[object]", value) if isinstance(item, dict)]
        if isinstance(value, list)
        else []
    )


def text(value: object) -> str:
    """The string, or an empty one."""
    return value if isinstance(value, str) else ""


def number(value: object) -> int:
    """The whole number, or 0."""
    return value if isinstance(value, int) and not isinstance(value, bool) else 0


def at(value: Mapping[str, object], *path: str) -> str:
    """The string at that path of nested objects, or an empty one."""
    found: object = value
    for step in path:
        found = obj(found).get(step)
    return text(found)


def ident(value: object) -> str:
    """The id of something that is sent either as its id or as an object with one."""
    return text(value) or text(obj(value).get("id"))
