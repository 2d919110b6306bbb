"""A playground and an unmodified Bolt app beside it, for tests that need a Slack."""

import asyncio
import json
import os
import sys
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

from slack_bolt.adapter.socket_mode.aiohttp import AsyncSocketModeHandler
from slack_bolt.app.async_app import AsyncApp
from slack_sdk.web.async_client import AsyncWebClient
from starlette.types import ASGIApp

from bot.playground import UNLIMITED, Driver, Limits, Options, Playground, remote_driver, serve_playground
from bot.playground.serving import loopback, serve_app

ROOT = Path(__file__).resolve().parents[2]


@asynccontextmanager
async def playground(limits: Limits = UNLIMITED, *, control: bool = False) -> AsyncGenerator[Playground]:
    """A playground on a free port in this process; rate tiers off unless asked for."""
    async with serve_playground(Options(limits=limits, control=control)) as opened:
        yield opened


@asynccontextmanager
async def playground_process(*flags: str) -> AsyncGenerator[tuple[dict[str, Any], Driver]]:
    """A playground in a process of its own: its addresses and a driver over /_control."""
    command = (sys.executable, "-m", "bot.playground", "--control", "--parent", *flags)
    process = await asyncio.create_subprocess_exec(
        *command, stdout=asyncio.subprocess.PIPE, cwd=ROOT, env={**os.environ, "PYTHONPATH": str(ROOT)}
    )
    try:
        assert process.stdout
        line = await asyncio.wait_for(process.stdout.readline(), 30)
        addresses: dict[str, Any] = json.loads(line)
        async with remote_driver(addresses["url"]) as driver:
            yield addresses, driver
    finally:
        if process.returncode is None:
            process.terminate()
        await process.communicate()


@asynccontextmanager
async def serving(app: ASGIApp) -> AsyncGenerator[str]:
    """An ASGI application on a free loopback port; yields its address."""
    async with serve_app(app, loopback(0)) as address:
        yield address


def bolt_app(opened: Playground) -> Any:
    """An ordinary Bolt AsyncApp that believes the playground is Slack (Any: Bolt's own types are incomplete)."""
    client = AsyncWebClient(token=opened.bot_token, base_url=opened.api_url)
    return AsyncApp(client=client, signing_secret=opened.signing_secret, raise_error_for_unhandled_request=False)


@asynccontextmanager
async def socket_mode(app: Any, opened: Playground) -> AsyncGenerator[None]:
    """The app connected by Socket Mode."""
    handler = AsyncSocketModeHandler(app, opened.app_token)
    await handler.connect_async()
    try:
        await opened.driver.wait_for_app()
        yield
    finally:
        await handler.close_async()
