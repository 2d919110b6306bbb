"""Slack's mrkdwn, Markdown and rich text as safe HTML.

Hides three small languages. Every piece of text is escaped on its way out, only http, https and mailto become
links (with their host beside them when the words say something else), and nothing remote is ever loaded.
"""

import re
from collections.abc import Sequence
from typing import Any, cast
from urllib.parse import urlsplit

from markdown_it import MarkdownIt
from markdown_it.renderer import RendererHTML
from markdown_it.token import Token

from bot.playground.shapes import Obj, as_obj, as_objs, as_text
from bot.playground.wording import WIRE, label_of, shown, unescaped
from bot.playground.workspace import Workspace

EMOJI = {
    "+1": "👍", "-1": "👎", "bulb": "💡", "calendar": "📅", "eyes": "👀", "exclamation": "❗",
    "file_folder": "📁", "hand": "✋", "heart": "❤️", "hourglass": "⌛", "hourglass_flowing_sand": "⏳",
    "information_source": "ℹ️", "lock": "🔒", "mag": "🔍", "memo": "📝", "no_entry": "⛔", "octagonal_sign": "🛑",
    "page_facing_up": "📄", "point_right": "👉", "question": "❓", "raised_hand": "✋", "rocket": "🚀",
    "smile": "😄", "speech_balloon": "💬", "tada": "🎉", "thinking_face": "🤔", "thumbsdown": "👎",
    "thumbsup": "👍", "wave": "👋", "white_check_mark": "✅", "heavy_check_mark": "✔️", "warning": "⚠️",
    "wrench": "🔧", "x": "❌", "zipper_mouth_face": "🤐", "mute": "🔇", "speaker": "🔈", "clock3": "🕒",
}  # fmt: skip
BLOCK = re.compile(r"```(.*?)```", re.S)
INLINE = re.compile(r"`([^`\n]+)`|" + WIRE.pattern + r"|:(?P<emoji>[a-z0-9_+-]+):")
MARKS = (("*", "strong"), ("_", "em"), ("~", "s"))
HELD = re.compile("\x00(\\d+)\x00")
MARKDOWN_MENTION = re.compile(r"<(?P<kind>[@#!])(?P<body>[A-Za-z0-9^_-]+)(?:\|(?P<label>[^<>|]*))?>")


def link(address: str, words: str) -> str:
    """A link that opens elsewhere and shows where it leads; plain words when the address is no web address."""
    try:
        parts = urlsplit(address)
    except ValueError:
        return shown(words)
    if parts.scheme.lower() not in {"http", "https", "mailto"}:
        return shown(words if words == address else f"{words} ({address})")
    host = parts.hostname or parts.path
    told = f'<span class="host">{shown(host)}</span>' if words.strip() != address else ""
    safe = f'href="{shown(address)}" title="{shown(address)}" target="_blank" rel="noopener noreferrer nofollow"'
    return f"<a {safe}>{shown(words)}</a>{told}"


def emoji(name: str) -> str:
    """The sign for an emoji name, or the name between colons."""
    return EMOJI.get(name.partition("::")[0], f":{name}:")


def mention(workspace: Workspace, kind: str, body: str, label: str) -> str:
    words = label_of(workspace, kind, body, label)
    bot = workspace.people.get(body)
    extra = " bot" if bot and bot.is_bot else ""
    return f'<span class="mention{extra}">{shown(words)}</span>'


def mrkdwn(workspace: Workspace, text: str) -> str:
    """mrkdwn as HTML: code, links, mentions, bold, italic, strike, quotes, emoji and line breaks."""
    kept: list[str] = []

    def hold(fragment: str) -> str:
        kept.append(fragment)
        return f"\x00{len(kept) - 1}\x00"

    def inline(found: re.Match[str]) -> str:
        if found[1]:
            return hold(f"<code>{shown(unescaped(found[1]))}</code>")
        if found["emoji"]:
            return emoji(found["emoji"])
        if found["kind"]:
            return hold(mention(workspace, found["kind"], found["body"], unescaped(found["label"] or "")))
        address = unescaped(found["body"])
        return hold(link(address, unescaped(found["label"] or "") or address))

    text = text.replace("\x00", "")
    text = BLOCK.sub(lambda found: hold(f"<pre>{shown(unescaped(found[1]).strip(chr(10)))}</pre>"), text)
    text = INLINE.sub(inline, text)
    return HELD.sub(lambda found: kept[int(found[1])], _lines(shown(unescaped(text))))


def _lines(text: str) -> str:
    """Quotes and line breaks; expects escaped text."""
    out: list[str] = []
    quoted: list[str] = []
    for line in [*text.split("\n"), None]:
        if line is not None and line.startswith("&gt;"):
            quoted.append(_marked(line[4:].removeprefix(" ")))
            continue
        if quoted:
            out.append(f"<blockquote>{'<br>'.join(quoted)}</blockquote>")
            quoted = []
        if line is not None:
            out.append(_marked(line) + "<br>")
    joined = "".join(out)
    return joined.removesuffix("<br>").replace("</blockquote><br>", "</blockquote>")


