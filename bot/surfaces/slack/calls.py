"""Calls of Slack's Web API: paced, retried only where a repeat is harmless, errors turned into the surface's.

The SDK's own retries are switched off on purpose: they repeat a post whose answer was lost, which doubles it.
"""

from __future__ import annotations

import json
from typing import Any, cast

import aiohttp
import structlog
from slack_sdk.errors import SlackApiError, SlackClientError
from slack_sdk.http_retry.async_handler import AsyncRetryHandler
from slack_sdk.http_retry.builtin_async_handlers import (
    AsyncConnectionErrorRetryHandler,
    AsyncRateLimitErrorRetryHandler,
    AsyncServerErrorRetryHandler,
)
from slack_sdk.web.async_client import AsyncWebClient

from bot.surface import Gone, Refused, SurfaceError, Unavailable
from bot.surfaces.slack.limits import Pace
from bot.surfaces.slack.settings import SlackSettings
from bot.surfaces.slack.wire import Obj, obj, text
from bot.surfaces.slack.workspaces import Workspace

ONCE = frozenset(
    {
        "chat.postMessage",
        "chat.postEphemeral",
        "chat.startStream",
        "chat.appendStream",
        "chat.stopStream",
        "files.completeUploadExternal",
        "views.open",
        "oauth.v2.access",
    }
)
"""Methods whose repeat could show: after a lost answer they are not called again without looking."""

GONE = {
    "channel_not_found": "that conversation is not there, or I am not in it",
    "not_in_channel": "I am not in that channel any more: invite me again",
    "is_archived": "that channel is archived",
    "message_not_found": "that message is not there any more",
    "thread_not_found": "that thread is not there any more",
    "file_not_found": "that file is not there any more",
    "file_deleted": "that file was deleted",
    "account_inactive": "the app was removed from the workspace",
    "token_revoked": "the app was removed from the workspace",
    "token_expired": "the app's token has expired: install it again",
    "invalid_auth": "the token is not valid: check SLACK_BOT_TOKEN or install the app again",
    "not_authed": "there is no token: set SLACK_BOT_TOKEN or install the app",
    "team_access_not_granted": "the app is not allowed in that workspace",
}
PASSING = {"ratelimited", "rate_limited", "internal_error", "fatal_error", "service_unavailable", "request_timeout"}
TIMEOUT = 20
ATTEMPTS = 4
PATIENCE = 75.0
"""Seconds a call waits at most for Slack's permission (429) before it gives up."""

log = structlog.get_logger(__name__)


class Lost(Unavailable):
    """The answer did not come: the call may have taken effect."""


class Code(Refused):
    """Slack refused with an error code. `code` is Slack's word for it."""

    def __init__(self, method: str, code: str, details: str = "") -> None:
        why = f" ({details})" if details else ""
        super().__init__(f"Slack refused {method}: {code}{why}.")
        self.code = code


class SlackCalls:
    """Calls with a token the caller names. One HTTP session for all, made at first use."""

    def __init__(self, settings: SlackSettings, pace: Pace | None = None) -> None:
        self._settings = settings
        self.pace = pace or Pace(rate=settings.rate)
        self._session: aiohttp.ClientSession | None = None

    @property
    def session(self) -> aiohttp.ClientSession:
        """The shared HTTP session; it reads nothing from the environment."""
        if self._session is None or self._session.closed:
            self._session = aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=TIMEOUT), trust_env=False)
        return self._session

    def client(self, token: str | None) -> AsyncWebClient:
        """An SDK client for that token, without retries of its own."""
        return self._made(token, self.session, [])

    def patient_client(self) -> AsyncWebClient:
        """An SDK client for Bolt's own calls, none of which shows if repeated. Needs no running loop."""
        kinds = (AsyncConnectionErrorRetryHandler, AsyncRateLimitErrorRetryHandler, AsyncServerErrorRetryHandler)
        return self._made(None, None, [kind() for kind in kinds])

    def _made(
        self, token: str | None, session: aiohttp.ClientSession | None, retries: list[AsyncRetryHandler]
    ) -> AsyncWebClient:
        client = AsyncWebClient(
            token=token, base_url=self._settings.base_url, timeout=TIMEOUT, session=session, retry_handlers=retries
        )
        client.proxy = self._settings.proxy or None  # the SDK would take one from the environment
        return client

    async def close(self) -> None:
        """Close the HTTP session."""
        if self._session is not None:
            await self._session.close()

    async def call(self, workspace: Workspace, method: str, arguments: Obj, *, eager: bool = True) -> Obj:
        """The answer of a method, called with the workspace's token.

        With `eager` off it never waits for a turn: it raises Unavailable instead. Raises Gone, Refused (as Code) or
        Unavailable (as Lost where the call may have taken effect).
        """
        channel = text(arguments.get("channel"))
        waited = 0.0
        for attempt in range(1, ATTEMPTS + 1):
            wait = self.pace.delay(workspace.id, method, channel)
            if wait > 0 and not eager:
                raise Unavailable(f"{method} is called too often just now.", wait)
            await self.pace.turn(workspace.id, method, channel)
            try:
                return await self._once(workspace.token, method, arguments)
            except Unavailable as error:
                lost = isinstance(error, Lost)
                if not lost:
                    self.pace.close(workspace.id, method, error.retry_after)
                rest = min(2.0, 0.1 * 2**attempt) if lost else error.retry_after
                waited += rest
                stop = attempt == ATTEMPTS or waited > PATIENCE or not eager
                if stop or (lost and method in ONCE):
                    raise
                log.info("slack call again", method=method, why=str(error), seconds=round(rest, 1))
                await self.pace.rest(rest)
        raise AssertionError("unreachable")

    async def _once(self, token: str, method: str, arguments: Obj) -> Obj:
        """One attempt. The SDK's method knows how each argument is sent."""
        send: Any = getattr(self.client(token), method.replace(".", "_"))
        try:
            answer: Any = await send(**arguments)
        except SlackApiError as error:
            raise _mapped(method, error) from None
        except (TimeoutError, aiohttp.ClientError, SlackClientError, json.JSONDecodeError, OSError) as error:
            raise Lost(f"Slack did not answer {method}: {type(error).__name__}.", 2.0) from error
        return obj(answer.data)


def _mapped(method: str, error: SlackApiError) -> SurfaceError:
    response = cast(Any, error.response)
    status = int(getattr(response, "status_code", 0) or getattr(response, "status", 0) or 0)
    data = obj(getattr(response, "data", None))
    code = text(data.get("error"))
    if status == 429 or code in ("ratelimited", "rate_limited"):
        return Unavailable(f"Slack asks to call {method} less often.", _retry_after(response))
    if status >= 500 or code in PASSING or not code:
        return Lost(f"Slack could not do {method}: {code or status}.", 2.0)
    if code in GONE:
        return Gone(f"Slack: {GONE[code]}.")
    messages = obj(data.get("response_metadata")).get("messages")
    told = [str(m) for m in cast("list[object]", messages)[:3]] if isinstance(messages, list) else []
    needed = text(data.get("needed"))
    return Code(method, code, "; ".join([*told, *([f"needs the scope {needed}"] if needed else [])]))


def _retry_after(response: Any) -> float:
    try:
        headers: Any = response.headers
        value = headers.get("Retry-After") or headers.get("retry-after")
        return min(300.0, max(0.5, float(value)))
    except (AttributeError, TypeError, ValueError):
        return 5.0
