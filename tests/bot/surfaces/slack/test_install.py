"""Workspaces install the app, its tokens are sealed and renewed, and removal forgets them."""

from __future__ import annotations

import asyncio
import html
import json
import re
import time
from collections.abc import AsyncGenerator, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path

import aiohttp
import pytest
import yaml
from starlette.routing import Mount, Route, Router
from starlette.types import Receive, Scope, Send

from bot.heard import Message, Thread
from bot.outgoing import Reply
from bot.playground import CLIENT_ID, CLIENT_SECRET, Limits, Playground
from bot.store import Store
from bot.surface import Gone
from bot.surfaces.slack import SlackCalls, SlackDoor, SlackSettings, SlackSurface, manifest, to_json, to_yaml
from bot.surfaces.slack.install import InstalledWorkspaces
from bot.vault import Vault
from tests.support.playground import playground
from tests.support.slack import Heap
from tests.support.waiting import until, until_true
from tests.support.web import serve

SECRET = b"a secret key for tests, long enough to be taken"


@dataclass
class Office:
    """A playground, a store, and our server with the install pages."""

    playground: Playground
    store: Store
    surface: SlackSurface
    heap: Heap
    url: str
    clock: list[float] = field(default_factory=lambda: [0.0])

    def workspaces(self) -> InstalledWorkspaces:
        """As another process would have them."""
        calls = self.surface.calls
        return InstalledWorkspaces(self.surface.settings, calls, self.store.installs, Vault(SECRET), self.now)

    def now(self) -> float:
        return time.time() + self.clock[0]


@asynccontextmanager
async def office(tmp_path: Path) -> AsyncGenerator[Office]:
    async with playground(Limits(rates=False)) as opened:
        store = await Store.open(f"sqlite:///{tmp_path}/bot.db")
        async with served() as (url, mount):
            settings = SlackSettings(
                client_id=CLIENT_ID,
                client_secret=CLIENT_SECRET,
                signing_secret=opened.signing_secret,
                api_url=opened.api_url,
                public_url=url,
            )
            calls = SlackCalls(settings)
            made = InstalledWorkspaces(settings, calls, store.installs, Vault(SECRET))
            surface, heap = SlackSurface(settings, tmp_path.joinpath, made, calls=calls), Heap()
            door = SlackDoor(surface, heap)
            mount(door.routes())
            yield Office(opened, store, surface, heap, url)
            await door.close()
            await surface.close()
        await store.close()


@asynccontextmanager
async def served() -> AsyncGenerator[tuple[str, Callable[[Sequence[Route]], None]]]:
    """A server whose routes come after its address is known."""
    inner = Router()

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        await inner(scope, receive, send)

    async with serve([Mount("/", app)]) as url:
        yield url, inner.routes.extend


async def install(at: Office, team: str = "TNORTH", state: str = "", cookie: str = "") -> tuple[int, str]:
    """Go through the install pages as an admin does. Returns the last page's status and text."""
    async with aiohttp.ClientSession() as session:
        async with session.get(f"{at.url}/slack/install", allow_redirects=False) as page:
            found = re.search(r'href="([^"]*oauth/v2/authorize[^"]*)"', await page.text())
            assert found
            kept = cookie or page.headers["Set-Cookie"].split(";")[0]
        address = html.unescape(found.group(1))
        async with session.post(address, data={"team": team, "decision": "allow"}, allow_redirects=False) as chosen:
            back = chosen.headers["Location"]
        if state:
            back = re.sub(r"state=[^&]*", f"state={state}", back)
        async with session.get(back, headers={"Cookie": kept}) as last:
            return last.status, await last.text()


async def test_a_workspace_installs_the_app_and_is_served(tmp_path: Path) -> None:
    async with office(tmp_path) as at:
        status, page = await install(at)
        assert (status, "xoxb" in page) == (200, False)
        await at.playground.driver.deliver_to(f"{at.url}/slack/events")
        root = await at.playground.driver.say("nora", "dm", "hello from the north")
        await until(lambda: len(at.heap.of(Message)) == 1)
        (thread,) = {thread for thread, _, _ in at.heap.items.values()}
        assert thread == Thread("slack", "TNORTH", "DNORA", root)
        await at.surface.post(thread, Reply("Hello."), "k1")
        assert len(await at.playground.driver.messages("DNORA", root)) == 2


async def test_tokens_are_sealed_at_rest(tmp_path: Path) -> None:
    async with office(tmp_path) as at:
        await install(at)
        row = await at.store.installs.find("slack", "TNORTH")
        assert row is not None
        assert "xoxb" not in row.data
        token = (await at.surface.workspaces.get("TNORTH")).token
        assert token.startswith("xoxb-")
        assert token.encode() not in (tmp_path / "bot.db").read_bytes()


async def test_a_state_of_somebody_else_installs_nothing(tmp_path: Path) -> None:
    async with office(tmp_path) as at:
        assert (await install(at, state="made-up"))[0] >= 400
        assert (await install(at, cookie="slack-app-oauth-state=made-up"))[0] >= 400
        assert (await install(at, state="made-up", cookie="slack-app-oauth-state=made-up"))[0] >= 400
        with pytest.raises(Gone, match="not installed"):
            await at.surface.workspaces.get("TNORTH")


async def test_a_token_is_renewed_once_before_it_ends(tmp_path: Path) -> None:
    async with office(tmp_path) as at:
        await at.playground.driver.rotation(True, 43_200)
        await install(at)
        first = (await at.workspaces().get("TNORTH")).token
        at.clock[0] = 40_000.0
        found = await asyncio.gather(*(at.workspaces().get("TNORTH") for _ in range(5)))
        (second,) = {workspace.token for workspace in found}
        assert second != first
        at.clock[0] = 41_000.0
        assert (await at.workspaces().get("TNORTH")).token == second


async def test_a_failed_renewal_goes_on_with_the_old_token_while_it_lasts(tmp_path: Path) -> None:
    async with office(tmp_path) as at:
        await at.playground.driver.rotation(True, 43_200)
        await install(at)
        first = (await at.workspaces().get("TNORTH")).token
        at.clock[0] = 40_000.0
        await at.playground.driver.fail("oauth.v2.access", "500")
        workspaces = at.workspaces()
        assert (await workspaces.get("TNORTH")).token == first
        assert (await workspaces.get("TNORTH")).token != first


async def test_an_uninstalled_workspace_is_forgotten(tmp_path: Path) -> None:
    async with office(tmp_path) as at:
        await install(at)
        await at.playground.driver.deliver_to(f"{at.url}/slack/events")
        await at.playground.driver.uninstall("TNORTH")

        async def gone() -> bool:
            return await at.store.installs.find("slack", "TNORTH") is None

        await until_true(gone)
        with pytest.raises(Gone):
            await at.surface.post(Thread("slack", "TNORTH", "DNORA", "1.1"), Reply("x"), "k1")


def test_the_manifest_asks_for_what_is_used() -> None:
    socket, http = manifest(), manifest("https://hand.example/", distributed=True)
    assert socket["settings"]["socket_mode_enabled"]
    assert "request_url" not in str(socket)
    assert http["settings"]["event_subscriptions"]["request_url"] == "https://hand.example/slack/events"
    assert http["oauth_config"]["redirect_urls"] == [
        "https://hand.example/slack/oauth_redirect",
        "https://hand.example/live/signed-in",
    ]
    assert "agent_session_stopped" in socket["settings"]["event_subscriptions"]["bot_events"]
    assert yaml.safe_load(to_yaml(http)) == json.loads(to_json(http)) == http
