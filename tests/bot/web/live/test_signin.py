"""Signing in with Slack, against the local workspace: a peer of the real one."""

from __future__ import annotations

import asyncio
import re
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import aiohttp
import pytest

from bot.entries import Query
from bot.heard import Heard, Message, Person, Thread
from bot.observe import Metrics
from bot.outgoing import Question
from bot.playground import ACME, CLIENT_ID, CLIENT_SECRET, Playground
from bot.store import Blobs, Store
from bot.surfaces.slack.render import render
from bot.surfaces.slack.settings import SlackSettings
from bot.surfaces.slack.surface import SlackSurface
from bot.web.live.access import Access
from bot.web.live.links import Seals
from bot.web.live.signin import OpenId
from bot.web.live.site import Live, Places
from bot.web.server import Site, application, listen, serve
from tests.support.live import KEY
from tests.support.playground import playground

MARIA = Person(f"{ACME}/UMARIA", "maria")


@dataclass
class Door:
    """A deployment's live page with Slack's sign-in, and one browser."""

    address: str
    thread: Thread
    http: aiohttp.ClientSession

    async def go(self, url: str) -> aiohttp.ClientResponse:
        async with self.http.get(url, allow_redirects=False) as answer:
            await answer.read()
            return answer

    async def signs_in(self, person: str) -> aiohttp.ClientResponse:
        """From the page's address through Slack's page and back; the last answer."""
        first = await self.go(f"{self.address}/live/{self.thread.session}")
        second = await self.go(self.address + first.headers["Location"])
        async with self.http.post(second.headers["Location"], data={"person": person}, allow_redirects=False) as answer:
            back = answer.headers["Location"]
        third = await self.go(back)
        return await self.go(self.address + third.headers["Location"]) if third.status == 303 else third


@asynccontextmanager
async def door(folder: Path, opened: Playground, secret: str = CLIENT_SECRET) -> AsyncGenerator[Door]:
    thread = Thread("slack", ACME, "CSALES", "1.1")
    store = await Store.open(f"sqlite+aiosqlite:///{folder}/live.db")
    blobs = Blobs(folder / "blobs")
    surface = SlackSurface(SlackSettings(bot_token=opened.bot_token, api_url=opened.api_url), blobs.path)
    listener = listen("127.0.0.1", 0)
    address = f"http://127.0.0.1:{listener.getsockname()[1]}"
    await store.post(thread, Message(MARIA, "1.1", "hi", True), "m1", opens=True)

    async def post(thread: Thread, heard: Heard, key: str) -> None:
        await store.post(thread, heard, key, opens=False)

    async def ready() -> str:
        return ""

    access = Access(store, {"slack": surface.directory})
    openid = OpenId(CLIENT_ID, secret, opened.api_url)
    places = Places(address, Seals([KEY]), access, post, lambda _: None, blobs.read, folder, openid)
    stop = asyncio.Event()
    app = application(Site(Metrics.create(), ready, Live(places).routes()))
    serving = asyncio.create_task(serve(app, listener, stop))
    try:
        async with aiohttp.ClientSession(cookie_jar=aiohttp.CookieJar(unsafe=True)) as http:
            yield Door(address, thread, http)
    finally:
        stop.set()
        await serving
        await surface.close()
        await store.close()


@pytest.mark.parametrize(
    ("person", "status", "words"),
    [
        ("UMARIA", 200, "You are maria"),
        ("UGUS", 403, "Only members of this workspace"),
        ("UOLGA", 403, "Only members of this workspace"),
        ("UNORA", 403, "Only members of this workspace"),
    ],
)
async def test_slack_says_who_it_is_and_the_workspace_whether_they_may(
    tmp_path: Path, person: str, status: int, words: str
) -> None:
    async with playground() as opened, door(tmp_path, opened) as house:
        last = await house.signs_in(person)
        assert last.status == status
        assert words in await last.text()


async def test_a_sign_in_begun_elsewhere_does_not_count(tmp_path: Path) -> None:
    async with playground() as opened, door(tmp_path, opened) as house:
        begun = await house.go(f"{house.address}/live/sign-in?session={house.thread.session}")
        where = urlsplit(begun.headers["Location"])
        state = parse_qs(where.query)["state"][0]
        house.http.cookie_jar.clear()
        answer = await house.go(f"{house.address}/live/signed-in?code=x&state={state}")
        assert answer.status == 400
        assert (await house.go(f"{house.address}/live/{house.thread.session}")).status == 303


async def test_a_wrong_client_or_a_used_code_signs_nobody_in(tmp_path: Path) -> None:
    async with playground() as opened, door(tmp_path, opened, secret="not-the-secret") as house:
        last = await house.signs_in("UMARIA")
        assert last.status == 403
        assert "did not confirm" in await last.text()
        assert "not-the-secret" not in await last.text()


async def test_whoever_is_not_in_a_private_channel_is_refused(tmp_path: Path) -> None:
    async with playground() as opened, door(tmp_path, opened) as house:
        opened.site.workspace.channel("#sales").members.remove("UBEN")
        last = await house.signs_in("UBEN")
        assert last.status == 403
        assert "in the thread's channel" in re.sub("&#x27;", "'", await last.text())


def test_a_request_for_a_hand_has_a_button_to_the_screen() -> None:
    asked = Question("q", 1, MARIA, (Query("This needs your sign-in."),), screen="https://bot.example/live/abc")
    (draft,) = render(asked)
    shown = str(draft.blocks)
    assert "Open my screen" in shown
    assert "https://bot.example/live/abc" in shown
    assert "Open my screen" not in str(render(Question("q", 1, MARIA, (Query("Which?"),)))[0].blocks)
