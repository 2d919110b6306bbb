"""What a person reads of a Slack message, as plain text: its mrkdwn text, its blocks, what it forwards.

The names of the people mentioned come from outside, so everything here is pure. Characters that cannot be seen are
shown escaped; nothing is cut.
"""

from __future__ import annotations

import html
import re
from collections.abc import Callable, Iterator, Mapping

from bot.heard import FileRef
from bot.surfaces.slack.escape import visible
from bot.surfaces.slack.wire import Obj, at, number, obj, objs, text

_TOKEN = re.compile(r"<([^<>\n]*)>")
_MENTION = re.compile(r"<@([UW][A-Z0-9]+)(?:\|[^<>\n]*)?>")
_DEPTH = 4
"""How deep forwarded messages and nested blocks are followed."""

Names = Mapping[str, str]


def mentions(message: Obj) -> list[str]:
    """Ids of the people mentioned in the message, each once, in order; forwarded text included."""
    found = _MENTION.findall("\n".join(_raw(message)))
    return list(dict.fromkeys(found))


def mentions_of(words: str) -> list[str]:
    """The same for one mrkdwn text."""
    return list(dict.fromkeys(_MENTION.findall(words)))


def opens_to_other(words: str, bot: str) -> bool:
    """Whether a mrkdwn text begins by mentioning somebody who is not the bot."""
    first = _MENTION.match(words.lstrip())
    return first is not None and first.group(1) != bot


def read(words: str, names: Names, bot: str = "") -> str:
    """A mrkdwn text as plain text; mentions of `bot` are left out."""
    out: list[str] = []
    spot = 0
    for token in _TOKEN.finditer(words):
        before = html.unescape(words[spot : token.start()])
        shown = _token(token.group(1), names, bot)
        spot = token.end()
        if shown is None:
            spot = _over_space(words, spot, before)
            out.append(before)
        else:
            out.append(before + html.unescape(shown))
    out.append(html.unescape(words[spot:]))
    return visible("".join(out)).strip()


def _over_space(words: str, spot: int, before: str) -> int:
    """Where a left-out mention stood between spaces, one of them goes with it; so does a comma or colon after it."""
    opening = not before.strip()
    if opening and words[spot : spot + 1] in (",", ":"):
        spot += 1
    if (opening or before.endswith((" ", "\n"))) and words[spot : spot + 1] == " ":
        spot += 1
    return spot


def _token(inside: str, names: Names, bot: str) -> str | None:
    body, _, label = inside.partition("|")
    if body.startswith("@"):
        return None if bot and body[1:] == bot else f"@{names.get(body[1:]) or label or body[1:]}"
    if body.startswith("#"):
        return f"#{label or body[1:]}"
    if body.startswith("!"):
        return label or f"@{body[1:].split('^')[0]}"
    if body.startswith("mailto:"):
        body = body.removeprefix("mailto:")
    if not label or label == body or body in (f"https://{label}", f"http://{label}"):
        return body
    return f"{label} ({body})"


def whole(message: Obj, names: Names, bot: str = "") -> str:
    """Everything a person reads of the message: its text (or, without one, its blocks), then what it forwards."""
    words = text(message.get("text")) or "\n".join(_blocks(objs(message.get("blocks"))))
    return "\n".join(part for part in (read(words, names, bot), *_forwarded(message, names, 0)) if part)


def shown(message: Obj, names: Names) -> str:
    """The same for a message read back from history: blocks say more than the fallback text of an app's message."""
    blocks = objs(message.get("blocks"))
    rich = "\n".join(_blocks(blocks)) if any(b.get("type") != "rich_text" for b in blocks) else ""
    words = text(message.get("text"))
    body = rich if len(rich) > len(words) else words or rich
    return "\n".join(part for part in (read(body, names), *_forwarded(message, names, 0)) if part)


def _forwarded(message: Obj, names: Names, depth: int) -> Iterator[str]:
    if depth >= _DEPTH:
        return
    for one in objs(message.get("attachments")):
        said = [text(one.get("pretext")), text(one.get("title")), text(one.get("text"))]
        if not any(said):
            said = _blocks(objs(one.get("blocks")) or _message_blocks(one)) or [text(one.get("fallback"))]
        fields = [f"{text(f.get('title'))}: {text(f.get('value'))}" for f in objs(one.get("fields"))]
        body = read("\n".join(part for part in (*said, *fields) if part), names)
        inner = list(_forwarded(one, names, depth + 1))
        if not body and not inner:
            continue
        author = read(text(one.get("author_name")), names)
        source = read(text(one.get("from_url")) or text(one.get("title_link")), names)
        head = " ".join(part for part in ("Forwarded", f"from {author}" if author else "", source) if part)
        yield "\n".join([f"[{head}]", *(f"> {line}" for part in (body, *inner) for line in part.split("\n"))])


