"""What people and the app leave in the workspace: messages, files, views, agent sessions, and their wire shapes.

Hides how a live stream is kept apart from the message it becomes, and which fields the real service adds.
"""

import mimetypes
from dataclasses import dataclass, field
from pathlib import PurePosixPath

from bot.playground.people import APP_ID
from bot.playground.shapes import Obj


@dataclass(slots=True)
class Stream:
    """The live part of a streamed message: text so far, tasks by id, blocks sent as chunks.

    `started` is on the monotonic clock, in seconds.
    """

    started: float
    mode: str = "timeline"
    text: str = ""
    plan_title: str = ""
    tasks: dict[str, Obj] = field(default_factory=dict[str, Obj])
    blocks: list[Obj] = field(default_factory=list[Obj])

    def as_blocks(self) -> list[Obj]:
        """The stream as it looks: tasks first (as one plan or as cards), then text, then blocks."""
        cards = list(self.tasks.values())
        shown: list[Obj] = cards
        if self.plan_title or (self.mode == "plan" and cards):
            shown = [{"type": "plan", "title": self.plan_title or "Working", "tasks": cards[:50]}]
        text: list[Obj] = [{"type": "markdown", "text": self.text}] if self.text else []
        return [*shown, *text, *self.blocks]


@dataclass(slots=True)
class Message:
    """One message. `thread_ts` is its thread's root (empty for one that started no thread yet).

    `visible_to` names the only person who sees it (ephemeral); `stream` is set while it is streamed.
    """

    ts: str
    channel: str
    user: str
    team: str
    text: str
    thread_ts: str = ""
    blocks: list[Obj] = field(default_factory=list[Obj])
    files: list[str] = field(default_factory=list[str])
    metadata: Obj | None = None
    bot_id: str = ""
    subtype: str = ""
    visible_to: str = ""
    client_id: str = ""
    edited: Obj | None = None
    reactions: dict[str, list[str]] = field(default_factory=dict[str, list[str]])
    stream: Stream | None = None

    def as_slack(self, files: list[Obj]) -> Obj:
        """The message object, without metadata and thread counts, which depend on who asks."""
        shown: Obj = {"type": "message", "user": self.user, "ts": self.ts, "text": self.text, "team": self.team}
        if self.bot_id:
            shown |= {"bot_id": self.bot_id, "app_id": APP_ID}
        if self.client_id:
            shown["client_msg_id"] = self.client_id
        if self.subtype:
            shown["subtype"] = self.subtype
        if self.thread_ts:
            shown["thread_ts"] = self.thread_ts
        blocks = self.stream.as_blocks() if self.stream else self.blocks
        if blocks:
            shown["blocks"] = blocks
        if files:
            shown |= {"files": files, "upload": False}
        if self.edited:
            shown["edited"] = self.edited
        if self.reactions:
            shown["reactions"] = [
                {"name": name, "users": users, "count": len(users)} for name, users in self.reactions.items()
            ]
        if self.stream:
            shown["streaming_state"] = "in_progress"
        return shown


@dataclass(slots=True)
class StoredFile:
    """An uploaded file with its bytes. `shared_in` lists the channels whose members may fetch it."""

    id: str
    name: str
    title: str
    user: str
    team: str
    created: int
    secret: str
    expected: int = 0
    content: bytes | None = None
    shared_in: list[str] = field(default_factory=list[str])
    alt_text: str = ""

    @property
    def mimetype(self) -> str:
        return mimetypes.guess_type(self.name)[0] or "application/octet-stream"

    @property
    def is_picture(self) -> bool:
        """Pictures a page may show inline; SVG is left out since it can carry scripts."""
        return self.mimetype in {"image/png", "image/jpeg", "image/gif", "image/webp"}

    def as_slack(self, base_url: str) -> Obj:
        """The file object; its private addresses need the bot's token."""
        address = f"{base_url}/files-pri/{self.team}-{self.id}"
        suffix = PurePosixPath(self.name).suffix.lstrip(".").lower()
        return {
            "id": self.id,
            "name": self.name,
            "title": self.title or self.name,
            "mimetype": self.mimetype,
            "filetype": suffix or "binary",
            "pretty_type": (suffix or "binary").upper(),
            "size": len(self.content or b""),
            "user": self.user,
            "user_team": self.team,
            "created": self.created,
            "timestamp": self.created,
            "mode": "hosted",
            "editable": False,
            "is_external": False,
            "is_public": True,
            "file_access": "visible",
            "url_private": f"{address}/file",
            "url_private_download": f"{address}/download/file",
            "permalink": f"{base_url}/files/{self.id}",
            "channels": list(self.shared_in),
        }


@dataclass(slots=True)
class View:
    """A modal or an App Home as one person has it open. `stack` orders a person's modals."""

    id: str
    team: str
    user: str
    body: Obj
    hash: str
    root: str
    previous: str = ""

    def as_slack(self, bot_id: str) -> Obj:
        """The view object sent with interactions and returned by views.*."""
        body = self.body
        return {
            "id": self.id,
            "team_id": self.team,
            "type": body.get("type", "modal"),
            "blocks": body.get("blocks", []),
            "private_metadata": body.get("private_metadata", ""),
            "callback_id": body.get("callback_id", ""),
            "external_id": body.get("external_id", ""),
            "state": body.get("state", {"values": {}}),
            "hash": self.hash,
            "title": body.get("title"),
            "submit": body.get("submit"),
            "close": body.get("close"),
            "clear_on_close": bool(body.get("clear_on_close")),
            "notify_on_close": bool(body.get("notify_on_close")),
            "root_view_id": self.root,
            "previous_view_id": self.previous or None,
            "app_id": APP_ID,
            "bot_id": bot_id,
            "app_installed_team_id": self.team,
        }


@dataclass(slots=True)
class AgentSession:
    """An agent session on a thread: status is active, processing, suspended or closed."""

    channel: str
    thread_ts: str
    status: str
    title: str = ""
    initiator: str = ""
    note: str = ""
    processing_since: float = 0.0


@dataclass(slots=True)
class Installation:
    """The app in one team. With `expires_at` (seconds since the epoch) its token rotates."""

    team: str
    bot_user: str
    bot_id: str
    token: str
    scope: str = ""
    installer: str = ""
    refresh_token: str = ""
    expires_at: float | None = None
    channels_seen: list[str] = field(default_factory=list[str])
