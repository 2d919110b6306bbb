"""An answer typed live: one Slack stream after another, since each dies five minutes after its start.

Whatever happens to the streams, `finish` makes the thread say exactly the answer: streams are a courtesy.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, replace

import structlog

from bot.heard import Person, Thread
from bot.outgoing import Reply
from bot.surface import SurfaceError, Unavailable
from bot.surfaces.slack import blocks as b
from bot.surfaces.slack.calls import Lost, SlackCalls
from bot.surfaces.slack.escape import markdown, settled
from bot.surfaces.slack.posts import Posts, digest, metadata, part_key
from bot.surfaces.slack.render import Draft, user_of
from bot.surfaces.slack.threads import Threads, orphans
from bot.surfaces.slack.wire import Obj, text
from bot.surfaces.slack.workspaces import Workspace

EVERY = 1.0
"""Seconds between two appends."""
ROTATE = 240.0
"""Seconds after which a stream is ended and the next one begun."""
_ROOM = b.MARKDOWN_LIMIT - 400
_PIECE = 3_000
START_WAIT = 5.0
"""Seconds to wait for the answer to a start that was cut short."""
PARTIAL = "partial"

log = structlog.get_logger(__name__)


@dataclass(slots=True)
class _Part:
    ts: str
    said: str
    started: float
    live: bool = True


@dataclass(frozen=True, slots=True)
class StreamTools:
    """What streams share: the calls, the posts, the thread reader and a clock in seconds."""

    calls: SlackCalls
    posts: Posts
    threads: Threads
    clock: Callable[[], float] = time.monotonic


class SlackStream:
    """Implements bot.surface.AnswerStream."""

    def __init__(
        self,
        tools: StreamTools,
        workspace: Callable[[], Awaitable[Workspace]],
        thread: Thread,
        key: str,
        to: Person,
    ) -> None:
        self._tools, self._workspace = tools, workspace
        self._thread, self._key, self._to = thread, key, to
        self._raw = ""
        self._sent = 0
        self._parts: list[_Part] = []
        self._flushed: float | None = None
        self._broken = False
        self._lost = False
        self._starting: asyncio.Task[None] | None = None

    async def append(self, delta: str) -> str:
        self._raw += delta
        now = self._tools.clock()
        if not self._broken and (self._flushed is None or now - self._flushed >= EVERY):
            try:
                await self._flush()
            except Lost as error:
                self._break(error)
                self._lost = True
            except Unavailable as error:
                log.info("slack stream waits", why=str(error))
            except SurfaceError as error:
                self._break(error)
            self._flushed = self._tools.clock()
        return self._parts[0].ts if self._parts else ""

    def _break(self, error: SurfaceError) -> None:
        log.info("slack stream given up; the answer will be posted whole", why=str(error))
        self._broken = True

    async def _flush(self) -> None:
        safe = markdown(self._raw[: settled(self._raw)])
        for piece in list(b.chunks(safe[self._sent :], _PIECE)):
            await self._say(piece)
            self._sent += len(piece)

    async def _say(self, piece: str) -> None:
        workspace = await self._workspace()
        part = self._parts[-1] if self._parts and self._parts[-1].live else None
        if part and (self._tools.clock() - part.started >= ROTATE or len(part.said) + len(piece) > _ROOM):
            await self._end(workspace, len(self._parts) - 1, {})
            part = None
        body: Obj = {"channel": self._thread.channel, "markdown_text": piece}
        if part is not None:
            await self._tools.calls.call(workspace, "chat.appendStream", body | {"ts": part.ts}, eager=False)
            part.said += piece
            return
        if not piece.strip() and not self._parts:
            return
        body |= {"thread_ts": self._thread.root, "recipient_user_id": user_of(self._to)}
        body["recipient_team_id"] = self._team(workspace)
        # Not to be cut: what Slack starts and we do not hear of would stay in the thread.
        self._starting = asyncio.create_task(self._start(workspace, body, piece))
        await asyncio.shield(self._starting)

    async def _start(self, workspace: Workspace, body: Obj, piece: str) -> None:
        answer = await self._tools.calls.call(workspace, "chat.startStream", body, eager=False)
        self._parts.append(_Part(text(answer.get("ts")), piece, self._tools.clock()))

    def _team(self, workspace: Workspace) -> str:
        """The reader's team: somebody from outside has their own."""
        home = self._to.id.partition("/")[0]
        return home if home.startswith("T") and not workspace.is_home(home) else workspace.team

    def _key_of(self, index: int) -> str:
        return part_key(self._key, index) if index else self._key

    async def _end(self, workspace: Workspace, index: int, last: Obj) -> bool:
        part = self._parts[index]
        if not part.live:
            return False
        part.live = False
        meta = {"metadata": metadata(self._key_of(index), PARTIAL)}
        return await self._tools.posts.end_stream(workspace, self._thread, part.ts, meta | last)

    async def finish(self, reply: Reply) -> str:
        workspace = await self._workspace()
        bare = replace(reply, files=())
        posts = self._tools.posts
        if not self._parts:
            return (await posts.post(workspace, self._thread, bare, self._key, self._lost))[0]

        async def use(drafts: tuple[Draft, ...]) -> None:
            for index, draft in enumerate(drafts):
                await self._settle(workspace, index, draft)
            while len(self._parts) > len(drafts):
                await posts.remove(workspace, self._thread, self._parts.pop().ts)

        await posts.drawn(workspace, bare, use)
        if self._lost:
            await self._sweep(workspace)
        return self._parts[0].ts

    async def _settle(self, workspace: Workspace, index: int, draft: Draft) -> None:
        """Make the message at that place say the draft: by ending its stream with the rest, or by editing it."""
        posts, key = self._tools.posts, self._key_of(index)
        if index >= len(self._parts):
            ts = await posts.send(workspace, self._thread, draft, key)
            self._parts.append(_Part(ts, "", 0.0, live=False))
            return
        part = self._parts[index]
        rest = None if self._broken else _rest(part.said, draft)
        if rest is not None:
            last: Obj = {"metadata": metadata(key, digest(draft))}
            if rest:
                last["markdown_text"] = rest
            if len(draft.blocks) > 1:
                last["blocks"] = list(draft.blocks[1:])
            if await self._end(workspace, index, last):
                return
        await self._end(workspace, index, {})
        await posts.replace(workspace, self._thread, part.ts, draft, key)

    async def _sweep(self, workspace: Workspace) -> None:
        """Take away a stream whose start was not answered."""
        known = {part.ts for part in self._parts}
        for stray in orphans(await self._tools.threads.own(workspace, self._thread)):
            if stray.ts not in known:
                await self._tools.posts.remove(workspace, self._thread, stray.ts)

    async def _started(self) -> None:
        """Hear what became of a stream whose start nobody waited for; for a short while only."""
        if self._starting is None:
            return
        await asyncio.wait({self._starting}, timeout=START_WAIT)
        if not self._starting.done() or self._starting.cancelled():
            self._starting.cancel()
            self._lost = True
        elif isinstance(self._starting.exception(), Lost):
            self._lost = True

    async def abandon(self) -> None:
        try:
            workspace = await self._workspace()
            await self._started()
            for part in self._parts:
                await self._tools.posts.remove(workspace, self._thread, part.ts)
            if self._lost:
                await self._sweep(workspace)
        except SurfaceError as error:
            log.warning("slack stream not taken back", why=str(error))
        self._parts, self._broken = [], True


def _rest(said: str, draft: Draft) -> str | None:
    """What is missing at the end of a stream to make it the draft; None when it must be edited."""
    first = draft.blocks[0]
    if first.get("type") != "markdown":
        return None
    wanted = text(first.get("text"))
    if said.rstrip("\n") == wanted:
        return ""
    return wanted[len(said) :] if wanted.startswith(said) and len(wanted) - len(said) <= _PIECE * 3 else None
