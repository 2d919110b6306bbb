"""Text that every store and wire can carry: halves of characters, which JSON can smuggle in, become question marks."""

from __future__ import annotations

from typing import Any, cast


def whole(text: str) -> str:
    """The text with lone surrogates replaced; any other text comes back as it is."""
    try:
        text.encode()
    except UnicodeEncodeError:
        return text.encode("utf-16", "surrogatepass").decode("utf-16", "replace")
    return text


def wholly(value: Any) -> Any:
    """The same for every text in a value made of dicts, lists, tuples and plain values."""
    match value:
        case str():
            return whole(value)
        case dict():
            return {wholly(key): wholly(item) for key, item in cast("dict[Any, Any]", value).items()}
        case list():
            return [wholly(item) for item in cast("list[Any]", value)]
        case tuple():
            return tuple(wholly(item) for item in cast("tuple[Any, ...]", value))
        case _:
            return value
