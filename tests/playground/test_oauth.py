"""Installing into several workspaces, token rotation, and removal."""

import asyncio
from typing import Any
from urllib.parse import parse_qs, urlsplit

import aiohttp
import pytest
from slack_sdk.errors import SlackApiError
from slack_sdk.web.async_client import AsyncWebClient

from bot.playground import ACME, CLIENT_ID, CLIENT_SECRET, NORTH, Playground
from tests.support.playground import bolt_app, playground, socket_mode

BACK = "http://127.0.0.1:9/back"
Body = dict[str, Any]


async def allowed(opened: Playground, team: str, decision: str = "allow") -> dict[str, list[str]]:
    """What the install page sends back once someone decided there."""
    query = {"client_id": CLIENT_ID, "scope": "chat:write,files:read", "state": "s1", "redirect_uri": BACK}
    address = f"{opened.url}/oauth/v2/authorize"
    async with aiohttp.ClientSession() as session:
        async with session.get(address, params=query) as page:
            assert "chat:write" in await page.text()
        form = {"team": team, "decision": decision}
        async with session.post(address, params=query, data=form, allow_redirects=False) as answer:
            assert answer.status == 302
            return parse_qs(urlsplit(answer.headers["Location"]).query)


async def exchanged(opened: Playground, **args: str) -> Any:
    client: Any = AsyncWebClient(base_url=opened.api_url)
    return await client.oauth_v2_access(client_id=CLIENT_ID, client_secret=CLIENT_SECRET, **args)


async def test_the_second_workspace_gets_a_token_that_works_only_there() -> None:
    async with playground() as opened:
        back = await allowed(opened, NORTH)
        granted = await exchanged(opened, code=back["code"][0], redirect_uri=BACK)
        client: Any = AsyncWebClient(token=granted["access_token"], base_url=opened.api_url)
        me = await client.auth_test()
        assert (await client.chat_postMessage(channel="CNORTH", text="hello"))["ok"]
        with pytest.raises(SlackApiError, match="channel_not_found"):
            await client.chat_postMessage(channel="CGENERAL", text="hello")
        with pytest.raises(SlackApiError, match="invalid_code"):
            await exchanged(opened, code=back["code"][0], redirect_uri=BACK)
    assert back["state"] == ["s1"]
    assert granted["team"] == {"id": NORTH, "name": "Northwind"}
    assert granted["authed_user"] == {"id": "UNORA"}
    assert granted["scope"] == "chat:write,files:read"
    assert "refresh_token" not in granted.data
    assert me["team_id"] == NORTH


async def test_saying_no_sends_the_browser_back_without_a_code() -> None:
    async with playground() as opened:
        back = await allowed(opened, ACME, "cancel")
    assert back == {"error": ["access_denied"], "state": ["s1"]}


async def test_a_rotating_token_expires_and_its_refresh_token_is_good_once() -> None:
    async with playground() as opened:
        await opened.driver.rotation(seconds=0)
        first = await exchanged(opened, code=(await allowed(opened, NORTH))["code"][0], redirect_uri=BACK)
        client: Any = AsyncWebClient(token=first["access_token"], base_url=opened.api_url)
        with pytest.raises(SlackApiError, match="token_expired"):
            await client.auth_test()
        await opened.driver.rotation(seconds=600)
        refresh = {"grant_type": "refresh_token", "refresh_token": str(first["refresh_token"])}
        second = await exchanged(opened, **refresh)
        renewed: Any = AsyncWebClient(token=second["access_token"], base_url=opened.api_url)
        assert (await renewed.auth_test())["ok"]
        with pytest.raises(SlackApiError, match="invalid_refresh_token"):
            await exchanged(opened, **refresh)
    assert second["refresh_token"] != first["refresh_token"]
    assert 0 < second["expires_in"] <= 600


async def test_a_wrong_client_secret_is_refused() -> None:
    async with playground() as opened:
        client: Any = AsyncWebClient(base_url=opened.api_url)
        with pytest.raises(SlackApiError, match="bad_client_secret"):
            await client.oauth_v2_access(client_id=CLIENT_ID, client_secret="wrong", code="x")


async def test_removing_the_app_tells_it_and_kills_its_token() -> None:
    async with playground() as opened:
        app, heard = bolt_app(opened), asyncio.Queue[str]()

        async def note(body: Body) -> None:
            heard.put_nowait(body["event"]["type"])

        app.event("app_uninstalled")(note)
        app.event("tokens_revoked")(note)
        async with socket_mode(app, opened):
            await opened.driver.uninstall(ACME)
            told = {await asyncio.wait_for(heard.get(), 30) for _ in range(2)}
            with pytest.raises(SlackApiError, match="invalid_auth"):
                await app.client.chat_postMessage(channel="CGENERAL", text="x")
    assert told == {"app_uninstalled", "tokens_revoked"}
