"""Web search, against local servers that speak each provider's API."""

from __future__ import annotations

import socket
from collections.abc import AsyncIterator, Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import aiohttp
import pytest
from aiohttp import web

from bot.tools.search import PROVIDERS, Access, Hit, Search, SearchError, searcher

KEY = "search-key-not-real"
FOUND = [
    (
        "The <strong>Louvre</strong> &amp; more",
        "https://louvre.test/hours",
        "Open <b>9 to 6</b>.\n Closed on Tuesdays.",
    ),
    ("A trap", "javascript:alert(1)", "x"),
    ("", "https://other.test/", None),
    ("Again", "https://louvre.test/hours", "the same page"),
]


@dataclass(slots=True)
class Engine:
    """A server that knows the paths, keys and fields of all four, and what it was asked."""

    status: int = 200
    error: str = ""
    asked: list[Mapping[str, Any]] = field(default_factory=list[Mapping[str, Any]])
    url: str = ""

    async def brave(self, request: web.Request) -> web.Response:
        if request.headers.get("X-Subscription-Token") != KEY:
            return web.json_response({"error": {"code": "SUBSCRIPTION_TOKEN_INVALID"}}, status=422)
        return self._answer(request.query, ("title", "url", "description"), "web", "results")

    async def search(self, request: web.Request) -> web.Response:
        if request.method == "GET":
            if request.query.get("format") != "json":
                return web.Response(text="<html>", content_type="text/html")
            return self._answer(request.query, ("title", "url", "content"), "results")
        body = await request.json()
        if request.headers.get("X-API-KEY") == KEY:
            return self._answer(body, ("title", "link", "snippet"), "organic")
        if request.headers.get("Authorization") == f"Bearer {KEY}":
            return self._answer(body, ("title", "url", "content"), "results")
        return web.json_response({"message": "Unauthorized."}, status=403)

    def _answer(self, asked: Mapping[str, Any], names: tuple[str, ...], *path: str) -> web.Response:
        self.asked.append(asked)
        if self.status != 200:
            return web.Response(status=self.status, text=self.error, headers={"Location": "https://elsewhere.test/"})
        if self.error:
            return web.Response(text=self.error)
        answer: Any = [dict(zip(names, found, strict=True)) for found in FOUND]
        for name in reversed(path):
            answer = {name: answer}
        return web.json_response(answer)


@pytest.fixture
async def engine() -> AsyncIterator[Engine]:
    engine = Engine()
    app = web.Application()
    app.router.add_get("/res/v1/web/search", engine.brave)
    app.router.add_route("*", "/search", engine.search)
    runner = web.AppRunner(app, access_log=None)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    engine.url = f"http://127.0.0.1:{runner.addresses[0][1]}"
    yield engine
    await runner.cleanup()


@pytest.fixture
async def make(engine: Engine) -> AsyncIterator[Callable[..., Search]]:
    async with aiohttp.ClientSession() as session:

        def made(name: str, key: str = KEY, url: str | None = None) -> Search:
            return searcher(session, Access(name, key, engine.url if url is None else url))

        yield made


@pytest.mark.parametrize("name", PROVIDERS)
async def test_every_provider_gives_the_same_clean_hits(name: str, make: Callable[..., Search], engine: Engine) -> None:
    hits = await make(name)("louvre opening hours")
    assert list(hits) == [
        Hit("The Louvre & more", "https://louvre.test/hours", "Open 9 to 6. Closed on Tuesdays."),
        Hit("https://other.test/", "https://other.test/", ""),
    ]
    assert engine.asked[0].get("q", engine.asked[0].get("query")) == "louvre opening hours"


@pytest.mark.parametrize("name", ["brave", "tavily", "serper"])
async def test_a_wrong_key_is_told_without_showing_it(name: str, make: Callable[..., Search]) -> None:
    with pytest.raises(SearchError, match="does not accept the key") as told:
        await make(name, "wrong-key-not-real")("x")
    assert "wrong-key" not in str(told.value)


@pytest.mark.parametrize("name", ["brave", "tavily", "serper"])
async def test_a_missing_key_is_told_at_once(name: str, make: Callable[..., Search]) -> None:
    with pytest.raises(SearchError, match="THREADHAND_SEARCH_KEY"):
        make(name, "")


async def test_searxng_without_an_address_and_unknown_names_are_told(make: Callable[..., Search]) -> None:
    with pytest.raises(SearchError, match="THREADHAND_SEARCH_URL"):
        make("searxng", "", "")
    with pytest.raises(SearchError, match="brave, tavily, serper, searxng"):
        make("off")


@pytest.mark.parametrize(
    ("name", "answer", "words"),
    [
        ("tavily", (432, "This request exceeds your plan's set usage limit."), "used up its searches"),
        ("serper", (400, '{"message":"Not enough credits"}'), "used up its searches"),
        ("brave", (402, ""), "used up its searches"),
        ("brave", (429, ""), "too many searches at once"),
        ("searxng", (403, ""), "Add json to search.formats"),
        ("searxng", (502, ""), "broken or overloaded"),
        ("brave", (302, ""), "did not take the search"),
        ("searxng", (200, "<html>"), "isn't JSON"),
    ],
)
async def test_what_went_wrong_is_said(
    name: str, answer: tuple[int, str], words: str, make: Callable[..., Search], engine: Engine
) -> None:
    engine.status, engine.error = answer
    with pytest.raises(SearchError, match=words) as told:
        await make(name)("x")
    assert KEY not in str(told.value)


@pytest.mark.parametrize("odd", ["[]", "{}", "null", '{"results": {"a": 1}}', '{"results": [null, 3, {}]}'])
async def test_an_odd_answer_is_no_hits(odd: str, make: Callable[..., Search], engine: Engine) -> None:
    engine.error = odd
    assert list(await make("searxng")("x")) == []


async def test_a_server_that_is_not_there_is_told(make: Callable[..., Search]) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        with pytest.raises(SearchError, match="cannot be reached"):
            await make("searxng", "", f"http://127.0.0.1:{taken.getsockname()[1]}")("x")


def test_the_key_is_in_no_repr() -> None:
    access = Access("brave", KEY)
    assert KEY not in repr(access)
    assert KEY not in repr(PROVIDERS["brave"].ask("https://x.test", KEY, "w"))
