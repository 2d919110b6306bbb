"""The JSON vocabulary every other file here shares, so that none of them repeats how loose input is read.

Slack's wire is untyped JSON; these few functions turn 'whatever came in' into something typed, or into the
error the real service would answer. Nothing here knows what a message or a person is.
"""

import json
from typing import Any, TypeAlias, cast

Obj: TypeAlias = dict[str, Any]


class SlackError(Exception):
    """A Web API call refused: becomes `{"ok": false, "error": code, ...extra}` with HTTP status 200.

    `code` is the error string of the real service, `extra` what it sends beside it (such as
    `response_metadata.messages`).
    """

    def __init__(self, code: str, **extra: Any) -> None:
        super().__init__(code)
        self.code = code
        self.extra: Obj = extra


def as_obj(value: Any) -> Obj:
    """`value` when it is a JSON object, else an empty one."""
    return cast(Obj, value) if isinstance(value, dict) else {}


def as_list(value: Any) -> list[Any]:
    """`value` when it is a JSON array, else an empty one."""
    return cast("list[Any]", value) if isinstance(value, list) else []


def as_objs(value: Any) -> list[Obj]:
    """The objects in a JSON array; anything else in it is left out."""
    return [as_obj(item) for item in as_list(value) if isinstance(item, dict)]


def as_text(value: Any) -> str:
    """`value` when it is a string, else an empty one."""
    return value if isinstance(value, str) else ""


def as_flag(value: Any) -> bool:
    """True for JSON true and for the words a query string uses for it."""
    return value is True or (isinstance(value, str) and value.lower() in {"1", "true"})


def decoded(value: Any) -> Any:
    """A structure that may arrive as a JSON string (form and query calls do that), decoded once.

    Raises ValueError when the string is not JSON.
    """
    return json.loads(value) if isinstance(value, str) else value


def inner(value: Any, *path: str) -> Obj:
    """The object at `path` inside `value`; an empty one when any step is missing."""
    found = as_obj(value)
    for step in path:
        found = as_obj(found.get(step))
    return found
