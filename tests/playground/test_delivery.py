"""How events reach the app: over HTTP too, signed; again when nobody acknowledged; from outsiders; after trouble."""

import asyncio
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from typing import Any, cast

import aiohttp
import pytest
from aiohttp import web
from slack_bolt.adapter.starlette.async_handler import AsyncSlackRequestHandler
from slack_sdk.errors import SlackApiError
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from bot.playground import BOT_USER, Limits, Playground, SlackError
from tests.support.playground import bolt_app, playground, playground_process, serving, socket_mode

Body = dict[str, Any]


def collector(app: Any, *kinds: str) -> "asyncio.Queue[Body]":
    """Everything the app hears of these events."""
    heard: asyncio.Queue[Body] = asyncio.Queue()

    async def note(body: Body) -> None:
        heard.put_nowait(body)

    for kind in kinds:
        app.event(kind)(note)
    return heard


async def heard_next(heard: "asyncio.Queue[Body]") -> Body:
    return await asyncio.wait_for(heard.get(), 30)


@asynccontextmanager
async def http_mode(app: Any, opened: Playground) -> AsyncGenerator[None]:
    """The app behind an address of its own, told to the playground."""
    handler = AsyncSlackRequestHandler(app)

    async def events(request: Request) -> Response:
        return await handler.handle(request)

    async with serving(Starlette(routes=[Route("/slack/events", events, methods=["POST"])])) as address:
        await opened.driver.deliver_to(f"{address}/slack/events")
        yield


async def test_bolt_over_http_accepts_the_signature_and_answers_presses() -> None:
    async with playground() as opened:
        app = bolt_app(opened)
        heard, pressed = collector(app, "app_mention", "message"), asyncio.Queue[Body]()

        async def press(ack: Any, body: Body) -> None:
            await ack()
            pressed.put_nowait(body)

        app.action("go")(press)
        async with http_mode(app, opened):
            ts = await opened.driver.say("maria", "#general", f"<@{BOT_USER}> hello")
            events = [await heard_next(heard) for _ in range(2)]
            posted = await app.client.chat_postMessage(
                channel="CGENERAL",
                thread_ts=ts,
                text="ok?",
                blocks=[{"type": "actions", "block_id": "v1", "elements": [GO]}],
            )
            await opened.driver.press("maria", "#general", posted["ts"], "Go")
            body = await asyncio.wait_for(pressed.get(), 30)
    assert {event["event"]["type"] for event in events} == {"app_mention", "message"}
    assert body["actions"][0]["value"] == "r1"
    assert body["container"]["thread_ts"] == ts
    assert body["actions"][0]["block_id"] == "v1"


async def test_an_event_nobody_acknowledged_comes_again_marked_as_a_retry() -> None:
    attempts: asyncio.Queue[str] = asyncio.Queue()

    async def answer(request: web.Request) -> web.Response:
        body = await request.json()
        if body["type"] == "url_verification":
            return web.Response(text=body["challenge"])
        attempts.put_nowait(request.headers.get("X-Slack-Retry-Num", "0"))
        return web.Response(status=200 if attempts.qsize() == 3 else 503)

    server = web.Application()
    server.router.add_post("/events", answer)
    async with playground(Limits(rates=False, retry_seconds=(0.0, 0.0, 0.0))) as opened:
        runner = web.AppRunner(server)
        await runner.setup()
        site = web.TCPSite(runner, "127.0.0.1", 0)
        await site.start()
        try:
            port = runner.addresses[0][1]
            await opened.driver.deliver_to(f"http://127.0.0.1:{port}/events")
            await opened.driver.say("maria", "#sales", "hello")

            async def delivered() -> bool:
                return (await opened.driver.status())["delivered"] == 1

            await opened.driver.wait_until(delivered, "the third attempt")
        finally:
            await runner.cleanup()
    assert [attempts.get_nowait() for _ in range(3)] == ["0", "1", "2"]


async def test_an_address_that_does_not_answer_the_challenge_is_refused() -> None:
    async with playground() as opened:
        with pytest.raises(SlackError, match="url_verification_failed"):
            await opened.driver.deliver_to(f"{opened.url}/notices")


async def test_what_is_said_while_the_app_is_away_reaches_it_when_it_comes() -> None:
    async with playground() as opened:
        app = bolt_app(opened)
        heard = collector(app, "message")
        await opened.driver.say("maria", "#sales", "are you there?")
        async with socket_mode(app, opened):
            assert (await heard_next(heard))["event"]["text"] == "are you there?"
            await opened.driver.drop_sockets()
            await opened.driver.say("maria", "#sales", "still?")
            assert (await heard_next(heard))["event"]["text"] == "still?"
            await opened.driver.refresh_sockets()
            await opened.driver.say("maria", "#sales", "and now?")
            assert (await heard_next(heard))["event"]["text"] == "and now?"


async def test_an_outsider_is_marked_in_the_event() -> None:
    async with playground() as opened:
        app = bolt_app(opened)
        heard = collector(app, "message")
        async with socket_mode(app, opened):
            await opened.driver.say("olga", "#acme-shared", "hello")
            body = await heard_next(heard)
            with pytest.raises(SlackError, match="not_in_channel"):
                await opened.driver.say("olga", "#general", "hello")
    assert body["is_ext_shared_channel"] is True
    assert body["event"]["user_team"] == "TPARTNER"
    assert body["authorizations"][0]["team_id"] == "TACME"


