"""The surface under Slack's own rules: rate limits, shared files, names, session status, trouble at the start."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

import aiohttp
import pytest
from starlette.requests import Request
from starlette.responses import JSONResponse, RedirectResponse, Response
from starlette.routing import Route

from bot.entries import Query
from bot.heard import FileRef, Message, Person, Thread
from bot.outgoing import CardStep, Question, Record, Reply, StatusCard
from bot.playground import APP_TOKEN, BOT_TOKEN, Limits, Options, Playground, serve_playground
from bot.surface import Gone, Refused, Unavailable
from bot.surfaces.slack import SlackDoor, SlackSettings, SlackSurface
from bot.surfaces.slack.limits import Pace
from bot.surfaces.slack.live import LiveCards
from tests.support.servers import free_port
from tests.support.slack import MARIA, Heap, bench_on, slack_bench, words
from tests.support.waiting import until, until_true
from tests.support.web import serve

loop = pytest.mark.asyncio(loop_scope="module")


@loop
async def test_a_post_meets_cut_connections_and_errors_and_stands_once(shared: Playground, tmp_path: Path) -> None:
    async with bench_on(shared, tmp_path) as bench:
        thread = await bench.thread("hello")
        await bench.driver.fail("chat.postMessage", "cut", when="after")
        await bench.surface.post(thread, Reply("one"), "k1")
        await bench.driver.fail("chat.postMessage", "500", when="before")
        await bench.surface.post(thread, Reply("two"), "k2")
        await bench.driver.fail("chat.postMessage", "500", when="after")
        await bench.surface.post(thread, Reply("three"), "k3")
        assert [m.text for m in await bench.shown(thread)] == ["one", "two", "three"]


@loop
async def test_nothing_unfurls_and_a_post_carries_its_key(shared: Playground, tmp_path: Path) -> None:
    async with bench_on(shared, tmp_path) as bench:
        thread = await bench.thread("hello")
        await bench.surface.post(thread, Reply("see https://a.example", to=MARIA), "k1")
        (message,) = await bench.raw(thread)
        assert message["metadata"]["event_payload"]["key"] == "k1"
        assert message["blocks"][0]["block_id"].startswith("th:")
        assert message["text"].startswith("<@UMARIA> ")


@loop
async def test_an_answer_never_takes_the_place_of_a_record(shared: Playground, tmp_path: Path) -> None:
    async with bench_on(shared, tmp_path) as bench, bench_on(shared, tmp_path) as restarted:
        thread = await bench.thread("hello")
        asked = await bench.surface.post(thread, Question("q1", 1, MARIA, (Query("Year?"),)), "k1")
        plain: dict[str, Any] = {
            "channel": thread.channel,
            "ts": asked,
            "metadata": {"event_type": "other", "event_payload": {}},
        }
        await restarted.surface.update(thread, asked, Record("Year?", "Maria said 2026"))
        workspace = await bench.surface.workspaces.get("TACME")
        blocks = (await bench.raw(thread))[0]["blocks"]
        await bench.surface.calls.call(workspace, "chat.update", {**plain, "text": "Year", "blocks": blocks})
        await restarted.surface.post(thread, Reply("The answer."), "k2", look=True)
        texts = [m.text for m in await bench.shown(thread)]
        assert "Maria said 2026" in texts[0]
        assert texts[1] == "The answer."


@loop
async def test_a_post_where_the_bot_is_not_says_so(shared: Playground, tmp_path: Path) -> None:
    async with bench_on(shared, tmp_path) as bench:
        with pytest.raises(Gone, match="conversation is not there"):
            await bench.surface.post(Thread("slack", "TACME", "CNOWHERE", "1.1"), Reply("x"), "k1")


async def test_a_busy_workspace_gets_the_last_state(tmp_path: Path) -> None:
    async with slack_bench(tmp_path, Limits(rates=True)) as bench:
        thread = await bench.thread("hello")
        card = StatusCard("a chart", "working", (CardStep("Read", "doing"),))
        message = await bench.surface.post(thread, card, "card")
        await bench.driver.fail("chat.update", "429")
        for number in range(200):
            await bench.surface.update(thread, message, StatusCard("a chart", "working", headline=f"row {number}"))
        await bench.surface.update(thread, message, StatusCard("a chart", "done", headline="all rows"))
        (shown,) = await bench.shown(thread)
        assert "all rows" in shown.text


async def test_a_card_is_shown_once_in_three_seconds() -> None:
    now, shown = [0.0], list[tuple[float, str]]()
    gate = asyncio.Event()

    async def sleep(seconds: float) -> None:
        await gate.wait()
        now[0] += seconds
        await asyncio.sleep(0)

    async def send(card: StatusCard) -> None:
        shown.append((now[0], card.headline))
        if card.headline == "2" and len(shown) == 2:
            raise Unavailable("Too often.", 7.0)

    cards = LiveCards(lambda: now[0], sleep)
    for number in range(3):
        await cards.show("m", StatusCard("goal", "working", headline=str(number)), send)
        await asyncio.sleep(0)
    gate.set()
    await until(lambda: len(shown) == 3)
    assert shown == [(0.0, "0"), (3.0, "2"), (10.0, "2")]
    await cards.show("m", StatusCard("goal", "working", headline="2"), send)
    await cards.show("m", StatusCard("goal", "done", headline="end"), send)
    assert shown[3:] == [(10.0, "end")]
    await cards.close()


async def test_calls_keep_below_slacks_tiers() -> None:
    now = [0.0]

    async def sleep(seconds: float) -> None:
        now[0] += seconds

    pace = Pace(lambda: now[0], sleep)
    moments: list[float] = []
    for _ in range(45):
        await pace.turn("T1", "chat.startStream")
        moments.append(now[0])
    assert all(later - earlier >= 60 for earlier, later in zip(moments, moments[20:], strict=False))
    assert pace.delay("T2", "chat.startStream") == 0
    pace.close("T2", "chat.startStream", 30)
    assert pace.delay("T2", "chat.startStream") == 30
    assert pace.delay("T2", "auth.test") == 0


@loop
async def test_older_workspaces_get_older_blocks(shared: Playground, tmp_path: Path) -> None:
    """A Slack that knows no plan blocks: everything is passed on to the playground but those."""
    async with bench_on(shared, tmp_path) as bench, aiohttp.ClientSession() as session:

        async def forward(request: Request) -> Response:
            body = await request.body()
            method = request.path_params["method"]
            if b'"plan"' in body or b'"markdown"' in body:
                return JSONResponse({"ok": False, "error": "invalid_blocks"})
            if method == "agents.sessions.setStatus":
                return JSONResponse({"ok": False, "error": "unknown_method"})
            headers = {k: v for k, v in request.headers.items() if k in ("authorization", "content-type")}
            url = f"{bench.playground.api_url}{method}?{request.url.query}"
            async with session.request(request.method, url, data=body, headers=headers) as answer:
                return Response(await answer.read(), answer.status, media_type="application/json")

        async with serve([Route("/old/{method}", forward, methods=["GET", "POST"])]) as url:
            old = SlackSurface(SlackSettings(bot_token=BOT_TOKEN, api_url=f"{url}/old"), tmp_path.joinpath)
            thread = await bench.thread("hello")
            card = StatusCard("a chart", "working", (CardStep("Read", "done"), CardStep("Draw", "doing")))
            message = await old.post(thread, card, "card")
            await old.update(thread, message, StatusCard("a chart", "done", (CardStep("Draw", "done"),)))
            await old.post(thread, Reply("**An** answer", feedback=True), "k1")
            await old.whisper(thread, MARIA, "psst")
            await old.mark(thread, "working")
            await old.mark(thread, "done", thread.root)
            texts = [m.text for m in await bench.shown(thread)]
            assert "Done: a chart" in texts[0]
            assert "✓ Draw" in texts[0]
            assert "**An** answer" in texts[1]
            assert len(await bench.whispers(thread)) == 1
            await old.close()


@loop
async def test_status_and_reactions_follow_the_work(shared: Playground, tmp_path: Path) -> None:
    async with bench_on(shared, tmp_path) as bench:
        thread = await bench.thread("hello")

        async def look() -> tuple[str, list[str]]:
            session = await bench.driver.session(thread.channel, thread.root)
            (root,) = await bench.driver.messages(thread.channel, thread.root)
            return str((session or {}).get("status", "")), [r["name"] for r in root.get("reactions", [])]

        await bench.surface.mark(thread, "seen", thread.root)
        await bench.surface.mark(thread, "working", title="A chart for <!here>")
        assert await look() == ("processing", ["eyes"])
        await bench.surface.mark(thread, "waiting")
        assert await look() == ("suspended", ["eyes"])
        await bench.surface.mark(thread, "done", thread.root)
        assert await look() == ("active", ["white_check_mark"])
        await bench.driver.fail("*", "500", count=8)
        await bench.surface.mark(thread, "failed")
        await bench.driver.chaos(calm=True)


async def test_a_download_never_takes_the_token_elsewhere(tmp_path: Path) -> None:
    seen: list[str] = []

    async def grab(request: Request) -> Response:
        seen.append(request.headers.get("authorization", ""))
        return Response(b"stolen")

    async with serve([Route("/{path:path}", grab)]) as elsewhere, slack_bench(tmp_path) as bench:
        thread = await bench.thread("hello")
        for url in (
            f"{elsewhere}/x",
            "https://slack.com.evil.example/x",
            "https://files.slack.com@127.0.0.1/x",
            "ftp://x",
        ):
            with pytest.raises(Refused, match="not stored at Slack"):
                await read(bench.surface, thread, FileRef("F1", "a.csv", "text/csv", 6, url))
        assert seen == []


async def read(surface: SlackSurface, thread: Thread, file: FileRef) -> bytes:
    return b"".join([chunk async for chunk in surface.download(thread, file, 1_000_000)])


async def test_a_redirect_off_slack_and_a_sign_in_page_are_refused(tmp_path: Path) -> None:
    async def away(_: Request) -> Response:
        return RedirectResponse("http://elsewhere.example/x")

    async def page(_: Request) -> Response:
        return Response("<!DOCTYPE html><html>Sign in</html>", media_type="text/html")

    async def near(_: Request) -> Response:
        return RedirectResponse("/file")

    async def file(_: Request) -> Response:
        return Response(b"a,b\n1,2\n", media_type="text/csv")

    async def who(_: Request) -> Response:
        return JSONResponse({"ok": True, "team_id": "TACME", "user_id": "UB", "bot_id": "BB"})

    routes = [Route(f"/{f.__name__}", f) for f in (away, page, near, file)]
    async with serve([*routes, Route("/api/auth.test", who, methods=["POST"])]) as url:
        surface = SlackSurface(SlackSettings(bot_token=BOT_TOKEN, api_url=f"{url}/api/"), tmp_path.joinpath)
        thread = Thread("slack", "TACME", "C1", "1.1")
        for name in ("away", "page"):
            with pytest.raises(Refused):
                await read(surface, thread, FileRef("F1", "a.csv", "text/csv", 8, f"{url}/{name}"))
        assert await read(surface, thread, FileRef("F1", "a.csv", "text/csv", 8, f"{url}/near")) == b"a,b\n1,2\n"
        with pytest.raises(Unavailable, match="instead of 9"):
            await read(surface, thread, FileRef("F1", "a.csv", "text/csv", 9, f"{url}/file"))
        with pytest.raises(Gone):
            await read(surface, thread, FileRef("F1", "a.csv", "text/csv", 9, f"{url}/nothing"))
        await surface.close()


@loop
async def test_a_file_without_an_address_is_asked_for(shared: Playground, tmp_path: Path) -> None:
    async with bench_on(shared, tmp_path) as bench:
        thread = await bench.thread("hello")
        _, file = await bench.say(thread, "look", ("notes.txt", b"some notes"))
        assert file is not None
        asked = FileRef(file.id, file.name, "", 0, "")
        assert await read(bench.surface, thread, asked) == b"some notes"


@loop
async def test_a_page_somebody_uploaded_is_not_taken_for_a_sign_in_page(shared: Playground, tmp_path: Path) -> None:
    async with bench_on(shared, tmp_path) as bench:
        thread = await bench.thread("hello")
        _, file = await bench.say(thread, "look", ("page.html", b"<!DOCTYPE html><p>mine"))
        assert file is not None
        assert await read(bench.surface, thread, file) == b"<!DOCTYPE html><p>mine"


@loop
async def test_empty_files_are_left_out_and_odd_names_made_plain(shared: Playground, tmp_path: Path) -> None:
    async with bench_on(shared, tmp_path) as bench:
        thread = await bench.thread("hello")
        files = (bench.deliverable("empty.txt", b""), bench.deliverable("../a\u202e/b\n.csv", b"1"))
        await bench.surface.post(thread, Reply("Here.", files), "k1")
        names = [name for message in await bench.shown(thread) for name in message.files]
        assert names == [".._a_b .csv"]


@loop
async def test_history_reads_cards_and_people(shared: Playground, tmp_path: Path) -> None:
    async with bench_on(shared, tmp_path) as bench:
        thread = await bench.thread("<@UBEN> look at <https://a.example|this>")
        await bench.surface.post(thread, StatusCard("a chart", "working", (CardStep("Read it", "done"),)), "card")
        lines = await bench.surface.history(thread)
        assert lines[0].text == "@ben look at this (https://a.example)"
        assert "Read it" in lines[1].text
        assert lines[1].author == Person("TACME/UTHREADHAND", "Threadhand", "bot")


async def test_the_door_opens_once_slack_can_be_reached(tmp_path: Path) -> None:
    port = free_port()
    settings = SlackSettings(bot_token=BOT_TOKEN, app_token=APP_TOKEN, api_url=f"http://127.0.0.1:{port}/api")
    surface, heap = SlackSurface(settings, tmp_path.joinpath), Heap()
    door = SlackDoor(surface, heap)
    door.start()
    await asyncio.sleep(0)
    async with serve_playground(Options(port=port, limits=Limits(rates=False))) as opened:
        await opened.driver.wait_for_app()
        await opened.driver.say("maria", "dm", "there you are")
        await until(lambda: [m.text for m in heap.of(Message)] == ["there you are"])
        await door.close()
        await surface.close()


async def test_nothing_is_read_from_the_environment(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("SLACK_BOT_TOKEN", "SLACK_CLIENT_ID", "SLACK_CLIENT_SECRET", "SLACK_SIGNING_SECRET"):
        monkeypatch.setenv(name, "xoxb-from-the-environment-not-real")
    monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:1")
    monkeypatch.setenv("HTTPS_PROXY", "http://127.0.0.1:1")
    async with slack_bench(tmp_path) as bench:
        door = SlackDoor(bench.surface, Heap())
        assert door.routes() == []
        assert door.app.oauth_flow is not None
        assert door.app.oauth_flow.client_id == "none"
        thread = await bench.thread("hello")
        await bench.surface.post(thread, Reply("one"), "k1")

        async def posted() -> bool:
            return [words(m) for m in await bench.raw(thread)] == ["one"]

        await until_true(posted)
