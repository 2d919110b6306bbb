"""The one workspace of a bot token that stands in the settings."""

from __future__ import annotations

import asyncio

from bot.surfaces.slack.calls import SlackCalls
from bot.surfaces.slack.settings import SlackSettings
from bot.surfaces.slack.wire import text
from bot.surfaces.slack.workspaces import Workspace


class FixedWorkspace:
    """The one workspace of SlackSettings.bot_token; who it is, is asked once."""

    def __init__(self, settings: SlackSettings, calls: SlackCalls) -> None:
        self._settings, self._calls = settings, calls
        self._known: Workspace | None = None
        self._asking = asyncio.Lock()

    async def get(self, workspace: str) -> Workspace:
        """The one there is: in shared channels a click may name the clicker's workspace instead."""
        async with self._asking:
            if self._known is None:
                answer = await self._calls.call(
                    Workspace("", "", "", "", "", self._settings.bot_token), "auth.test", {}
                )
                team, enterprise = text(answer.get("team_id")), text(answer.get("enterprise_id"))
                self._known = Workspace(
                    id=enterprise if answer.get("is_enterprise_install") is True and enterprise else team,
                    team=team,
                    enterprise=enterprise,
                    bot_user=text(answer.get("user_id")),
                    bot_id=text(answer.get("bot_id")),
                    token=self._settings.bot_token,
                )
        return self._known
