"""An unmodified Bolt app in Socket Mode: what it hears and what it can do."""

import asyncio
from typing import Any

from bot.playground import BOT_USER
from tests.support.playground import bolt_app, playground, socket_mode

HELLO = f"<@{BOT_USER}> hello"
Body = dict[str, Any]


async def test_a_mention_is_answered_in_its_thread() -> None:
    async with playground() as opened:
        app = bolt_app(opened)

        async def greet(event: Body, say: Any) -> None:
            await say(text=f"hello <@{event['user']}>", thread_ts=event["ts"])

        app.event("app_mention")(greet)
        async with socket_mode(app, opened):
            ts = await opened.driver.say("maria", "#general", HELLO)
            reply = await opened.driver.wait_for_message("#general", lambda item: item.get("bot_id"), ts)
    assert reply["text"] == "hello <@UMARIA>"
    assert reply["thread_ts"] == ts


async def test_a_mention_arrives_as_two_events_with_one_ts() -> None:
    async with playground() as opened:
        app, heard = bolt_app(opened), list[Body]()

        async def note(body: Body) -> None:
            heard.append(body)

        app.event("app_mention")(note)
        app.event("message")(note)
        async with socket_mode(app, opened):
            ts = await opened.driver.say("maria", "#general", HELLO)

            async def both() -> bool:
                return len(heard) == 2

            await opened.driver.wait_until(both, "both events")
    assert {body["event"]["type"] for body in heard} == {"app_mention", "message"}
    assert {body["event"]["ts"] for body in heard} == {ts}
    assert len({body["event_id"] for body in heard}) == 2


async def test_a_pressed_button_opens_a_modal_whose_values_come_back() -> None:
    async with playground() as opened:
        app, submitted = bolt_app(opened), asyncio.Queue[Body]()

        async def pressed(ack: Any, body: Body, client: Any) -> None:
            await ack()
            await client.views_open(trigger_id=body["trigger_id"], view=MODAL)

        async def sent(ack: Any, body: Body, view: Body) -> None:
            value = view["state"]["values"]["name"]["entered"]["value"]
            if value == "no":
                await ack(response_action="errors", errors={"name": "Anything but no."})
                return
            await ack()
            submitted.put_nowait(body)

        app.action("open")(pressed)
        app.view("naming")(sent)
        async with socket_mode(app, opened):
            posted = await app.client.chat_postMessage(channel="CGENERAL", text="Name it", blocks=ASK)
            assert await opened.driver.press("maria", "#general", str(posted["ts"]), "Name it…") == {}

            async def modal() -> Body | None:
                return next(iter(await opened.driver.modals("maria")), None)

            view = await opened.driver.wait_until(modal, "the modal")
            refused = await opened.driver.submit_view("maria", view["id"], {"entered": "no"})
            accepted = await opened.driver.submit_view("maria", view["id"], {"entered": "Fido"})
            body = await asyncio.wait_for(submitted.get(), 30)
            left = await opened.driver.modals("maria")
    assert refused == {"errors": {"name": "Anything but no."}}
    assert accepted == {}
    assert left == []
    assert body["user"] == {"id": "UMARIA", "username": "maria", "name": "maria", "team_id": "TACME"}
    assert body["view"]["private_metadata"] == "kept"


async def test_a_press_is_answered_privately_through_the_response_url() -> None:
    async with playground() as opened:
        app = bolt_app(opened)

        async def pressed(ack: Any, respond: Any) -> None:
            await ack()
            await respond(text="Only Maria may decide.", response_type="ephemeral", replace_original=False)

        app.action("open")(pressed)
        async with socket_mode(app, opened):
            posted = await app.client.chat_postMessage(channel="CGENERAL", text="Name it", blocks=ASK)
            await opened.driver.press("ben", "#general", str(posted["ts"]), "open")
            told = await opened.driver.wait_for_message("#general", lambda item: item["visible_to"] == "UBEN")
    assert told["text"] == "Only Maria may decide."