def _message_blocks(attachment: Obj) -> list[Obj]:
    return [b for m in objs(attachment.get("message_blocks")) for b in objs(obj(m.get("message")).get("blocks"))]


def _blocks(blocks: list[Obj], depth: int = 0) -> list[str]:
    """The texts of blocks in mrkdwn, one line or more each; buttons are left out."""
    lines: list[str] = []
    for block in blocks if depth < _DEPTH else []:
        kind = text(block.get("type"))
        if kind == "rich_text":
            lines.append(_rich(block))
        elif kind in ("plan", "task_card"):
            lines.append(" ".join(filter(None, (text(block.get("title")), text(block.get("status"))))))
            lines += _blocks([obj(block.get("details")), obj(block.get("output"))], depth + 1)
            lines += _blocks(objs(block.get("tasks")), depth + 1)
        elif kind == "container":
            lines += [at(block, "title", "text"), *_blocks(objs(block.get("child_blocks")), depth + 1)]
        elif kind != "actions":
            lines += [text(block.get("text")) or at(block, "text", "text"), at(block, "title", "text")]
            lines += [at(field, "text") for key in ("fields", "elements") for field in objs(block.get(key))]
    return [line for line in lines if line]


def _rich(block: Obj) -> str:
    parts: list[str] = []
    for node in objs(block.get("elements")):
        kind = text(node.get("type"))
        if kind == "rich_text_list":
            parts += [f"• {_leaves(item)}" for item in objs(node.get("elements"))]
        elif kind == "rich_text_preformatted":
            parts.append(f"```\n{_leaves(node)}\n```")
        elif kind == "rich_text_quote":
            parts += [f"> {line}" for line in _leaves(node).split("\n")]
        else:
            parts.append(_leaves(node))
    return "\n".join(parts)


_LEAF: dict[str, Callable[[Obj], str]] = {
    "text": lambda leaf: html.escape(text(leaf.get("text")), quote=False),
    "user": lambda leaf: f"<@{text(leaf.get('user_id'))}>",
    "channel": lambda leaf: f"<#{text(leaf.get('channel_id'))}>",
    "emoji": lambda leaf: f":{text(leaf.get('name'))}:",
    "broadcast": lambda leaf: f"<!{text(leaf.get('range'))}>",
    "link": lambda leaf: f"<{text(leaf.get('url'))}|{text(leaf.get('text'))}>".replace("|>", ">"),
}


def _leaves(node: Obj) -> str:
    return "".join(_LEAF.get(text(leaf.get("type")), lambda _: "")(leaf) for leaf in objs(node.get("elements")))


def _raw(message: Obj, depth: int = 0) -> Iterator[str]:
    yield text(message.get("text"))
    yield "\n".join(_blocks(objs(message.get("blocks"))))
    for one in objs(message.get("attachments")) if depth < _DEPTH else []:
        yield from (text(one.get(key)) for key in ("pretext", "title"))
        yield "\n".join(_blocks(_message_blocks(one)))
        yield from _raw(one, depth + 1)


def files(message: Obj) -> tuple[FileRef, ...]:
    """The files attached to the message, and to messages it forwards."""
    found = [*objs(message.get("files"))]
    for one in objs(message.get("attachments")):
        found += objs(one.get("files"))
    refs = (_file(file) for file in found)
    return tuple({ref.id: ref for ref in refs if ref is not None}.values())


def _file(file: Obj) -> FileRef | None:
    ident, mode = text(file.get("id")), text(file.get("mode"))
    if not ident or mode in ("tombstone", "hidden_by_limit"):
        return None
    asks = text(file.get("file_access")) == "check_file_info"
    locator = "" if asks else text(file.get("url_private_download")) or text(file.get("url_private"))
    name = " ".join(visible(text(file.get("name")) or text(file.get("title")) or ident).split())
    return FileRef(ident, name, text(file.get("mimetype")), number(file.get("size")), locator)
