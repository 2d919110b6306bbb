"""The browser after the machine was stopped, and in another machine: the same pages, cookies and storage."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path

import pytest

from sandbox.browser import Act, Browser
from sandbox.machine import GuestMachine
from tests.sandbox.browser_setup import Rig, rig

pytestmark = [pytest.mark.slow, pytest.mark.timeout(300)]

PAGES = {
    "/": """<title>Home</title><button onclick="document.cookie='visit=now;path=/';
      document.cookie='member=yes;path=/;max-age=99999';localStorage.setItem('cart','3 pears');
      this.textContent='Signed in'">Sign in</button>""",
    "/cart": "<title>Cart</title><p id=cart></p><script>cart.textContent = localStorage.getItem('cart')</script>",
    "/news": "<title>News</title><h1>News</h1>",
}


@pytest.fixture
async def shop(tmp_path: Path) -> AsyncIterator[Rig]:
    async with rig(tmp_path, PAGES) as made:
        yield made


async def signed_in(shop: Rig) -> None:
    """Two tabs, the first in front, a session's cookie and a lasting one."""
    await shop.open("/")
    await shop.browser.act(Act("click", ref=await shop.ref('"Sign in"')))
    await shop.open("/cart")
    await shop.browser.act(Act("new_tab", url=shop.site.url("/news")))
    view = await shop.browser.act(Act("switch_tab", tab="t1"))
    assert "3 pears" in view.outline


async def all_there(shop: Rig, browser: Browser) -> None:
    shop.site.cookies.clear()
    view = await browser.act(Act("outline"))
    assert view.url == shop.site.url("/cart")
    assert "3 pears" in view.outline
    assert [tab.url for tab in view.tabs] == [shop.site.url("/cart"), shop.site.url("/news")]
    assert any("2 pages that were open are loaded anew" in line for line in view.news)
    assert {"visit=now", "member=yes"} <= set(shop.site.cookies[-1].split("; "))


async def test_pages_and_cookies_are_back_after_the_machine_was_stopped_twice(shop: Rig) -> None:
    await signed_in(shop)
    await shop.machine.luggage().settle()
    for _ in range(2):
        await shop.backend.close()
        machine = await shop.backend.start(shop.spec)
        await all_there(shop, machine.browser())


async def test_pages_and_cookies_come_along_to_another_machine_and_caches_do_not(shop: Rig) -> None:
    await signed_in(shop)
    await shop.machine.luggage().settle()
    stream = bytearray()

    async def take(piece: bytes) -> None:
        stream.extend(piece)

    packed = await shop.machine.luggage().pack(256 * 1024**2, take)
    assert packed.left == ()
    assert b"Code Cache" not in stream
    assert len(stream) < 16 * 1024**2

    async def pieces() -> AsyncIterator[bytes]:
        yield bytes(stream)

    spec = replace(shop.spec, session_id="s2", home=shop.spec.home.with_name("s2"))
    other: GuestMachine = await shop.backend.start(spec)
    await other.luggage().unpack(pieces())
    await all_there(shop, other.browser())
    mine = await other.exec("ls -a ~ /home/browser", timeout=30)
    assert "profile" not in mine.text
