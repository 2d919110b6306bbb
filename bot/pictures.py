"""Pictures the model sees: kept as blobs, named in the context by their hash, and only filled in for a request.

The journal and the context stay small and the same; what a provider is sent carries the newest pictures.
"""

from __future__ import annotations

import base64
import logging
from collections.abc import Awaitable, Callable
from typing import Any

from bot.entries import Item

log = logging.getLogger(__name__)

MARK = "blob:"
MOST = 12
"""So many of the newest pictures are sent; older ones are said to have been there."""
KINDS = ((b"\x89PNG\r\n\x1a\n", "image/png"), (b"\xff\xd8\xff", "image/jpeg"))


def kind_of(data: bytes) -> str:
    """The picture's MIME type, or an empty string when it is none that models take."""
    return next((mime for magic, mime in KINDS if data.startswith(magic)), "")


def picture(sha: str) -> Item:
    """A part of an output that stands for a stored picture."""
    return {"type": "input_image", "image_url": f"{MARK}{sha}", "detail": "auto"}


async def filled_in(items: tuple[Item, ...], read: Callable[[str], Awaitable[bytes]]) -> tuple[Item, ...]:
    """The items with the newest pictures in place of their names."""
    places = [
        (index, part)
        for index, item in enumerate(items)
        if isinstance(item.get("output"), list)
        for part, inner in enumerate(item["output"])
        if str(inner.get("image_url", "")).startswith(MARK)
    ]
    if not places:
        return items
    result = list(items)
    newest = set(places[-MOST:])
    for index, part in places:
        output: list[Any] = list(result[index]["output"])
        output[part] = await _shown(output[part], read) if (index, part) in newest else _gone()
        result[index] = {**result[index], "output": output}
    return tuple(result)


async def _shown(part: Item, read: Callable[[str], Awaitable[bytes]]) -> Item:
    sha = str(part["image_url"]).removeprefix(MARK)
    try:
        data = await read(sha)
    except Exception:
        log.exception("the picture %s cannot be read", sha)
        return _gone()
    return {**part, "image_url": f"data:{kind_of(data) or 'image/png'};base64,{base64.b64encode(data).decode()}"}


def _gone() -> Item:
    return {"type": "input_text", "text": "[An older picture, not shown any more.]"}
