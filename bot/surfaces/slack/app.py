"""The door: Slack's events and clicks come in here, by Socket Mode or HTTP, through Bolt.

The order that matters: what arrived is written to the inbox first and acknowledged to Slack after that. If writing
fails, Slack gets no acknowledgement and delivers again; the key makes the second delivery harmless.
"""

from __future__ import annotations

import asyncio
from collections import OrderedDict
from collections.abc import Awaitable, Callable, Coroutine, Sequence
from typing import Any, cast

import structlog
from slack_bolt.adapter.starlette.async_handler import to_async_bolt_request, to_starlette_response
from slack_bolt.async_app import AsyncApp
from slack_bolt.authorization import AuthorizeResult
from slack_bolt.authorization.async_authorize import AsyncAuthorize
from slack_bolt.context.async_context import AsyncBoltContext
from slack_bolt.oauth.async_oauth_settings import AsyncOAuthSettings
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route

from bot.heard import Heard, Thread
from bot.surface import SurfaceError
from bot.surfaces.slack.home import Facts
from bot.surfaces.slack.install import InstalledWorkspaces, oauth_flow
from bot.surfaces.slack.listeners import Listeners, register
from bot.surfaces.slack.manifest import ACTIONS_PATH, EVENTS_PATH, INSTALL_PATH, REDIRECT_PATH
from bot.surfaces.slack.socket import Socket
from bot.surfaces.slack.surface import SlackSurface
from bot.surfaces.slack.translate import Admission, Incoming
from bot.surfaces.slack.workspaces import NotInstalled

BODY_LIMIT = 5_000_000
_TOLD = 10_000

Inbox = Callable[[Thread, Heard, str, bool], Awaitable[bool]]
"""(thread, heard, key, opens) -> whether it stands in a session's inbox, since now or since an earlier delivery. False
where there is no session and it may open none. Raises when it could not be written down."""

log = structlog.get_logger(__name__)


class _Authorize(AsyncAuthorize):
    """Bolt's question whose token to use. Unlike Bolt's own answers, trouble is never taken for 'not installed':
    that would acknowledge an event and lose it."""

    def __init__(self, surface: SlackSurface) -> None:
        self._surface = surface

    async def __call__(
        self,
        *,
        context: AsyncBoltContext,
        enterprise_id: str | None,
        team_id: str | None,
        user_id: str | None,
        **_: Any,
    ) -> AuthorizeResult | None:
        org = context.is_enterprise_install and enterprise_id
        try:
            workspace = await self._surface.workspaces.get((enterprise_id if org else team_id) or enterprise_id or "")
        except NotInstalled as error:
            log.warning("slack event from a workspace without the app", why=str(error))
            return None
        return AuthorizeResult(
            enterprise_id=workspace.enterprise or None,
            team_id=workspace.team,
            bot_user_id=workspace.bot_user,
            bot_id=workspace.bot_id,
            bot_token=workspace.token,
            user_id=user_id,
        )


class SlackDoor:
    """Takes events for `surface` and hands them to `inbox`. `facts` fills App Home."""

    def __init__(self, surface: SlackSurface, inbox: Inbox, facts: Facts | None = None) -> None:
        self.surface = surface
        self._inbox = inbox
        self._told: OrderedDict[tuple[str, str], None] = OrderedDict()
        self._running: set[asyncio.Task[None]] = set()
        self._socket: Socket | None = None
        settings, workspaces = surface.settings, surface.workspaces
        self._flow = (
            oauth_flow(settings, surface.calls, workspaces) if isinstance(workspaces, InstalledWorkspaces) else None
        )
        self.app = self._bolt()
        rules = Admission(settings.allow_guests, settings.allow_shared_channels, settings.admin_contact)
        register(self.app, Listeners(surface, rules, self.take, self.later, facts))

    def _bolt(self) -> AsyncApp:
        """Bolt, told everything it would otherwise look for in the environment."""
        closed = AsyncOAuthSettings(client_id="none", client_secret="none", scopes=[], user_scopes=[])  # noqa: S106
        return AsyncApp(
            name="threadhand",
            client=self.surface.calls.patient_client(),
            signing_secret=self.surface.settings.signing_secret,
            authorize=cast(Any, _Authorize(self.surface)),  # typed for plain functions; Bolt takes both
            oauth_settings=closed,  # without it Bolt opens an install page from SLACK_CLIENT_ID of its own accord
            verification_token="none",  # noqa: S106
            process_before_response=True,
            attaching_conversation_kwargs_enabled=False,
        )

    async def take(self, incoming: Incoming) -> None:
        """Write it down; then tell a person who may not start anything here, once a thread."""
        taken = await self._inbox(incoming.thread, incoming.heard, incoming.key, incoming.opens)
        author = getattr(incoming.heard, "author", None)
        if taken or not incoming.denied or author is None:
            return
        about = (incoming.thread.session, author.id)
        if about not in self._told:
            self._told[about] = None
            while len(self._told) > _TOLD:
                self._told.popitem(last=False)
            self.later(self.surface.whisper(incoming.thread, author, incoming.denied))

    def later(self, work: Coroutine[Any, Any, None]) -> None:
        """Do something for Slack after the acknowledgement; what fails is logged."""

        async def run() -> None:
            try:
                await work
            except SurfaceError as error:
                log.warning("slack did not do it", why=str(error))

        task = asyncio.create_task(run())
        self._running.add(task)
        task.add_done_callback(self._running.discard)

    def start(self) -> None:
        """Connect by Socket Mode, where an app token is set, and stay connected. Returns at once."""
        settings = self.surface.settings
        if settings.app_token and self._socket is None:
            self._socket = Socket(self.app, settings, self.surface.calls.patient_client())
            self._socket.start()

    async def close(self) -> None:
        """Disconnect and finish what was begun."""
        if self._socket is not None:
            await self._socket.close()
            self._socket = None
        tasks = list(self._running)
        if tasks:
            await asyncio.wait(tasks, timeout=5.0)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    def routes(self) -> Sequence[Route]:
        """HTTP routes: events and clicks where a signing secret is set, the install pages where there is OAuth."""
        found: list[Route] = []
        if self.surface.settings.signing_secret:
            found += [Route(path, self._post, methods=["POST"]) for path in (EVENTS_PATH, ACTIONS_PATH)]
        if self._flow is not None:
            found.append(Route(INSTALL_PATH, _page(self._flow.handle_installation)))
            found.append(Route(REDIRECT_PATH, _page(self._flow.handle_callback)))
        return found

    async def _post(self, request: Request) -> Response:
        body = b""
        async for chunk in request.stream():
            body += chunk
            if len(body) > BODY_LIMIT:
                return PlainTextResponse("too large", 413)
        try:
            asked = to_async_bolt_request(request, body)
        except ValueError:
            return PlainTextResponse("not understood", 400)
        return to_starlette_response(await self.app.async_dispatch(asked))


def _page(handle: Callable[[Any], Awaitable[Any]]) -> Callable[[Request], Awaitable[Response]]:
    async def page(request: Request) -> Response:
        return to_starlette_response(await handle(to_async_bolt_request(request, b"")))

    return page
