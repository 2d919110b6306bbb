"""Between what a person types and what travels: mentions, channels, addresses and the three escaped signs."""

import html
import re

from bot.playground.workspace import Workspace

TYPED = re.compile(r"(?P<url>https?://[^\s<>]+[^\s<>.,;:!?'\")\]])|(?<!\w)(?P<mark>[@#])(?P<name>[A-Za-z][\w.-]*)")
WIRE = re.compile(r"<(?P<kind>[@#!]?)(?P<body>[^<>|]*)(?:\|(?P<label>[^<>]*))?>")


def escaped(text: str) -> str:
    """The three signs that mean something on the wire, escaped."""
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")


def unescaped(text: str) -> str:
    return text.replace("&lt;", "<").replace("&gt;", ">").replace("&amp;", "&")


def sent_form(workspace: Workspace, typed: str, team: str) -> str:
    """What a client sends for what was typed: '@ben & co' becomes '<@UBEN> &amp; co'."""
    handles = {item.handle: item.id for item in workspace.people.values() if not item.is_bot or item.team == team}
    handles["threadhand"] = workspace.bot_of(team) or workspace.bot_of("TACME")
    rooms = {room.name: room.id for room in workspace.channels.values() if room.name and room.team == team}

    def replaced(found: re.Match[str]) -> str:
        if found["url"]:
            return f"<{escaped(found['url'])}>"
        name = found["name"].lower().rstrip(".-")
        rest = escaped(found["name"][len(name) :])
        if found["mark"] == "@" and name in handles:
            return f"<@{handles[name]}>{rest}"
        if found["mark"] == "@" and name in {"here", "channel", "everyone"}:
            return f"<!{name}>{rest}"
        if found["mark"] == "#" and name in rooms:
            return f"<#{rooms[name]}|{name}>{rest}"
        return escaped(found[0])

    pieces: list[str] = []
    at = 0
    for found in TYPED.finditer(typed):
        pieces += [escaped(typed[at : found.start()]), replaced(found)]
        at = found.end()
    return "".join([*pieces, escaped(typed[at:])])


def typed_form(workspace: Workspace, sent: str) -> str:
    """The other way round, for editing: what a person would have typed."""

    def replaced(found: re.Match[str]) -> str:
        return label_of(workspace, found["kind"], found["body"], found["label"] or "")

    return unescaped(WIRE.sub(replaced, sent))


def label_of(workspace: Workspace, kind: str, body: str, label: str) -> str:
    """The words shown for <@U..>, <#C..>, <!here> or <address|label>; plain text, unescaped by nobody yet."""
    if kind == "@":
        known = workspace.people.get(body)
        return f"@{known.handle if not known.is_bot else known.name}" if known else f"@{label or body}"
    if kind == "#":
        room = workspace.channels.get(body)
        return f"#{room.name if room else label or body}"
    if kind == "!":
        return f"@{label or body.partition('^')[0]}"
    return label or body


def shown(text: str) -> str:
    """Escaped for HTML, quotes included."""
    return html.escape(text, quote=True)
