"""What stands in a thread, and which of our messages was posted under which key.

A post carries its key as message metadata and, hashed, as its first block's id; a stream has none until it is ended.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from bot.heard import Person, Thread
from bot.surface import Gone, Line
from bot.surfaces.slack import reading
from bot.surfaces.slack.blocks import key_block
from bot.surfaces.slack.calls import SlackCalls
from bot.surfaces.slack.people import People
from bot.surfaces.slack.wire import Obj, at, number, obj, objs, text
from bot.surfaces.slack.workspaces import Workspace

EVENT_TYPE = "threadhand"
PAGE = 200
_MOST_PAGES = 50
_STREAMED = ("markdown", "rich_text")
"""What a stream leaves; a message with anything else in it is none, and is never taken for one."""


@dataclass(frozen=True, slots=True)
class Own:
    """A message of ours. `key` is empty for one posted without, `files` are names and sizes, `plain` is words alone."""

    ts: str
    key: str
    block: str
    digest: str
    files: tuple[tuple[str, int], ...]
    plain: bool

    def made_under(self, key: str) -> bool:
        """Whether it was posted under that key."""
        return self.key == key if self.key else self.block == key_block(key)

    @property
    def keyed(self) -> bool:
        return bool(self.key) or self.block.startswith("th:")


def orphans(own: Sequence[Own]) -> list[Own]:
    """Streams that a crash left behind: unkeyed messages of ours, oldest first.

    Where Slack does not show us metadata, every ended stream looks like that: there, only those after the last post.
    """
    shown = any(message.key for message in own)
    found: list[Own] = []
    for message in own:
        if message.keyed:
            found = found if shown else []
        elif not message.files and message.plain:
            found.append(message)
    return found


class Threads:
    """Reads threads. `people` gives names to what it reads."""

    def __init__(self, calls: SlackCalls, people: People) -> None:
        self._calls, self._people = calls, people

    async def messages(self, workspace: Workspace, thread: Thread, newest: int = 0) -> list[Obj]:
        """The raw messages, oldest first: all of them, or the `newest`. Raises SurfaceError."""
        found: list[Obj] = []
        wanted: Obj = {"channel": thread.channel, "ts": thread.root, "limit": PAGE, "include_all_metadata": True}
        for _ in range(_MOST_PAGES):
            answer = await self._calls.call(workspace, "conversations.replies", wanted)
            found += objs(answer.get("messages"))
            found = found[-newest:] if newest else found
            cursor = at(answer, "response_metadata", "next_cursor")
            if not cursor:
                break
            wanted = {**wanted, "cursor": cursor}
        return found

    async def own(self, workspace: Workspace, thread: Thread) -> list[Own]:
        """Our messages of the thread, oldest first; none where there is no thread (yet)."""
        try:
            messages = await self.messages(workspace, thread)
        except Gone:
            return []
        return [_own(m) for m in messages if _ours(m, workspace)]

    async def history(self, workspace: Workspace, thread: Thread, limit: int) -> list[Line]:
        """The newest messages with names, blocks, forwarded messages and files read. Untrusted text."""
        messages = await self.messages(workspace, thread, max(1, limit))
        wanted = [text(m.get("user")) for m in messages if not m.get("bot_id") and text(m.get("user"))]
        wanted += [user for m in messages for user in reading.mentions(m)]
        names = await self._people.names(workspace, wanted, seconds=10.0)
        lines: list[Line] = []
        for message in messages:
            author = await self._author(workspace, message, names)
            words = reading.shown(message, names)
            lines.append(Line(author, text(message.get("ts")), words, reading.files(message)))
        return lines

    async def _author(self, workspace: Workspace, message: Obj, names: dict[str, str]) -> Person:
        user = text(message.get("user"))
        if user in names:
            return await self._people.get(workspace, user)
        if _ours(message, workspace):
            return Person(f"{workspace.home}/{workspace.bot_user}", "Threadhand", "bot")
        if message.get("bot_id") or not user:
            name = text(message.get("username")) or at(message, "bot_profile", "name") or "an app"
            return Person(f"{workspace.home}/{text(message.get('bot_id')) or 'app'}", reading.read(name, {}), "bot")
        return self._people.unknown(workspace, user)


def _ours(message: Obj, workspace: Workspace) -> bool:
    return text(message.get("user")) == workspace.bot_user or (
        bool(workspace.bot_id) and text(message.get("bot_id")) == workspace.bot_id
    )


def _own(message: Obj) -> Own:
    meta = obj(message.get("metadata"))
    payload = obj(meta.get("event_payload")) if meta.get("event_type") == EVENT_TYPE else {}
    blocks = objs(message.get("blocks"))
    first = obj(next(iter(blocks), None))
    words = all(block.get("type") in _STREAMED for block in blocks)
    return Own(
        ts=text(message.get("ts")),
        key=text(payload.get("key")),
        block=text(first.get("block_id")),
        digest=text(payload.get("digest")),
        files=tuple((text(f.get("name")), number(f.get("size"))) for f in objs(message.get("files"))),
        plain=words and text(message.get("subtype")) in ("", "bot_message", "thread_broadcast"),
    )