async def test_edits_and_deletes_are_told_and_a_deleted_root_leaves_a_tombstone() -> None:
    async with playground() as opened:
        app = bolt_app(opened)
        heard = collector(app, "message")
        async with socket_mode(app, opened):
            ts = await opened.driver.say("maria", "#sales", "Q2")
            await opened.driver.edit("maria", "#sales", ts, "Q3")
            reply = await opened.driver.say("ben", "#sales", "which?", ts)
            await opened.driver.delete("maria", "#sales", ts)
            await opened.driver.delete("ben", "#sales", reply)
            events = [(await heard_next(heard))["event"] for _ in range(5)]
    by_kind = {(event.get("subtype"), event.get("message", {}).get("subtype")): event for event in events}
    changed = by_kind[("message_changed", None)]
    assert (changed["previous_message"]["text"], changed["message"]["text"]) == ("Q2", "Q3")
    assert changed["message"]["edited"]["user"] == "UMARIA"
    assert by_kind[("message_changed", "tombstone")]["message"]["ts"] == ts
    assert by_kind[("message_deleted", None)]["deleted_ts"] == reply


async def test_pressing_stop_tells_the_app_which_streams_to_end() -> None:
    async with playground() as opened:
        app = bolt_app(opened)
        heard = collector(app, "agent_session_stopped")
        async with socket_mode(app, opened):
            ts = await opened.driver.say("maria", "#general", "hello")
            with pytest.raises(SlackError, match="session_not_processing"):
                await opened.driver.stop_session("maria", "#general", ts)
            await app.client.agents_sessions_setStatus(channel_id="CGENERAL", thread_ts=ts, status="processing")
            live = await app.client.chat_startStream(
                channel="CGENERAL", thread_ts=ts, recipient_team_id="TACME", recipient_user_id="UMARIA"
            )
            await opened.driver.stop_session("maria", "#general", ts)
            event = (await heard_next(heard))["event"]
    assert event["user"] == "UMARIA"
    assert event["thread_ts"] == ts
    assert event["streaming_message_ts"] == [live["ts"]]


async def test_a_thread_stops_claiming_to_work_when_nobody_renews_it() -> None:
    async with playground(Limits(rates=False, processing_seconds=0.05)) as opened:
        ts = await opened.driver.say("maria", "#general", "hello")
        await bolt_app(opened).client.agents_sessions_setStatus(
            channel_id="CGENERAL", thread_ts=ts, status="processing"
        )

        async def lapsed() -> bool:
            session = await opened.driver.session("CGENERAL", ts)
            return session is not None and session["status"] == "active"

        await opened.driver.wait_until(lapsed, "the session to lapse")


async def test_duplicates_and_delays_lose_nothing() -> None:
    async with playground() as opened:
        app = bolt_app(opened)
        heard = collector(app, "message")
        await opened.driver.chaos(duplicates=1.0, delays=1.0, longest_delay=0.05, seed=3)
        async with socket_mode(app, opened):
            said = {await opened.driver.say("maria", "#sales", str(number)) for number in range(5)}
            bodies = [await heard_next(heard) for _ in range(10)]
    assert {body["event"]["ts"] for body in bodies} == said
    assert len({body["event_id"] for body in bodies}) == 5


@pytest.mark.parametrize(("kind", "when", "posted"), [("429", "before", 0), ("500", "before", 0), ("500", "after", 1)])
async def test_a_call_can_be_made_to_fail_before_or_after_it_took_effect(kind: str, when: str, posted: int) -> None:
    async with playground() as opened:
        client = bolt_app(opened).client
        await opened.driver.fail("chat.postMessage", kind, when=when)
        with pytest.raises(SlackApiError) as caught:
            await client.chat_postMessage(channel="CSALES", text="x")
        assert cast(Any, caught.value).response.status_code == int(kind)
        assert len(await opened.driver.messages("#sales")) == posted
        assert (await client.chat_postMessage(channel="CSALES", text="x"))["ok"]


async def test_a_connection_cut_after_the_post_leaves_the_post() -> None:
    async with playground() as opened, aiohttp.ClientSession() as session:
        await opened.driver.fail("chat.postMessage", "cut", when="after")
        headers = {"Authorization": f"Bearer {opened.bot_token}"}
        with pytest.raises(aiohttp.ClientConnectionError):
            await session.post(
                f"{opened.api_url}chat.postMessage", json={"channel": "CSALES", "text": "x"}, headers=headers
            )
        assert len(await opened.driver.messages("#sales")) == 1


async def test_a_playground_in_a_process_of_its_own_is_driven_over_its_control_address() -> None:
    async with playground_process("--no-rates") as (addresses, driver):
        ts = await driver.say("maria", "#general", "hello", files=[("a.txt", b"hi")])
        found = await driver.messages("#general", ts)
        name, content = await driver.file(found[0]["files"][0]["id"])
        with pytest.raises(SlackError, match="channel_not_found"):
            await driver.say("maria", "#nowhere", "hello")
    assert addresses["api_url"] == f"{addresses['url']}/api/"
    assert (found[0]["text"], name, content) == ("hello", "a.txt", b"hi")


async def test_without_the_switch_there_is_no_control_address() -> None:
    async with (
        playground() as opened,
        aiohttp.ClientSession() as session,
        session.post(f"{opened.url}/_control/say", json={}) as answer,
    ):
        assert answer.status == 404


GO: Body = {"type": "button", "action_id": "go", "value": "r1", "text": {"type": "plain_text", "text": "Go"}}
