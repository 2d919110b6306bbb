"""Posting so that a message stands once, whatever was lost on the way: look for the key, adopt, post, or correct."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Awaitable, Callable
from typing import TypeVar

import structlog

from bot.heard import Thread
from bot.outgoing import Outgoing, Reply
from bot.surface import Refused, SurfaceError
from bot.surfaces.slack.blocks import key_block
from bot.surfaces.slack.calls import Code, Lost, SlackCalls
from bot.surfaces.slack.render import Draft, render
from bot.surfaces.slack.threads import EVENT_TYPE, Own, Threads, orphans
from bot.surfaces.slack.wire import Obj, text
from bot.surfaces.slack.workspaces import Workspace

TRIES = 3
_BLOCKS = ("invalid_blocks", "invalid_blocks_format", "unsupported_block", "block_mismatch")

log = structlog.get_logger(__name__)
T = TypeVar("T")


def part_key(key: str, index: int) -> str:
    """The key of a further message of the same post."""
    return f"{key}#{index + 1}"


def digest(draft: Draft) -> str:
    """What a draft says, as a short hash: tells a complete post from one that was cut."""
    return hashlib.sha256(json.dumps([draft.text, draft.blocks]).encode()).hexdigest()[:16]


def metadata(key: str, said: str) -> Obj:
    """The metadata of a message made under `key`."""
    return {"event_type": EVENT_TYPE, "event_payload": {"key": key, "digest": said}}


def keyed_blocks(draft: Draft, key: str) -> list[Obj]:
    """The draft's blocks with the key in the first one's id."""
    first, *rest = draft.blocks
    return [{**first, "block_id": key_block(key)}, *rest]


class Posts:
    """Makes and changes our messages. Remembers which workspaces refuse the newer blocks."""

    def __init__(self, calls: SlackCalls, threads: Threads) -> None:
        self._calls, self._threads = calls, threads
        self._classic: set[tuple[str, str]] = set()

    async def drawn(
        self, workspace: Workspace, content: Outgoing, use: Callable[[tuple[Draft, ...]], Awaitable[T]]
    ) -> T:
        """Use the content's drafts; where Slack refuses their blocks, once more with the oldest blocks alone."""
        kind = (workspace.id, type(content).__name__)
        if kind not in self._classic:
            try:
                return await use(render(content))
            except Code as error:
                if error.code not in _BLOCKS:
                    raise
                log.warning("slack refuses blocks; drawing with older ones", what=kind[1], why=str(error))
        result = await use(render(content, classic=True))
        self._classic.add(kind)
        return result

    async def post(self, workspace: Workspace, thread: Thread, content: Outgoing, key: str, look: bool) -> list[str]:
        """Ids of the messages the content stands in, the main one first."""
        own = await self._threads.own(workspace, thread) if look else []
        left = orphans(own) if isinstance(content, Reply) else []
        keyed = max((message.ts for message in own if message.keyed), default="")
        stray = [message for message in left if message.ts > keyed]  # an older one would stand in the wrong place

        async def use(drafts: tuple[Draft, ...]) -> list[str]:
            ids: list[tuple[bool, str]] = []
            for index, draft in enumerate(drafts):
                under = key if draft.main else part_key(key, index)
                ids.append((draft.main, await self._stand(workspace, thread, (draft, under), (own, stray))))
            return [ts for _, ts in sorted(ids, key=lambda pair: not pair[0])]

        ids = await self.drawn(workspace, content, use)
        for message in left:
            if message.ts not in ids:
                await self.remove(workspace, thread, message.ts)
        return ids

    async def _stand(
        self, workspace: Workspace, thread: Thread, what: tuple[Draft, str], seen: tuple[list[Own], list[Own]]
    ) -> str:
        (draft, key), (own, stray) = what, seen
        found = next((message for message in own if message.made_under(key)), None)
        if found is not None:
            if found.digest and found.digest != digest(draft):
                await self.replace(workspace, thread, found.ts, draft, key)
            return found.ts
        if stray:
            ts = stray[0].ts
            await self.end_stream(workspace, thread, ts)
            await self.replace(workspace, thread, ts, draft, key)
            stray.pop(0)
            return ts
        return await self.send(workspace, thread, draft, key)

    async def send(self, workspace: Workspace, thread: Thread, draft: Draft, key: str) -> str:
        """Post one message; when its answer is lost, look whether it stands before posting again."""
        body: Obj = {
            "channel": thread.channel,
            "thread_ts": thread.root,
            "text": draft.text,
            "blocks": keyed_blocks(draft, key),
            "metadata": metadata(key, digest(draft)),
            "unfurl_links": False,
            "unfurl_media": False,
        }
        for attempt in range(1, TRIES + 1):
            try:
                answer = await self._calls.call(workspace, "chat.postMessage", body)
                return text(answer.get("ts"))
            except Lost as error:
                own = await self._threads.own(workspace, thread)
                found = next((message.ts for message in own if message.made_under(key)), "")
                if found:
                    return found
                if attempt == TRIES:
                    raise
                await self._calls.pace.rest(min(error.retry_after, 0.3 * attempt))
        raise AssertionError("unreachable")

    async def replace(self, workspace: Workspace, thread: Thread, ts: str, draft: Draft, key: str = "") -> None:
        """Make a message of ours that draft; with `key`, also mark it as made under it."""
        body: Obj = {"channel": thread.channel, "ts": ts, "text": draft.text, "blocks": list(draft.blocks)}
        if key:
            body |= {"blocks": keyed_blocks(draft, key), "metadata": metadata(key, digest(draft))}
        await self._calls.call(workspace, "chat.update", body)

    async def end_stream(self, workspace: Workspace, thread: Thread, ts: str, last: Obj | None = None) -> bool:
        """End a stream that may have ended already; `last` is what it ends with. Returns whether it surely ended so."""
        body: Obj = {"channel": thread.channel, "ts": ts}
        for attempt in range(TRIES):
            try:
                await self._calls.call(workspace, "chat.stopStream", body if attempt else body | (last or {}))
            except Refused:
                return False
            except Lost as error:
                log.info("slack stream may not have been ended", why=str(error))
                await self._calls.pace.rest(0.2 * (attempt + 1))
            else:
                return attempt == 0
        return False

    async def remove(self, workspace: Workspace, thread: Thread, ts: str) -> None:
        """Take a message of ours away, a stream too. Never raises."""
        try:
            await self.end_stream(workspace, thread, ts)
            await self._calls.call(workspace, "chat.delete", {"channel": thread.channel, "ts": ts})
        except SurfaceError as error:
            log.info("slack message not removed", why=str(error))