def _marked(line: str) -> str:
    for sign, tag in MARKS:
        mark = re.escape(sign)
        inside = rf"(?<![\w{mark}]){mark}(?=\S)([^{mark}]*?\S){mark}(?![\w{mark}])"
        line = re.sub(inside, rf"<{tag}>\1</{tag}>", line)
    return line


class Markdown:
    """Markdown as HTML, raw HTML off, pictures as links, Slack mentions understood."""

    def __init__(self, workspace: Workspace) -> None:
        self._workspace = workspace
        self._parser = MarkdownIt("commonmark", {"html": False, "linkify": False}).enable(["table", "strikethrough"])
        rules = cast(RendererHTML, self._parser.renderer).rules
        rules |= {
            "text": self._text,
            "image": self._image,
            "link_open": self._link_open,
            "link_close": self._link_close,
            "th_open": self._cell_open,
            "td_open": self._cell_open,
        }

    def render(self, text: str) -> str:
        return f'<div class="markdown">{self._parser.render(text)}</div>'

    def _cell_open(self, tokens: Sequence[Token], at: int, *rest: Any) -> str:
        """Alignment as a class: the page's policy allows no inline style."""
        side = str(tokens[at].attrs.get("style", "")).rpartition(":")[2]
        return f'<{tokens[at].tag} class="{side}">' if side in {"left", "right", "center"} else f"<{tokens[at].tag}>"

    def _text(self, tokens: Sequence[Token], at: int, *rest: Any) -> str:
        text, out, last = tokens[at].content, list[str](), 0
        for found in MARKDOWN_MENTION.finditer(text):
            out += [
                shown(text[last : found.start()]),
                mention(self._workspace, found["kind"], found["body"], found["label"] or ""),
            ]
            last = found.end()
        return "".join([*out, shown(text[last:])])

    def _image(self, tokens: Sequence[Token], at: int, *rest: Any) -> str:
        address = str(tokens[at].attrs.get("src", ""))
        return link(address, tokens[at].content or "picture")

    def _link_open(self, tokens: Sequence[Token], at: int, *rest: Any) -> str:
        address = str(tokens[at].attrs.get("href", ""))
        return link(address, "\x00").partition("\x00")[0] if _is_web(address) else "<span>"

    def _link_close(self, tokens: Sequence[Token], at: int, *rest: Any) -> str:
        opened = next(tokens[i] for i in range(at, -1, -1) if tokens[i].type == "link_open")
        address = str(opened.attrs.get("href", ""))
        if not _is_web(address):
            return "</span>"
        inside = [token for token in tokens[tokens.index(opened) + 1 : at] if token.type == "text"]
        words = "".join(token.content for token in inside)
        return (
            "</a>" if words == address else f'</a><span class="host">{shown(urlsplit(address).hostname or "")}</span>'
        )


def _is_web(address: str) -> bool:
    try:
        return urlsplit(address).scheme.lower() in {"http", "https", "mailto"}
    except ValueError:
        return False


STYLES = (("bold", "strong"), ("italic", "em"), ("strike", "s"), ("code", "code"))


def rich_text(workspace: Workspace, block: Obj) -> str:
    """A rich_text block as HTML."""
    return "".join(_rich_node(workspace, node) for node in as_objs(block.get("elements")))


def _rich_node(workspace: Workspace, node: Obj) -> str:
    if node.get("type") == "rich_text_list":
        tag = "ol" if node.get("style") == "ordered" else "ul"
        items = "".join(f"<li>{_leaves(workspace, item)}</li>" for item in as_objs(node.get("elements")))
        return f"<{tag}>{items}</{tag}>"
    inside = _leaves(workspace, node)
    tags = {"rich_text_quote": "blockquote", "rich_text_preformatted": "pre"}
    tag = tags.get(as_text(node.get("type")), "p")
    return f"<{tag}>{inside}</{tag}>"


def _leaves(workspace: Workspace, node: Obj) -> str:
    return "".join(_leaf(workspace, leaf) for leaf in as_objs(node.get("elements")))


def _leaf(workspace: Workspace, leaf: Obj) -> str:
    match leaf.get("type"):
        case "text":
            made = shown(as_text(leaf.get("text"))).replace("\n", "<br>")
        case "link":
            made = link(as_text(leaf.get("url")), as_text(leaf.get("text")) or as_text(leaf.get("url")))
        case "user":
            made = mention(workspace, "@", as_text(leaf.get("user_id")), "")
        case "channel":
            made = mention(workspace, "#", as_text(leaf.get("channel_id")), "")
        case "emoji":
            made = shown(emoji(as_text(leaf.get("name"))))
        case "broadcast":
            made = mention(workspace, "!", as_text(leaf.get("range")), "")
        case _:
            made = shown(as_text(leaf.get("fallback")) or as_text(leaf.get("value")))
    style = as_obj(leaf.get("style"))
    for name, tag in STYLES:
        if style.get(name):
            made = f"<{tag}>{made}</{tag}>"
    return made
