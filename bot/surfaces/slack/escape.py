"""Making text inert before Slack shows it: nobody is pinged, no link pretends, nothing hides.

The model and strangers write what they like; Slack gives meaning to `<@U…>`, `<!here>`, `<url|label>`, Markdown links,
images and invisible characters. Everything not written by us passes through here, and only through here.

Markdown is made safe line by line and never across lines, so a longer text starts with what a shorter one became:
that is what lets an answer be streamed.
"""

from __future__ import annotations

import re
import unicodedata
from urllib.parse import urlsplit

JOINER = "\u200d"
_HIDDEN = re.compile(
    "[\x00-\x08\x0b-\x1f\x7f-\x9f\u00ad\u061c\u180e\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufeff\ufff9-\ufffb\ud800-\udfff\U000e0000-\U000e007f]"
)
_PINGS = re.compile(r"<(?=[@!#])")
_CODE_PINGS = re.compile(r"<(?=@[A-Z]|#[A-Z]|!(?:here|channel|everyone|group|subteam|date))")
_WORDS = re.compile(r"@(?=(?:here|channel|everyone|group)\b)", re.IGNORECASE)
_SLACK_LINK = re.compile(
    r"<((?:https?|mailto|javascript|data|slack|file|tel):[^<>|\s]*)(?:\|([^<>\n]*))?>", re.IGNORECASE
)
_DEFINITION = re.compile(r"^( {0,3})\[(?=[^\]\n]+\]:)")
_HOST = re.compile(
    r"(?:[a-z][a-z0-9+.-]*://)?(?:[^\s/@]*@)?([a-z0-9-]+(?:\.[a-z0-9-]+)*\.[a-z]{2,})(?=[/:?#\s]|\W|$)", re.I
)
_BARE = re.compile(r"(?<![(<\w\"'])(https?://[^\s<>()\[\]|`]+)", re.IGNORECASE)
_LONGEST = 600
"""Characters of a link's label or address; what is longer is not made a link, so that scanning stays linear."""
_FENCE = re.compile(r"^ {0,3}(`{3,})([^`\n]*)$")


def _hidden(match: re.Match[str]) -> str:
    char = match.group()
    if char in (JOINER, "\u200c"):
        around = match.string[max(0, match.start() - 1) : match.start()] + match.string[match.end() : match.end() + 1]
        if len(around) == 2 and not any(near.isascii() or _HIDDEN.match(near) for near in around):
            return char
    return ""


def clean(text: str) -> str:
    """Without control, zero-width and direction characters; joiners inside emoji and scripts that need them stay."""
    return _HIDDEN.sub(_hidden, text.replace("\r\n", "\n"))


def visible(text: str) -> str:
    """The same characters made visible: what people typed is shown, and cannot pass as a command."""
    return _HIDDEN.sub(lambda m: _hidden(m) or f"\u27e8U+{ord(m.group()):04X}\u27e9", text.replace("\r\n", "\n"))


def one_line(text: str, limit: int = 0) -> str:
    """Cleaned, on one line, and at most `limit` characters (0: any) with an ellipsis where it was cut."""
    flat = " ".join(clean(text).split())
    return flat if not limit or len(flat) <= limit else flat[: limit - 1].rstrip() + "…"


def mrkdwn(text: str) -> str:
    """Plain text for a mrkdwn field or a fallback text."""
    safe = clean(text).replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
    return _WORDS.sub(f"@{JOINER}", safe)


def plain(text: str) -> str:
    """Plain text for fields that Slack takes as they are (plan and task titles, plain_text, rich_text)."""
    return _WORDS.sub(f"@{JOINER}", _PINGS.sub(f"<{JOINER}", clean(text)))


