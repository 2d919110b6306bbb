"""Receipts and states: reactions on messages, and the thread's session status. Cosmetic, so nothing here raises."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine
from typing import Any

import structlog

from bot.heard import Thread
from bot.surface import Mark, SurfaceError
from bot.surfaces.slack.calls import Code, SlackCalls
from bot.surfaces.slack.escape import one_line, plain
from bot.surfaces.slack.wire import Obj
from bot.surfaces.slack.workspaces import Workspace

SEEN, APPLIED = "eyes", "white_check_mark"
STATUS: dict[Mark, str] = {
    "working": "processing",
    "waiting": "suspended",
    "done": "active",
    "stopped": "active",
    "failed": "active",
}
_NOTHING = {"already_reacted", "no_reaction", "message_not_found"}
_TITLE = 120

log = structlog.get_logger(__name__)


class Marks:
    """Shows marks, in order within a thread. Where Slack has no session status, it says so once in the log."""

    def __init__(self, calls: SlackCalls) -> None:
        self._calls = calls
        self._without: set[tuple[str, str]] = set()
        self._last: dict[tuple[str, ...], asyncio.Task[None]] = {}

    async def show(self, workspace: Workspace, thread: Thread, mark: Mark, ts: str, title: str) -> None:
        """Show the mark now; while Slack asks for patience, in the background and after the thread's earlier marks.

        That nobody works any more is always told before this returns: afterwards nobody may be left to tell it.
        """
        where = (workspace.id, thread.channel, thread.root)
        if mark in STATUS:
            key, status = (*where, "status"), STATUS[mark]
            wait = status == "active" or self._free(workspace, key, "agents.sessions.setStatus")
            await self._queue(key, self._status(workspace, thread, status, title), wait)
        if ts:
            key = (*where, "reactions")
            wait = self._free(workspace, key, "reactions.add", "reactions.remove")
            await self._queue(key, self._reactions(workspace, thread, mark, ts), wait)

    def _free(self, workspace: Workspace, key: tuple[str, ...], *methods: str) -> bool:
        """Whether a mark can be shown at once."""
        return key not in self._last and not any(self._calls.pace.delay(workspace.id, method) > 0 for method in methods)

    async def _queue(self, key: tuple[str, ...], work: Coroutine[Any, Any, None], wait: bool) -> None:
        task = asyncio.create_task(self._after(self._last.get(key), work))
        self._last[key] = task
        task.add_done_callback(lambda done: self._last.pop(key) if self._last.get(key) is done else None)
        if wait:
            await asyncio.shield(task)

    async def close(self) -> None:
        """Wait a little for what is still to be shown, then let it go."""
        tasks = list(self._last.values())
        if tasks:
            await asyncio.wait(tasks, timeout=5.0)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    async def _after(self, before: asyncio.Task[None] | None, then: Coroutine[Any, Any, None]) -> None:
        if before is not None:
            await asyncio.wait([before])
        await then

    async def _reactions(self, workspace: Workspace, thread: Thread, mark: Mark, ts: str) -> None:
        if mark == "seen":
            await self._react(workspace, thread, ts, "reactions.add", SEEN)
        if mark in ("applied", "done"):
            await self._react(workspace, thread, ts, "reactions.add", APPLIED)
        if mark in ("applied", "done", "stopped", "failed"):
            await self._react(workspace, thread, ts, "reactions.remove", SEEN)

    async def _react(self, workspace: Workspace, thread: Thread, ts: str, method: str, name: str) -> None:
        await self._quietly(workspace, method, {"channel": thread.channel, "timestamp": ts, "name": name})

    async def _status(self, workspace: Workspace, thread: Thread, status: str, title: str) -> None:
        body: Obj = {"channel_id": thread.channel, "thread_ts": thread.root, "status": status}
        if title:
            body["title"] = plain(one_line(title, _TITLE))
        await self._quietly(workspace, "agents.sessions.setStatus", body)

    async def _quietly(self, workspace: Workspace, method: str, body: Obj) -> None:
        if (workspace.id, method) in self._without:
            return
        try:
            await self._calls.call(workspace, method, body)
        except Code as error:
            if error.code in ("unknown_method", "missing_scope", "not_allowed_token_type", "feature_not_enabled"):
                self._without.add((workspace.id, method))
                log.warning("slack does not offer this here; going on without", method=method, why=str(error))
            elif error.code not in _NOTHING:
                log.info("slack mark not shown", method=method, why=str(error))
        except SurfaceError as error:
            log.info("slack mark not shown", method=method, why=str(error))
