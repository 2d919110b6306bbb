"""The Slack surface: what sessions say, said in Slack.

Hides tokens, pacing, block formats and lost answers. What comes in is the door's part (app.py).
"""

from __future__ import annotations

import time
from collections.abc import AsyncIterator, Callable
from pathlib import Path

import structlog

from bot.heard import FileRef, Person, Thread
from bot.outgoing import Outgoing, Reply, StatusCard
from bot.surface import AnswerStream, Line, Mark, SurfaceError
from bot.surfaces.slack import blocks as b
from bot.surfaces.slack.calls import Code, SlackCalls
from bot.surfaces.slack.directory import SlackDirectory
from bot.surfaces.slack.escape import markdown, mrkdwn
from bot.surfaces.slack.files import Files
from bot.surfaces.slack.fixed import FixedWorkspace
from bot.surfaces.slack.live import LiveCards
from bot.surfaces.slack.marks import Marks
from bot.surfaces.slack.people import People
from bot.surfaces.slack.posts import Posts, digest
from bot.surfaces.slack.render import Draft, user_of
from bot.surfaces.slack.settings import SlackSettings
from bot.surfaces.slack.stream import SlackStream, StreamTools
from bot.surfaces.slack.threads import Threads
from bot.surfaces.slack.translate import SURFACE
from bot.surfaces.slack.wire import Obj
from bot.surfaces.slack.workspaces import Workspace, Workspaces

_KEYS = 10_000

log = structlog.get_logger(__name__)


class SlackSurface:
    """Implements bot.surface.Surface.

    `blobs` gives the path of a stored file by its sha256. `workspaces` is for apps installed through OAuth
    (InstalledWorkspaces, over the same `calls`); without it the settings' bot token is used. `clock` is in seconds and
    only moves forward.
    """

    def __init__(
        self,
        settings: SlackSettings,
        blobs: Callable[[str], Path],
        workspaces: Workspaces | None = None,
        *,
        calls: SlackCalls | None = None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self.settings = settings
        self.calls = calls or SlackCalls(settings)
        self.workspaces: Workspaces = workspaces or FixedWorkspace(settings, self.calls)
        self.people = People(self.calls, clock)
        self._threads = Threads(self.calls, self.people)
        self._posts = Posts(self.calls, self._threads)
        self._files = Files(settings, self.calls, self._threads, blobs)
        self._marks = Marks(self.calls)
        self._cards = LiveCards(clock)
        self._keys: dict[str, str] = {}
        self._tools = StreamTools(self.calls, self._posts, self._threads, clock)

    @property
    def name(self) -> str:
        return SURFACE

    @property
    def directory(self) -> SlackDirectory:
        """Slack's word on people and channels, for pages outside Slack."""
        return SlackDirectory(self.workspaces, self.calls, self.people)

    async def close(self) -> None:
        """Stop what runs in the background and close connections."""
        await self._cards.close()
        await self._marks.close()
        await self.calls.close()

    async def post(self, thread: Thread, message: Outgoing, key: str, *, look: bool = False) -> str:
        workspace = await self.workspaces.get(thread.workspace)
        ts, *_ = await self._posts.post(workspace, thread, message, key, look)
        self._remember(f"{workspace.id}:{thread.channel}:{ts}", key)
        if isinstance(message, Reply) and message.files:
            await self._files.hand_over(workspace, thread, message.files, ts, look)
        return ts

    async def update(self, thread: Thread, message: str, content: Outgoing) -> None:
        workspace = await self.workspaces.get(thread.workspace)
        place = f"{workspace.id}:{thread.channel}:{message}"

        async def send(shown: Outgoing) -> None:
            await self._replace(workspace, thread, message, shown)

        if isinstance(content, StatusCard):
            await self._cards.show(place, content, send)
            return
        await self._cards.drop(place)
        await send(content)

    def _remember(self, place: str, key: str) -> None:
        """Later edits keep the key on the message, in case Slack does not."""
        self._keys[place] = key
        while len(self._keys) > _KEYS:
            self._keys.pop(next(iter(self._keys)))

    async def _replace(self, workspace: Workspace, thread: Thread, message: str, content: Outgoing) -> None:
        place = f"{workspace.id}:{thread.channel}:{message}"

        async def use(drafts: tuple[Draft, ...]) -> None:
            for index, draft in enumerate(drafts):
                if draft.main:
                    await self._posts.replace(workspace, thread, message, draft, self._keys.get(place, ""))
                else:
                    await self._posts.send(workspace, thread, draft, f"{message}:{digest(draft)}:{index}")

        await self._posts.drawn(workspace, content, use)

    def stream(self, thread: Thread, key: str, to: Person) -> AnswerStream:
        async def workspace() -> Workspace:
            return await self.workspaces.get(thread.workspace)

        return SlackStream(self._tools, workspace, thread, key, to)

    async def whisper(self, thread: Thread, to: Person, text: str) -> None:
        workspace = await self.workspaces.get(thread.workspace)
        words = markdown(text)[: b.MARKDOWN_LIMIT] or "…"
        body: Obj = {
            "channel": thread.channel,
            "user": user_of(to),
            "thread_ts": thread.root,
            "text": mrkdwn(text[: b.SECTION_LIMIT]) or "…",
        }
        try:
            await self.calls.call(workspace, "chat.postEphemeral", body | {"blocks": [b.markdown(words)]})
        except Code as error:
            if not error.code.startswith("invalid_blocks"):
                raise
            await self.calls.call(workspace, "chat.postEphemeral", body)

    async def mark(self, thread: Thread, mark: Mark, ts: str = "", title: str = "") -> None:
        try:
            workspace = await self.workspaces.get(thread.workspace)
        except SurfaceError as error:
            log.info("slack mark not shown", why=str(error))
            return
        await self._marks.show(workspace, thread, mark, ts, title)

    async def download(self, thread: Thread, file: FileRef, limit: int) -> AsyncIterator[bytes]:
        workspace = await self.workspaces.get(thread.workspace)
        async for chunk in self._files.fetch(workspace, file, limit):
            yield chunk

    async def history(self, thread: Thread, limit: int = 200) -> list[Line]:
        workspace = await self.workspaces.get(thread.workspace)
        return await self._threads.history(workspace, thread, limit)
