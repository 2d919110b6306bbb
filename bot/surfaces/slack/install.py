"""Workspaces that installed the app through OAuth: tokens sealed at rest, renewed before they expire, forgotten when
the app is removed.

Bolt's own stores keep tokens in plain text and renew them with a client that always calls slack.com; this does neither.
"""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from contextlib import AbstractAsyncContextManager
from dataclasses import asdict, dataclass, replace
from logging import getLogger
from typing import Any, Protocol

import structlog
from slack_bolt.oauth.async_oauth_flow import AsyncOAuthFlow
from slack_bolt.oauth.async_oauth_settings import AsyncOAuthSettings
from slack_sdk.oauth.installation_store import Bot, Installation
from slack_sdk.oauth.installation_store.async_installation_store import AsyncInstallationStore
from slack_sdk.oauth.state_store.async_state_store import AsyncOAuthStateStore

from bot.surface import SurfaceError
from bot.surfaces.slack.calls import SlackCalls
from bot.surfaces.slack.manifest import INSTALL_PATH, REDIRECT_PATH, SCOPES
from bot.surfaces.slack.settings import SlackSettings
from bot.surfaces.slack.wire import number, obj, text
from bot.surfaces.slack.workspaces import NotInstalled, Workspace

SURFACE = "slack"
AHEAD = 7200.0
"""Seconds before its end from which on a token is renewed; at most half its life."""
FRESH = 30.0
"""Seconds an installation is used before it is read again: another process may have renewed it."""

log = structlog.get_logger(__name__)


class InstallRow(Protocol):
    """A stored installation."""

    @property
    def data(self) -> str: ...
    @property
    def version(self) -> int: ...


class InstallBook(Protocol):
    """Where installations and OAuth states are kept (bot.store.installs)."""

    async def save(self, surface: str, workspace: str, data: str, *, expect: int | None = None) -> int: ...
    async def find(self, surface: str, workspace: str) -> InstallRow | None: ...
    async def delete(self, surface: str, workspace: str) -> bool: ...
    async def issue_state(self, purpose: str, data: str = "") -> str: ...
    async def consume_state(self, purpose: str, state: str) -> str | None: ...
    def lock(self, name: str, wait: float = 20.0) -> AbstractAsyncContextManager[None]: ...


class Seal(Protocol):
    """Encrypts for a context and opens again (bot.vault)."""

    def seal(self, text: str, context: str) -> str: ...
    def open(self, sealed: str, context: str) -> str: ...


@dataclass(frozen=True, slots=True)
class Grant:
    """What an installation gave us. Times are seconds since the epoch; 0 where the token does not expire."""

    team: str
    enterprise: str
    bot_user: str
    bot_id: str
    token: str
    refresh: str = ""
    expires: int = 0
    lives: int = 0
    org: bool = False
    installer: str = ""
    scopes: str = ""

    @property
    def workspace(self) -> str:
        return self.enterprise if self.org and self.enterprise else self.team

    def as_workspace(self) -> Workspace:
        return Workspace(self.workspace, self.team, self.enterprise, self.bot_user, self.bot_id, self.token)

    def due(self, now: float) -> bool:
        """Whether the token should be renewed."""
        return bool(self.refresh) and self.expires > 0 and now >= self.expires - min(AHEAD, self.lives / 2 or AHEAD)


