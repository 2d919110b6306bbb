"""The live page in a real browser, as a person opens it."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager

from playwright.async_api import Browser, Page, async_playwright

from tests.support.live import Watched
from tests.support.office import MARIA

PATIENCE = 60_000
"""Milliseconds."""
FLAGS = ("--no-sandbox", "--disable-gpu", "--no-first-run", "--disable-background-networking")


@asynccontextmanager
async def browser() -> AsyncGenerator[Browser]:
    """A person's browser, without a window."""
    async with async_playwright() as machine:
        opened = await machine.chromium.launch(executable_path="/usr/bin/chromium", args=FLAGS)
        try:
            yield opened
        finally:
            await opened.close()


async def opened(world: Watched, page: Page, session: str) -> list[str]:
    """Maria's page, signed in; returns what the browser complains of."""
    complaints: list[str] = []
    page.on("console", lambda said: complaints.append(said.text) if said.type == "error" else None)
    page.on("pageerror", lambda error: complaints.append(str(error)))
    cookie = world.signed_in(MARIA).cookie
    await page.context.add_cookies([{"name": "threadhand_live", "value": cookie, "url": world.address}])
    await page.goto(f"{world.address}/live/{session}")
    return complaints