def markdown(text: str) -> str:
    """Markdown for a markdown block or a stream."""
    out: list[str] = []
    fence = ""
    for line in clean(text).split("\n"):
        mark = _FENCE.match(line)
        if fence:
            out.append(_CODE_PINGS.sub(f"<{JOINER}", line))
            if mark and len(mark.group(1)) >= len(fence) and not mark.group(2).strip():
                fence = ""
        elif mark:
            fence = mark.group(1)
            out.append(_CODE_PINGS.sub(f"<{JOINER}", line))
        else:
            out.append(_line(line))
    return "\n".join(out)


def _line(line: str) -> str:
    line = _DEFINITION.sub(r"\1\\[", line)
    line = _SLACK_LINK.sub(lambda m: f"[{m.group(2) or m.group(1)}]({m.group(1)})", line)
    return _WORDS.sub(f"@{JOINER}", _PINGS.sub(f"<{JOINER}", _links(line)))


def _links(line: str) -> str:
    out: list[str] = []
    spot = 0
    while (opening := line.find("[", spot)) >= 0:
        picture = opening > spot and line[opening - 1] == "!"
        before = line[spot : opening - 1 if picture else opening]
        found = _link_at(line, opening)
        if found is None:
            out.append(_bare(line[spot : opening + 1]))
            spot = opening + 1
            continue
        label, url, spot = found
        out.append(_bare(before) + honest(_links(label) if "](" in label else label, url, picture))
    out.append(_bare(line[spot:]))
    return "".join(out)


def _link_at(line: str, opening: int) -> tuple[str, str, int] | None:
    """Label, address and end of the inline link whose bracket opens there."""
    if line.find("](", opening, opening + _LONGEST) < 0:
        return None
    closing = _closing(line, opening, "[", "]")
    if closing < 0 or line[closing + 1 : closing + 2] != "(":
        return None
    end = _closing(line, closing + 1, "(", ")")
    if end < 0:
        return None
    inside = line[closing + 2 : end].strip()
    target = inside[1:].split(">")[0] if inside.startswith("<") else (inside.split() or [""])[0]
    return line[opening + 1 : closing], target, end + 1


def _closing(line: str, opening: int, up: str, down: str) -> int:
    depth, skip = 0, False
    for index in range(opening, min(len(line), opening + _LONGEST)):
        char = line[index]
        if skip:
            skip = False
        elif char == "\\":
            skip = True
        elif char == up:
            depth += 1
        elif char == down:
            depth -= 1
            if depth == 0:
                return index
    return -1


def host_of(url: str) -> str:
    """The host an http(s) or mailto URL really leads to; empty for every other URL."""
    try:
        parts = urlsplit(url)
        if parts.scheme.lower() == "mailto":
            return parts.path.rpartition("@")[2].lower()
        return (parts.hostname or "").lower() if parts.scheme.lower() in ("http", "https") else ""
    except ValueError:
        return ""


def honest(label: str, url: str, picture: bool = False) -> str:
    """A Markdown link that says where it leads; only its label when it must not be followed."""
    shown = label.strip() or ("image" if picture else url)
    host = host_of(url)
    if not host:
        return shown
    named = {unicodedata.normalize("NFKC", m.group(1)).lower() for m in _HOST.finditer(shown.replace("\\", ""))}
    if any(name.removeprefix("www.") != host.removeprefix("www.") for name in named):
        shown = f"{shown} ({host})"
    return f"[{shown}]({url.replace(' ', '%20')})"


def _bare(text: str) -> str:
    """What was not taken for a link must not become one; an address with a name before an @ says its real host."""

    def say(match: re.Match[str]) -> str:
        url = match.group(1)
        try:
            return f"{url} ({host_of(url)})" if "@" in urlsplit(url).netloc else url
        except ValueError:
            return url

    return _BARE.sub(say, text.replace("](", f"]{JOINER}("))


def settled(text: str) -> int:
    """How much of a text that is still growing can be made safe now: up to the last place nothing later can change."""
    line = text.rfind("\n") + 1
    tail = text[line:]
    if not tail or any(char in tail for char in "[<`!~\\") or tail.lstrip(" ").startswith("`"):
        return line
    space = tail.rfind(" ")
    return line + space + 1 if space >= 0 else line
