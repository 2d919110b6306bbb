"""One message, one thread state, one modal as the pieces of HTML the page shows; drawn for the person looking."""

from datetime import UTC, datetime
from pathlib import PurePosixPath

from bot.playground.messages import Message, StoredFile, View
from bot.playground.mrkdwn import Markdown, emoji, mrkdwn
from bot.playground.render import Renderer
from bot.playground.shapes import Obj, as_obj, as_objs, as_text, inner
from bot.playground.wording import shown, typed_form
from bot.playground.workspace import Workspace

QUICK = ("+1", "eyes", "white_check_mark")


class Fragments:
    """Draws for any viewer."""

    def __init__(self, workspace: Workspace) -> None:
        self._workspace = workspace
        self._markdown = Markdown(workspace)

    def message(self, message: Message, viewer: str) -> Obj:
        """{channel, ts, thread_ts, top, mine, html}; `top` says that it stands in the channel itself."""
        top = message.thread_ts in {"", message.ts} or message.subtype == "thread_broadcast"
        return {
            "channel": message.channel,
            "ts": message.ts,
            "thread_ts": message.thread_ts,
            "top": top,
            "html": self._html(message, viewer),
        }

    def view(self, view: View) -> Obj:
        """{id, title, submit, close, html, reads} of a modal; html alone for a home."""
        draw = Renderer(self._workspace, self._markdown, view.user)
        body = view.body
        return {
            "id": view.id,
            "title": as_text(inner(body, "title").get("text")),
            "submit": as_text(inner(body, "submit").get("text")),
            "close": as_text(inner(body, "close").get("text")) or "Cancel",
            "html": draw.blocks(as_objs(body.get("blocks")), inner(body, "state", "values")),
        }

    def _html(self, message: Message, viewer: str) -> str:
        person = self._workspace.people.get(message.user)
        name = person.name if person else message.user
        hue = sum(map(ord, message.user)) % 8
        classes = "message" + (" private" if message.visible_to else "") + (" live" if message.stream else "")
        data = (
            f'data-ts="{message.ts}" data-channel="{message.channel}" data-thread="{message.thread_ts or message.ts}"'
        )
        gone = message.subtype == "tombstone"
        tools = "" if gone or message.visible_to else self._tools(message, viewer)
        private = '<p class="only-you">Only visible to you</p>' if message.visible_to else ""
        inside = '<p class="gone">This message was deleted.</p>' if gone else self._content(message, viewer)
        return (
            f'<article class="{classes}" {data} tabindex="-1" aria-label="{shown(name)}">'
            f'<span class="avatar hue-{hue}" aria-hidden="true">{shown(name[:1])}</span><div class="said">'
            f"<header>{self._name(message)}{self._time(message)}</header>{private}{inside}"
            f"{self._files(message, viewer)}{self._reactions(message, viewer)}{self._replies(message)}</div>"
            f"{tools}</article>"
        )

    def _name(self, message: Message) -> str:
        person = self._workspace.people.get(message.user)
        badge = ""
        if message.bot_id:
            badge = '<span class="badge">App</span>'
        elif person and person.is_guest:
            badge = '<span class="badge">Guest</span>'
        elif person and person.team != self._workspace.channel(message.channel).team:
            badge = f'<span class="badge">{shown(self._workspace.teams[person.team].name)}</span>'
        return f'<b class="name">{shown(person.name if person else message.user)}</b>{badge}'

    def _time(self, message: Message) -> str:
        moment = datetime.fromtimestamp(float(message.ts), UTC).isoformat(timespec="seconds")
        edited = '<span class="edited">(edited)</span>' if message.edited else ""
        return f'<time datetime="{moment}">{moment[11:16]}</time>{edited}'

    def _content(self, message: Message, viewer: str) -> str:
        draw = Renderer(self._workspace, self._markdown, viewer)
        blocks = message.stream.as_blocks() if message.stream else message.blocks
        if blocks:
            return f'<div class="content">{draw.blocks(blocks)}</div>'
        text = mrkdwn(self._workspace, message.text) if message.text else ""
        waiting = '<span class="dots" aria-label="writing">…</span>' if message.stream else ""
        return f'<div class="content">{text}{waiting}</div>' if text or waiting else ""

    def _files(self, message: Message, viewer: str) -> str:
        known = [self._workspace.files[id] for id in message.files if id in self._workspace.files]
        if not known:
            return ""
        items = "".join(f"<li>{self._file(file, viewer)}</li>" for file in known)
        return f'<ul class="files">{items}</ul>'

    def _file(self, file: StoredFile, viewer: str) -> str:
        address = f"/page/files/{file.id}?as={shown(viewer)}"
        kind = PurePosixPath(file.name).suffix.lstrip(".").upper()[:5] or "FILE"
        label = f"{shown(file.title or file.name)}"
        preview = ""
        if file.is_picture:
            preview = f'<img src="{address}" alt="{shown(file.alt_text or file.name)}" loading="lazy">'
        return (
            f'{preview}<a class="file" href="{address}&amp;download=1" download="{shown(file.name)}">'
            f'<span class="kind" aria-hidden="true">{shown(kind)}</span>'
            f"<span>{label}<small>{_size(len(file.content or b''))}</small></span></a>"
        )

    def _reactions(self, message: Message, viewer: str) -> str:
        out = ""
        for name, users in message.reactions.items():
            mine = " mine" if viewer in users else ""
            people = ", ".join(self._workspace.people[user].name for user in users if user in self._workspace.people)
            out += (
                f'<button type="button" class="reaction{mine}" data-react="{shown(name)}" '
                f'title="{shown(people)}: {shown(name)}" aria-label="{shown(name)}, {len(users)}">'
                f"{shown(emoji(name))} <span>{len(users)}</span></button>"
            )
        return f'<div class="reactions">{out}</div>' if out else ""

    def _replies(self, message: Message) -> str:
        if message.thread_ts not in {"", message.ts}:
            return ""
        count = sum(1 for item in self._workspace.thread(message.channel, message.ts)[1:] if not item.visible_to)
        if not count:
            return ""
        words = "1 reply" if count == 1 else f"{count} replies"
        return f'<button type="button" class="replies" data-open-thread>{words}</button>'

    def _tools(self, message: Message, viewer: str) -> str:
        quick = "".join(
            f'<button type="button" data-react="{name}" title="React: {name}" aria-label="React: {name}">'
            f"{emoji(name)}</button>"
            for name in QUICK
        )
        own = ""
        if message.user == viewer:
            typed = shown(typed_form(self._workspace, message.text))
            own = (
                f'<button type="button" data-edit="{typed}">Edit</button>'
                '<button type="button" data-delete>Delete</button>'
            )
        reply = '<button type="button" data-open-thread>Reply</button>'
        return f'<div class="tools">{quick}{reply}{own}</div>'


def _size(count: int) -> str:
    amount = float(count)
    for unit in ("bytes", "KB", "MB"):
        if amount < 1024:
            return f"{amount:.0f} {unit}" if unit == "bytes" or amount >= 10 else f"{amount:.1f} {unit}"
        amount /= 1024
    return f"{amount:.1f} GB"


def notice(entry: Obj) -> Obj:
    """One notice as the page lists it; its text stays text."""
    return {"id": entry["id"], "text": as_text(as_obj(entry).get("text")), "at": entry["at"]}
