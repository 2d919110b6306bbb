"""Socket Mode that starts while Slack cannot be reached, and always finds its way back.

The SDK's client keeps trying an address that was good for one connection only; here each attempt asks for a new one.
"""

from __future__ import annotations

import asyncio
import logging
import time
from typing import Any, cast

import aiohttp
import structlog
from slack_bolt.adapter.socket_mode.async_internals import run_async_bolt_app, send_async_response
from slack_bolt.async_app import AsyncApp
from slack_sdk.errors import SlackApiError, SlackClientError
from slack_sdk.socket_mode.aiohttp import SocketModeClient
from slack_sdk.socket_mode.async_client import AsyncBaseSocketModeClient
from slack_sdk.socket_mode.request import SocketModeRequest
from slack_sdk.web.async_client import AsyncWebClient

from bot.surfaces.slack.settings import SlackSettings

PING = 5
ATTEMPT = 10.0
LONGEST = 30.0

log = structlog.get_logger(__name__)


class _Client(SocketModeClient):
    """The SDK's client with connecting of our own."""

    async def connect(self) -> None:
        pause = 0.5
        while not self.closed:
            try:
                async with asyncio.timeout(ATTEMPT):
                    if self.wss_uri is None:
                        self.wss_uri = await self.issue_new_wss_url()
                    await super().connect()
                log.info("connected to slack by socket")
                return
            except (TimeoutError, aiohttp.ClientError, SlackApiError, SlackClientError, OSError) as error:
                self.wss_uri = None
                log.warning("slack cannot be reached; trying again", why=_why(error), seconds=pause)
                await asyncio.sleep(pause)
                pause = min(LONGEST, pause * 2)


def _why(error: Exception) -> str:
    """The reason without addresses: a socket's address is a credential."""
    if isinstance(error, SlackApiError):
        return f"Slack says {cast(Any, error).response.get('error')}; is SLACK_APP_TOKEN right?"
    return type(error).__name__


class Socket:
    """One Socket Mode connection that feeds a Bolt app."""

    def __init__(self, app: AsyncApp, settings: SlackSettings, web: AsyncWebClient) -> None:
        self._app, self._settings, self._web = app, settings, web
        self._client: _Client | None = None
        self._task: asyncio.Task[None] | None = None

    def start(self) -> None:
        """Begin connecting. Needs a running loop."""
        self._task = asyncio.create_task(self._connect())

    async def _connect(self) -> None:
        quiet = logging.getLogger("bot.surfaces.slack.socket.sdk")
        quiet.setLevel(logging.CRITICAL)  # its errors quote the socket's address, which is a credential
        client = _Client(self._settings.app_token, logger=quiet, web_client=self._web, ping_interval=PING)
        client.proxy = self._settings.proxy or None
        client.socket_mode_request_listeners.append(self._handle)
        self._client = client
        await client.connect()

    async def _handle(self, client: AsyncBaseSocketModeClient, request: SocketModeRequest) -> None:
        """One envelope: acknowledged after Bolt's listener is through, and not at all when it failed."""
        started = time.time()
        response = await run_async_bolt_app(self._app, request)
        await send_async_response(client, request, response, started)

    async def close(self) -> None:
        """Disconnect for good."""
        if self._task is not None:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)
        if self._client is not None:
            await self._client.close()
