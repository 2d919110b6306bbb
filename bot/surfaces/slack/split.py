"""A long Markdown text as several messages, cut where a reader would: at paragraphs, and never inside a code block
that fits into one message."""

from __future__ import annotations

import re
from collections.abc import Iterator

from bot.surfaces.slack.blocks import chunks

_FENCE = re.compile(r"^ {0,3}(`{3,})([^`\n]*)$")


def split(text: str, limit: int) -> list[str]:
    """The parts, each of 1 to `limit` characters; none for a text of nothing but space."""
    parts: list[str] = []
    now = ""
    for piece in _pieces(text, limit):
        if now and len(now) + len(piece) > limit:
            parts.append(now)
            now = ""
        now += piece
    parts.append(now)
    return [part.strip("\n") for part in parts if part.strip()]


def _pieces(text: str, limit: int) -> Iterator[str]:
    """Paragraphs and code blocks with the line ends after them, none longer than `limit`."""
    for block, fence in _paragraphs(text):
        if len(block) <= limit:
            yield block
        elif fence:
            yield from _long_code(block, fence, limit)
        else:
            yield from chunks(block, limit)


def _paragraphs(text: str) -> Iterator[tuple[str, str]]:
    now, fence, info = "", "", ""
    for line in text.split("\n"):
        mark = _FENCE.match(line)
        if fence:
            now += line + "\n"
            if mark and len(mark.group(1)) >= len(fence) and not mark.group(2).strip():
                yield now, info
                now, fence, info = "", "", ""
        elif mark:
            if now:
                yield now, ""
            now, fence, info = line + "\n", mark.group(1), line
        else:
            now += line + "\n"
            if not line.strip():
                yield now, ""
                now = ""
    if now:
        yield now, info


def _long_code(block: str, opening: str, limit: int) -> Iterator[str]:
    """A code block too long for one message: closed and opened again at each cut."""
    opening = opening if len(opening) < 60 else "```"
    mark = _FENCE.match(opening)
    closing = mark.group(1) if mark else "```"
    body = block.split("\n", 1)[1].rstrip("\n")
    last = body.rpartition("\n")[2]
    if _FENCE.match(last) and not last.strip().strip("`"):
        body = body.rpartition("\n")[0]
    room = limit - len(opening) - len(closing) - 3
    for part in chunks(body, room):
        yield f"{opening}\n{part.rstrip(chr(10))}\n{closing}\n"
