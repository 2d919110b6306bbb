"""What open pages hear: every change of the workspace, drawn for the person who looks, as server-sent events.

A page that reads too slowly is let go; it reconnects by itself and loads anew.
"""

import asyncio
import json
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from typing import assert_never

from bot.playground import changes
from bot.playground.changes import Change
from bot.playground.fragments import Fragments
from bot.playground.messages import Message
from bot.playground.shapes import Obj
from bot.playground.site import Site

BACKLOG, HEARTBEAT = 500, 15.0


@dataclass(eq=False, slots=True)
class Reader:
    """One open page; None in its queue ends it."""

    viewer: str
    queue: "asyncio.Queue[Obj | None]" = field(default_factory=lambda: asyncio.Queue(BACKLOG))


class Feed:
    """All open pages."""

    def __init__(self, site: Site, fragments: Fragments) -> None:
        self._site = site
        self._fragments = fragments
        self._readers: list[Reader] = []
        self._closed = False
        site.workspace.listen(self._heard)

    async def read(self, viewer: str) -> AsyncIterator[str]:
        """The event stream of one page, until it or the playground goes."""
        reader = Reader(viewer)
        self._readers.append(reader)
        try:
            yield "retry: 1000\n" + _event({"kind": "hello"})
            while not self._closed:
                try:
                    told = await asyncio.wait_for(reader.queue.get(), HEARTBEAT)
                except TimeoutError:
                    yield ": still here\n\n"
                    continue
                if told is None:
                    return
                yield _event(told)
        finally:
            if reader in self._readers:
                self._readers.remove(reader)

    def close(self) -> None:
        self._closed = True
        for reader in list(self._readers):
            self._end(reader)

    def _heard(self, change: Change) -> None:
        for reader in list(self._readers):
            for told in self._told(change, reader.viewer):
                try:
                    reader.queue.put_nowait(told)
                except asyncio.QueueFull:
                    self._end(reader)

    def _end(self, reader: Reader) -> None:
        if reader in self._readers:
            self._readers.remove(reader)
        while not reader.queue.empty():
            reader.queue.get_nowait()
        reader.queue.put_nowait(None)

    def _told(self, change: Change, viewer: str) -> list[Obj]:
        match change:
            case changes.Posted(message) | changes.Edited(message) | changes.Redrawn(message):
                return self._message(message, viewer)
            case changes.Deleted(message):
                gone: Obj = {"kind": "deleted", "channel": message.channel, "ts": message.ts}
                return [gone, *self._root(message, viewer)] if self._sees(message, viewer) else []
            case changes.SessionChanged(session) | changes.SessionRenamed(session):
                return [self.session(session.channel, session.thread_ts)] if self._in(session.channel, viewer) else []
            case changes.ViewsChanged(user):
                return [{"kind": "views"}] if user == viewer else []
            case changes.PromptsChanged(channel):
                return [{"kind": "prompts", "channel": channel}] if self._in(channel, viewer) else []
            case changes.Noticed():
                return [{"kind": "notices"}]
            case changes.AppConnected(connected):
                return [{"kind": "connection", "connected": connected}]
            case changes.Stopped() | changes.HomeOpened() | changes.Uninstalled():
                return []
            case _:
                assert_never(change)

    def session(self, channel: str, thread_ts: str) -> Obj:
        """The state line of a thread: {kind, channel, thread_ts, status, title, note, can_stop}."""
        found = self._site.workspace.sessions.get((channel, thread_ts))
        thread = self._site.workspace.thread(channel, thread_ts)
        return {
            "kind": "session",
            "channel": channel,
            "thread_ts": thread_ts,
            "status": found.status if found else "",
            "title": found.title if found else "",
            "note": found.note if found else "",
            "can_stop": bool(found and found.status == "processing") or any(item.stream for item in thread),
        }

    def _in(self, channel: str, viewer: str) -> bool:
        return viewer in self._site.workspace.channel(channel).members

    def _sees(self, message: Message, viewer: str) -> bool:
        return message.visible_to in {"", viewer} and self._in(message.channel, viewer)

    def _message(self, message: Message, viewer: str) -> list[Obj]:
        if not self._sees(message, viewer):
            return []
        drawn = {"kind": "message"} | self._fragments.message(message, viewer)
        root = message.thread_ts or message.ts
        return [drawn, *self._root(message, viewer), self.session(message.channel, root)]

    def _root(self, message: Message, viewer: str) -> list[Obj]:
        """The thread's root again, since its number of replies may have changed."""
        if message.thread_ts in {"", message.ts}:
            return []
        root = self._site.workspace.find(message.channel, message.thread_ts)
        return [{"kind": "message"} | self._fragments.message(root, viewer)] if root else []


def _event(told: Obj) -> str:
    return f"data: {json.dumps(told)}\n\n"
