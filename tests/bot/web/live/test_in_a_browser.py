"""The live page in a real browser, on a real machine: look, take over, type into the guest, give back."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from playwright.async_api import expect

from sandbox.bubblewrap import BubblewrapBackend, Settings
from tests.support.live import watched
from tests.support.live_page import PATIENCE, browser, opened
from tests.support.office import MARIA
from tests.support.replies import calls, says
from tests.support.waiting import until, until_true

PHONE: Any = {"viewport": {"width": 390, "height": 844}, "has_touch": True, "color_scheme": "dark"}


@pytest.mark.slow
@pytest.mark.timeout(240)
async def test_take_over_type_into_the_machine_and_give_back(tmp_path: Path) -> None:
    machines = BubblewrapBackend(Settings(tmp_path / "state", machine_env=_machine_env()))
    script = [calls("request_takeover", what="your sign-in"), says("Thank you.")]
    async with watched(tmp_path, script, machines) as world, browser() as chromium:
        thread, _ = await world.here.say(MARIA, "sign in for me")
        await world.here.question(thread)
        page = await chromium.new_page()
        complaints = await opened(world, page, thread.session)
        await expect(page.get_by_text("Threadhand has control.")).to_be_visible(timeout=PATIENCE)
        await page.get_by_role("button", name="Take over").click()
        await expect(page.get_by_role("button", name="Give back")).to_be_visible(timeout=PATIENCE)
        await expect(page.locator('#display canvas[width="1280"]')).to_be_visible(timeout=PATIENCE)
        await expect(page.locator("#curtain")).to_be_hidden(timeout=PATIENCE)
        await page.get_by_role("tab", name="Terminal").click()
        await page.frame_locator("iframe").locator(".xterm").click(timeout=PATIENCE)
        await page.keyboard.type("echo $((6*7)) > typed.txt\n")
        machine = world.machine(thread)

        async def typed() -> bool:
            try:
                return await machine.read("typed.txt") == b"42\n"
            except Exception:  # noqa: BLE001 (not there yet)
                return False

        await until_true(typed, 60)
        await page.get_by_role("tab", name="Files").click()
        await expect(page.get_by_role("link", name="typed.txt")).to_be_visible(timeout=PATIENCE)
        await page.get_by_role("button", name="Give back").click()
        await expect(page.get_by_role("button", name="Take over")).to_be_visible(timeout=PATIENCE)
        await world.here.settled(thread, seconds=60)
        assert [line for line in complaints if "Security Policy" in line or "TypeError" in line] == []


@pytest.mark.slow
@pytest.mark.timeout(120)
async def test_it_works_on_a_phone_and_by_keyboard_alone(tmp_path: Path) -> None:
    async with watched(tmp_path, [calls("shell", command="echo one"), says("Done.")]) as world, browser() as chromium:
        thread, _ = await world.here.say(MARIA, "try it")
        await world.here.settled(thread)
        context = await chromium.new_context(**PHONE)
        page = await context.new_page()
        complaints = await opened(world, page, thread.session)
        await expect(page.get_by_text("done", exact=False).first).to_be_visible(timeout=PATIENCE)
        assert await page.evaluate("document.documentElement.scrollWidth <= innerWidth")
        await page.get_by_role("tab", name="Screen").focus()
        await page.keyboard.press("ArrowRight")
        await expect(page.get_by_text("The terminal opens when you take over.")).to_be_visible(timeout=PATIENCE)
        take = page.get_by_role("button", name="Take over")
        await expect(take).to_be_enabled(timeout=PATIENCE)
        await take.focus()
        await page.keyboard.press("Enter")
        await expect(page.get_by_role("button", name="Give back")).to_be_visible(timeout=PATIENCE)
        await page.get_by_role("tab", name="Screen").click()
        await until(lambda: world.machine(thread) is not None and bool(world.machine(thread).screens))
        screen = world.machine(thread).screens
        await until(lambda: len(screen[-1].received) > 14)
        await page.locator("#display canvas").click()
        await page.keyboard.press("s")
        await until(lambda: b"\x04\x01\0\0\0\0\0s" in screen[-1].messages or b"\xff\0" in screen[-1].messages)
        assert [line for line in complaints if "Security Policy" in line or "TypeError" in line] == []


def _machine_env() -> Path:
    return Path(__file__).parents[4] / ".venv-machine"