async def test_files_come_in_and_go_out() -> None:
    async with playground() as opened:
        app, heard = bolt_app(opened), asyncio.Queue[Body]()

        async def shared(event: Body) -> None:
            if event.get("subtype") == "file_share" and not event.get("bot_id"):
                heard.put_nowait(event)

        app.event("message")(shared)
        async with socket_mode(app, opened):
            ts = await opened.driver.say("maria", "#general", "numbers", files=[("a.csv", b"a,b\n1,2\n")])
            event = await asyncio.wait_for(heard.get(), 30)
            await app.client.files_upload_v2(
                channel="CGENERAL",
                thread_ts=ts,
                initial_comment="Two files",
                file_uploads=[
                    {"filename": "one.txt", "content": "one", "title": "One"},
                    {"filename": "two.txt", "content": "two", "title": "Two"},
                ],
            )
            reply = await opened.driver.wait_for_message("#general", lambda item: item.get("bot_id"), ts)
            name, content = await opened.driver.file(reply["files"][1]["id"])
    assert event["files"][0]["name"] == "a.csv"
    assert event["files"][0]["url_private_download"].startswith(opened.url)
    assert [file["title"] for file in reply["files"]] == ["One", "Two"]
    assert (name, content) == ("two.txt", b"two")


async def test_a_stream_grows_and_ends_as_an_ordinary_message() -> None:
    async with playground() as opened:
        client = bolt_app(opened).client
        ts = await opened.driver.say("maria", "#general", HELLO)
        stream = await client.chat_stream(
            channel="CGENERAL", thread_ts=ts, recipient_team_id="TACME", recipient_user_id="UMARIA", buffer_size=1
        )
        await stream.append(markdown_text="**one** ")
        live = (await opened.driver.messages("#general", ts))[-1]
        await stream.append(chunks=[{"type": "task_update", "id": "1", "title": "Read", "status": "complete"}])
        await stream.stop(markdown_text="two", metadata={"event_type": "answer", "event_payload": {"key": "k1"}})
        done = (await opened.driver.messages("#general", ts))[-1]
    assert live["streaming_state"] == "in_progress"
    assert "streaming_state" not in done
    assert done["text"] == "**one** two"
    assert [block["type"] for block in done["blocks"]] == ["task_card", "markdown"]
    assert done["metadata"]["event_payload"] == {"key": "k1"}


async def test_opening_the_app_publishes_a_home_for_that_person() -> None:
    async with playground() as opened:
        app = bolt_app(opened)

        async def show(event: Body, client: Any) -> None:
            if event["tab"] == "home":
                await client.views_publish(user_id=event["user"], view=HOME)

        app.event("app_home_opened")(show)
        async with socket_mode(app, opened):
            await opened.driver.open_home("ada")

            async def home() -> Body | None:
                return await opened.driver.home("ada")

            view = await opened.driver.wait_until(home, "the App Home")
            others = await opened.driver.home("maria")
    assert view["blocks"][0]["text"]["text"] == "Yours"
    assert others is None


ASK: list[Body] = [
    {
        "type": "actions",
        "block_id": "ask",
        "elements": [
            {"type": "button", "action_id": "open", "text": {"type": "plain_text", "text": "Name it…"}, "value": "r1"}
        ],
    }
]
MODAL: Body = {
    "type": "modal",
    "callback_id": "naming",
    "private_metadata": "kept",
    "title": {"type": "plain_text", "text": "Name it"},
    "submit": {"type": "plain_text", "text": "Name"},
    "blocks": [
        {
            "type": "input",
            "block_id": "name",
            "label": {"type": "plain_text", "text": "Name"},
            "element": {"type": "plain_text_input", "action_id": "entered"},
        }
    ],
}
HOME: Body = {"type": "home", "blocks": [{"type": "header", "text": {"type": "plain_text", "text": "Yours"}}]}
