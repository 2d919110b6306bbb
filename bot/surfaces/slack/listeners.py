"""One listener for every kind of thing Slack sends: what has none is never acknowledged and comes again and again."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Awaitable, Callable, Coroutine
from dataclasses import dataclass, replace
from typing import Any, cast

import structlog
from slack_bolt.async_app import AsyncAck, AsyncApp, AsyncBoltRequest

from bot.heard import Person
from bot.surface import SurfaceError
from bot.surfaces.slack.buttons import Dialog, clicked, submitted
from bot.surfaces.slack.home import Facts, HomeFacts, home_view, prompts
from bot.surfaces.slack.install import InstalledWorkspaces, revoked_bot
from bot.surfaces.slack.surface import SlackSurface
from bot.surfaces.slack.translate import (
    Admission,
    Ignored,
    Incoming,
    Ours,
    author_of,
    people_of,
    translate,
    translate_stop,
    workspace_of,
)
from bot.surfaces.slack.wire import Obj, at, obj, text
from bot.surfaces.slack.workspaces import Workspace

LAST_TRY = 2
"""From this delivery on, an author whom Slack does not describe is taken for a guest: better heard than lost."""
ACK_BUDGET = 2.0
"""Seconds to find out who wrote, of the three until Slack wants its acknowledgement."""
_ANY = re.compile(".*", re.DOTALL)

log = structlog.get_logger(__name__)
Listener = Callable[..., Awaitable[None]]


@dataclass(frozen=True, slots=True)
class Listeners:
    """What the listeners need: `take` writes down, `later` does things after the acknowledgement."""

    surface: SlackSurface
    rules: Admission
    take: Callable[[Incoming], Awaitable[None]]
    later: Callable[[Coroutine[Any, Any, None]], None]
    facts: Facts | None

    async def message(self, body: Obj, request: AsyncBoltRequest) -> None:
        """message.* and app_mention."""
        workspace = await self._workspace(body)
        author = await self._author(workspace, author_of(obj(body.get("event"))), _retry(request))
        names = await self.surface.people.names(workspace, people_of(body), seconds=0.8)
        await self._take(translate(body, _ours(workspace), author, names, self.rules))

    async def stop(self, body: Obj, request: AsyncBoltRequest) -> None:
        """Slack's own stop button."""
        workspace = await self._workspace(body)
        author = await self._author(workspace, at(body, "event", "user"), _retry(request))
        await self._take(translate_stop(body, _ours(workspace), author))

    async def click(self, body: Obj, ack: AsyncAck) -> None:
        """Any button. The answer to Slack waits until the press is written down: a click that was lost shows."""
        workspace = await self._workspace(body)
        author = await self._clicker(workspace, body)
        meant = clicked(body, workspace.id, author)
        if isinstance(meant, Dialog):
            asked: Obj = {"trigger_id": meant.trigger, "view": meant.view}
            self.later(self._call(workspace, "views.open", asked))
        else:
            await self._take(meant)
        await ack()

    async def submit(self, body: Obj, ack: AsyncAck) -> None:
        """Any dialog."""
        workspace = await self._workspace(body)
        meant = submitted(body, workspace.id, await self._clicker(workspace, body))
        if isinstance(meant, str):
            await ack(response_action="errors", errors={"words": meant})
            return
        await self._take(meant)
        await ack()

    async def home(self, body: Obj) -> None:
        """Somebody opened the app."""
        workspace = await self._workspace(body)
        event = obj(body.get("event"))
        if text(event.get("tab")) == "messages":
            asked: Obj = {"channel_id": text(event.get("channel")), "prompts": prompts()}
            self.later(self._call(workspace, "assistant.threads.setSuggestedPrompts", asked))
        elif text(event.get("tab")) == "home":
            self.later(self._publish(workspace, text(event.get("user"))))

    async def removed(self, body: Obj) -> None:
        """The app was uninstalled, or its tokens were taken back."""
        workspaces = self.surface.workspaces
        if isinstance(workspaces, InstalledWorkspaces) and revoked_bot(body):
            await workspaces.forget(workspace_of(body))

    async def nothing(self, body: Obj, ack: AsyncAck) -> None:
        """Acknowledged, and that is all."""
        log.debug("slack sent something without a meaning here", what=at(body, "event", "type") or body.get("type"))
        await ack()

    async def _take(self, meant: Incoming | Ignored) -> None:
        if isinstance(meant, Incoming):
            await self.take(meant)
        else:
            log.debug("slack event ignored", why=meant.reason)

    async def _workspace(self, body: Obj) -> Workspace:
        return await self.surface.workspaces.get(workspace_of(body))

    async def _author(self, workspace: Workspace, user: str, retry: int) -> Person:
        if not user:
            return self.surface.people.unknown(workspace, "?")
        if user == workspace.bot_user:
            return Person(f"{workspace.home}/{user}", "Threadhand", "bot")
        try:
            async with asyncio.timeout(ACK_BUDGET):
                return await self.surface.people.get(workspace, user)
        except (SurfaceError, TimeoutError):
            if retry < LAST_TRY:
                raise
            return self.surface.people.unknown(workspace, user)

    async def _clicker(self, workspace: Workspace, body: Obj) -> Person:
        """Who pressed: the payload says so, the directory says who that is; their team must agree."""
        user, team = at(body, "user", "id"), at(body, "user", "team_id")
        person = await self.surface.people.get(workspace, user)
        if team and not workspace.enterprise and not workspace.is_home(team):
            return replace(person, standing="outsider")
        return person

    async def _publish(self, workspace: Workspace, user: str) -> None:
        person = await self.surface.people.get(workspace, user)
        facts = await self.facts(workspace.id, person) if self.facts else HomeFacts()
        await self._call(workspace, "views.publish", {"user_id": user, "view": home_view(person, facts)})

    async def _call(self, workspace: Workspace, method: str, arguments: Obj) -> None:
        await self.surface.calls.call(workspace, method, arguments)


def _ours(workspace: Workspace) -> Ours:
    return Ours(workspace.id, workspace.bot_user, workspace.bot_id)


def _retry(request: AsyncBoltRequest) -> int:
    """How often this was delivered before."""
    values = cast("dict[str, list[str]]", request.headers).get("x-slack-retry-num") or ["0"]
    return int(values[0]) if values[0].isdecimal() else 0


def register(app: AsyncApp, listeners: Listeners) -> None:
    """Tell Bolt which listener is for what. The first that matches is the only one; the last ones match everything."""
    on: Any = app
    for kind in ("message", "app_mention"):
        on.event(kind)(listeners.message)
    on.event("agent_session_stopped")(listeners.stop)
    on.event("app_home_opened")(listeners.home)
    for kind in ("app_uninstalled", "tokens_revoked"):
        on.event(kind)(listeners.removed)
    on.event(_ANY)(listeners.nothing)
    on.action(_ANY)(listeners.click)
    on.view_submission(_ANY)(listeners.submit)
    on.view_closed(_ANY)(listeners.nothing)
    on.shortcut(_ANY)(listeners.nothing)
    on.command(_ANY)(listeners.nothing)
    on.options(_ANY)(listeners.nothing)
