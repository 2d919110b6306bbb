"""A stranger's first ten minutes: `threadhand play`, and everything in the page with a real browser."""

from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from playwright.async_api import Locator, Page, async_playwright, expect

from tests.support.deployment import deployment
from tests.support.live_page import FLAGS

pytestmark = pytest.mark.slow

PATIENCE = 60_000
CSV = b"region,colour,units\nNorth,blue,120\nNorth,red,80\nSouth,blue,95\nSouth,green,60\n"


@asynccontextmanager
async def page_of(folder: Path) -> AsyncGenerator[Page]:
    """The page of a fresh `threadhand play`."""
    async with deployment(folder, {}) as deployed, async_playwright() as player:
        play = deployed.add("play")
        await play.start()
        browser = await player.chromium.launch(executable_path="/usr/bin/chromium", args=list(FLAGS))
        page = await browser.new_page(viewport={"width": 1280, "height": 900})
        page.set_default_timeout(PATIENCE)
        await play.answers("/")
        await page.goto(play.url)
        await expect(page.get_by_text("Threadhand is connected")).to_be_visible(timeout=PATIENCE)
        try:
            yield page
        finally:
            await browser.close()


async def mention(page: Page, text: str) -> Locator:
    """Write to the channel and open the thread; returns the thread's panel."""
    composer = page.get_by_role("textbox").first
    await composer.fill(f"@Threadhand {text}")
    await composer.press("Enter")
    await page.get_by_role("button", name="replies").or_(page.get_by_role("button", name="1 reply")).last.click()
    return page.locator("#thread")


async def reply(page: Page, text: str) -> None:
    composer = page.get_by_role("textbox").last
    await composer.fill(text)
    await composer.press("Enter")


async def test_a_file_becomes_a_workbook_and_a_wish_changes_it(tmp_path: Path) -> None:
    async with page_of(tmp_path) as page:
        file = {"name": "sales.csv", "mimeType": "text/csv", "buffer": CSV}
        await page.locator("input[type=file]").first.set_input_files(file)  # pyright: ignore[reportArgumentType]
        thread = await mention(page, "make a workbook of units by region from this file")
        await expect(thread.get_by_text("355 in total")).to_be_visible(timeout=PATIENCE)
        await expect(thread.get_by_text("sales-summary.xlsx").last).to_be_visible(timeout=PATIENCE)
        await reply(page, "only blue ones")
        await expect(thread.get_by_text("215 in total")).to_be_visible(timeout=PATIENCE)


async def test_a_running_command_is_stopped_by_a_word(tmp_path: Path) -> None:
    async with page_of(tmp_path) as page:
        thread = await mention(page, "run sleep 600")
        await expect(thread.get_by_text("Run sleep 600").first).to_be_visible(timeout=PATIENCE)
        await reply(page, "stop")
        await expect(thread.get_by_text("stopped me").first).to_be_visible(timeout=PATIENCE)
        await expect(thread.get_by_role("button", name="Go on")).to_be_visible(timeout=PATIENCE)


async def test_what_leaves_the_machine_waits_for_a_click(tmp_path: Path) -> None:
    async with page_of(tmp_path) as page:
        thread = await mention(page, "post hello to the notice board")
        await page.locator("#thread-messages").get_by_role("button", name="Send", exact=True).click()
        await expect(thread.get_by_text("approved at")).to_be_visible(timeout=PATIENCE)
        notices = await page.request.get(f"{await page.evaluate('location.origin')}/notices")
        assert (await notices.text()).count('"text":"hello"') == 1