class InstalledWorkspaces:
    """Implements Workspaces over the book. `clock` gives seconds since the epoch."""

    def __init__(
        self,
        settings: SlackSettings,
        calls: SlackCalls,
        book: InstallBook,
        seal: Seal,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self._settings, self._calls = settings, calls
        self.book, self._seal, self._clock = book, seal, clock
        self._known: dict[str, tuple[float, Grant]] = {}

    async def get(self, workspace: str) -> Workspace:
        now = self._clock()
        read, grant = self._known.get(workspace, (0.0, None))
        if grant is None or now - read >= FRESH or grant.due(now):
            found = await self._read(workspace)
            grant = found[0]
            if grant.due(now):
                grant = await self._renewed(workspace)
            self._known[workspace] = (now, grant)
        return grant.as_workspace()

    async def save(self, grant: Grant, expect: int | None = None) -> None:
        """Keep a grant, sealed. Raises the book's error when another process renewed it meanwhile."""
        sealed = self._seal.seal(json.dumps(asdict(grant)), f"{SURFACE}:{grant.workspace}")
        await self.book.save(SURFACE, grant.workspace, sealed, expect=expect)
        self._known.pop(grant.workspace, None)

    async def forget(self, workspace: str) -> None:
        """The app was removed there."""
        self._known.pop(workspace, None)
        if await self.book.delete(SURFACE, workspace):
            log.info("slack installation removed", workspace=workspace)

    async def _read(self, workspace: str) -> tuple[Grant, int]:
        row = await self.book.find(SURFACE, workspace)
        if row is None:
            self._known.pop(workspace, None)
            raise NotInstalled(f"The app is not installed in Slack workspace {workspace}: open {INSTALL_PATH} there.")
        return Grant(**json.loads(self._seal.open(row.data, f"{SURFACE}:{workspace}"))), row.version

    async def _renewed(self, workspace: str) -> Grant:
        """The grant with a fresh token; one process at a time asks Slack for it."""
        async with self.book.lock(f"slack-token:{workspace}"):
            grant, version = await self._read(workspace)
            now = self._clock()
            if not grant.due(now):
                return grant
            try:
                fresh = await self._refresh(grant)
            except SurfaceError as error:
                if now >= grant.expires:
                    raise
                log.warning("slack token not renewed yet", workspace=workspace, why=str(error))
                return grant
            await self.save(fresh, version)
            log.info("slack token renewed", workspace=workspace)
            return fresh

    async def _refresh(self, grant: Grant) -> Grant:
        asked = {
            "client_id": self._settings.client_id,
            "client_secret": self._settings.client_secret,
            "grant_type": "refresh_token",
            "refresh_token": grant.refresh,
        }
        nobody = Workspace(grant.workspace, "", "", "", "", "")
        answer = await self._calls.call(nobody, "oauth.v2.access", asked)
        lives = number(answer.get("expires_in"))
        return replace(
            grant,
            token=text(answer.get("access_token")),
            refresh=text(answer.get("refresh_token")) or grant.refresh,
            lives=lives,
            expires=int(self._clock()) + lives if lives else 0,
        )


class BookStore(AsyncInstallationStore):
    """Bolt's installation store over ours. Bolt's install flow saves through it; finding is done without Bolt."""

    def __init__(self, workspaces: InstalledWorkspaces, clock: Callable[[], float] = time.time) -> None:
        self._workspaces, self._clock = workspaces, clock

    async def async_save(self, installation: Installation) -> None:
        expires = installation.bot_token_expires_at or 0
        await self._workspaces.save(
            Grant(
                team=installation.team_id or "",
                enterprise=installation.enterprise_id or "",
                bot_user=installation.bot_user_id or "",
                bot_id=installation.bot_id or "",
                token=installation.bot_token or "",
                refresh=installation.bot_refresh_token or "",
                expires=int(expires),
                lives=max(0, int(expires - self._clock())) if expires else 0,
                org=bool(installation.is_enterprise_install),
                installer=installation.user_id or "",
                scopes=",".join(installation.bot_scopes or ()),
            )
        )

    async def async_save_bot(self, bot: Bot) -> None:
        raise NotImplementedError

    async def async_find_bot(self, **where: Any) -> Bot | None:
        return None

    async def async_find_installation(self, **where: Any) -> Installation | None:
        return None


class BookStates(AsyncOAuthStateStore):
    """Bolt's OAuth states over ours: good once, for ten minutes."""

    def __init__(self, book: InstallBook) -> None:
        self._book = book

    async def async_issue(self, *args: object, **kwargs: object) -> str:
        return await self._book.issue_state("slack-install")

    async def async_consume(self, state: str) -> bool:
        return bool(state) and await self._book.consume_state("slack-install", state) is not None


def oauth_flow(settings: SlackSettings, calls: SlackCalls, workspaces: InstalledWorkspaces) -> AsyncOAuthFlow:
    """The pages of an installation, with our stores and a client that goes where the settings say."""
    given = AsyncOAuthSettings(
        client_id=settings.client_id,
        client_secret=settings.client_secret,
        scopes=list(SCOPES),
        user_scopes=[],
        redirect_uri=f"{settings.public_url.rstrip('/')}{REDIRECT_PATH}",
        install_path=INSTALL_PATH,
        redirect_uri_path=REDIRECT_PATH,
        authorization_url=settings.authorize_url,
        installation_store=BookStore(workspaces),
        state_store=BookStates(workspaces.book),
    )
    return AsyncOAuthFlow(client=calls.patient_client(), settings=given, logger=getLogger("bot.surfaces.slack.oauth"))


def revoked_bot(body: dict[str, Any]) -> bool:
    """Whether an app_uninstalled or tokens_revoked event ends the installation."""
    event = obj(body.get("event"))
    return event.get("type") == "app_uninstalled" or bool(obj(event.get("tokens")).get("bot"))
