"""Which token and which bot user belong to a workspace. Hides whether there is one workspace or many.

One bot token from the settings (fixed.py), or installations through OAuth (install.py).
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Protocol

from bot.surface import Gone


class NotInstalled(Gone):
    """The app is not installed in that workspace (any more)."""


@dataclass(frozen=True, slots=True)
class Workspace:
    """One installation. `id` is what Thread.workspace holds: the team's id, or the organisation's if it has it."""

    id: str
    team: str
    enterprise: str
    bot_user: str
    bot_id: str
    token: str = field(repr=False)

    @property
    def home(self) -> str:
        """The first half of our own people's ids."""
        return self.enterprise or self.team

    def is_home(self, team: str) -> bool:
        """Whether that team or organisation is ours."""
        return bool(team) and team in (self.team, self.enterprise, self.id)


class Workspaces(Protocol):
    """Finds installations."""

    async def get(self, workspace: str) -> Workspace:
        """The installation of that id. Raises NotInstalled, or another SurfaceError when it cannot be known now."""
        ...
