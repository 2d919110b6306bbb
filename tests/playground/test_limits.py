"""What the real service refuses, the playground refuses too, in the same words."""

from typing import Any, cast

import aiohttp
import pytest
from slack_sdk.errors import SlackApiError

from bot.playground import Limits, Playground, SlackError
from bot.playground.blocks import check_blocks
from tests.support.playground import bolt_app, playground

Block = dict[str, Any]


def text(words: str, kind: str = "plain_text") -> Block:
    return {"type": kind, "text": words}


def button(**fields: Any) -> Block:
    return {"type": "button", "action_id": "go", "text": text("Go")} | fields


def actions(*elements: Block, **fields: Any) -> Block:
    return {"type": "actions", "elements": list(elements)} | fields


def leaf(words: str) -> Block:
    section: Block = {"type": "rich_text_section", "elements": [{"type": "text", "text": words}]}
    return {"type": "rich_text", "elements": [section]}


GOOD: list[Block] = [
    {"type": "section", "text": text("x" * 3000, "mrkdwn"), "accessory": button(value="v" * 2000)},
    {"type": "header", "text": text("h" * 150)},
    {"type": "divider"},
    {"type": "context", "elements": [text("small", "mrkdwn")]},
    actions(*[button(action_id=f"a{index}", text=text("t" * 75)) for index in range(25)]),
    {"type": "markdown", "text": "m" * 12_000},
    leaf("rich"),
    {"type": "image", "image_url": "https://example.com/a.png", "alt_text": "a"},
    {
        "type": "plan",
        "title": "Plan",
        "tasks": [{"type": "task_card", "task_id": "1", "title": "T", "status": "complete", "output": leaf("done")}],
    },
    {"type": "task_card", "task_id": "2", "title": "T", "status": "error", "sources": []},
    {"type": "alert", "text": text("careful"), "level": "warning"},
    {"type": "card", "title": text("Card"), "body": text("b" * 200), "actions": [button(action_id="c")]},
    {"type": "container", "title": text("More"), "is_collapsible": True, "child_blocks": [{"type": "divider"}]},
    {
        "type": "context_actions",
        "elements": [
            {
                "type": "feedback_buttons",
                "action_id": "f",
                "positive_button": {"text": text("Good"), "value": "up"},
                "negative_button": {"text": text("Bad"), "value": "down"},
            }
        ],
    },
    {
        "type": "input",
        "label": text("Name"),
        "element": {"type": "plain_text_input", "action_id": "i", "multiline": True},
    },
]

BAD: dict[str, list[Block]] = {
    "/blocks/0/text/text": [{"type": "section", "text": text("x" * 3001)}],
    "/blocks/1/text/text": [{"type": "divider"}, {"type": "header", "text": text("h" * 151)}],
    "/blocks/0/text": [{"type": "markdown", "text": "m" * 12_001}],
    "/blocks/0/elements": [actions(*[button(action_id=f"a{index}") for index in range(26)])],
    "/blocks/0/elements/0/text/text": [actions(button(text=text("t" * 76)))],
    "/blocks/0/elements/0/value": [actions(button(value="v" * 2001))],
    "/blocks/0/elements/0/action_id": [actions(button(action_id="a" * 256))],
    "/blocks/0/elements/1/action_id": [actions(button(), button())],
    "/blocks/0/block_id": [{"type": "divider", "block_id": "b" * 256}],
    "/blocks/1/block_id": [{"type": "divider", "block_id": "same"}, {"type": "divider", "block_id": "same"}],
    "/blocks/0/type": [{"type": "hologram"}],
    "/blocks": [{"type": "divider"}] * 51,
    "/blocks/0/details/type": [
        {"type": "task_card", "task_id": "1", "title": "T", "status": "complete", "details": {"type": "section"}}
    ],
    "/blocks/0/tasks/0/status": [
        {"type": "plan", "title": "P", "tasks": [{"type": "task_card", "task_id": "1", "title": "T", "status": "so"}]}
    ],
    "/blocks/0/text/type": [{"type": "header", "text": text("h", "mrkdwn")}],
    "/blocks/0/child_blocks/0/type": [
        {"type": "container", "title": text("c"), "child_blocks": [{"type": "container", "title": text("d")}]}
    ],
}


async def refused(opened: Playground, method: str, **args: Any) -> Any:
    """The response to a call that is refused: status_code, headers, data."""
    with pytest.raises(SlackApiError) as caught:
        await bolt_app(opened).client.api_call(method, json=args)
    return cast(Any, caught.value).response


async def refusal(opened: Playground, method: str, **args: Any) -> Block:
    """The whole answer to a call that is refused."""
    return (await refused(opened, method, **args)).data


async def test_every_block_we_use_is_taken_up_to_its_limit() -> None:
    async with playground() as opened:
        client = bolt_app(opened).client
        posted = await client.chat_postMessage(channel="CGENERAL", text="all", blocks=GOOD)
        assert len(posted["message"]["blocks"]) == len(GOOD)
        assert all(block["block_id"] for block in posted["message"]["blocks"])


@pytest.mark.parametrize("pointer", BAD)
def test_a_block_over_its_limit_is_refused_with_a_pointer_to_the_fault(pointer: str) -> None:
    with pytest.raises(SlackError, match="invalid_blocks") as caught:
        check_blocks(BAD[pointer])
    messages: list[str] = caught.value.extra["response_metadata"]["messages"]
    assert any(message.endswith(f"[json-pointer:{pointer}]") for message in messages)


async def test_more_than_fifty_tasks_are_dropped_without_a_word() -> None:
    task: Block = {"type": "task_card", "task_id": "1", "title": "T", "status": "pending"}
    async with playground() as opened:
        client = bolt_app(opened).client
        plan: Block = {"type": "plan", "title": "P", "tasks": [task] * 60}
        posted = await client.chat_postMessage(channel="CGENERAL", text="x", blocks=[plan])
    assert len(posted["message"]["blocks"][0]["tasks"]) == 50


REFUSED: list[tuple[str, str, Block]] = [
    ("no_text", "chat.postMessage", {"channel": "CGENERAL"}),
    ("invalid_blocks", "chat.postMessage", {"channel": "CGENERAL", "text": "x", "blocks": [{"type": "hologram"}]}),
    ("msg_too_long", "chat.postMessage", {"channel": "CGENERAL", "text": "x" * 40_001}),
    ("invalid_blocks_format", "chat.postMessage", {"channel": "CGENERAL", "text": "x", "blocks": "{"}),
    ("channel_not_found", "chat.postMessage", {"channel": "CNOWHERE", "text": "x"}),
    ("channel_not_found", "chat.postMessage", {"channel": "CNORTH", "text": "x"}),
    ("thread_not_found", "chat.postMessage", {"channel": "CGENERAL", "text": "x", "thread_ts": "1.000001"}),
    ("invalid_metadata_schema", "chat.postMessage", {"channel": "CGENERAL", "text": "x", "metadata": {"a": 1}}),
    ("user_not_in_channel", "chat.postEphemeral", {"channel": "CSALES", "text": "x", "user": "UGUS"}),
    ("message_not_found", "chat.update", {"channel": "CGENERAL", "text": "x", "ts": "1.000001"}),
    ("invalid_arguments", "agents.sessions.setStatus", {"channel_id": "CGENERAL", "status": "thinking hard"}),
    ("thread_not_found", "conversations.replies", {"channel": "CGENERAL", "ts": "1.000001"}),
    (
        "invalid_trigger_id",
        "views.open",
        {"trigger_id": "1.x", "view": {"type": "modal", "title": text("T"), "blocks": []}},
    ),
    ("user_not_found", "users.info", {"user": "UNORA"}),
    ("unknown_method", "chat.shout", {}),
]


async def test_a_wrong_call_is_refused_in_the_real_words() -> None:
    async with playground() as opened:
        told = [(await refusal(opened, method, **args))["error"] for _, method, args in REFUSED]
    assert told == [error for error, _, _ in REFUSED]


async def test_someone_elses_message_can_be_neither_changed_nor_deleted() -> None:
    async with playground() as opened:
        ts = await opened.driver.say("maria", "#general", "mine")
        changed = await refusal(opened, "chat.update", channel="CGENERAL", ts=ts, text="x")
        deleted = await refusal(opened, "chat.delete", channel="CGENERAL", ts=ts)
    assert changed["error"] == "cant_update_message"
    assert deleted["error"] == "cant_delete_message"


@pytest.mark.parametrize(
    ("token", "error"),
    [("", "not_authed"), ("xoxb-wrong", "invalid_auth"), ("xapp-playground", "not_allowed_token_type")],
)
async def test_a_wrong_token_is_refused(token: str, error: str) -> None:
    async with playground() as opened, aiohttp.ClientSession() as session:
        headers = {"Authorization": f"Bearer {token}"} if token else {}
        async with session.post(f"{opened.api_url}auth.test", headers=headers) as answer:
            told = await answer.json()
            assert answer.status == 200
    assert told == {"ok": False, "error": error}


async def test_calls_beyond_the_tier_get_429_and_are_told_when_to_come_back() -> None:
    async with playground(Limits(scale=0.06)) as opened:
        client = bolt_app(opened).client
        ts = await opened.driver.say("maria", "#general", "hello")
        for _ in range(3):
            await client.conversations_replies(channel="CGENERAL", ts=ts)
        response = await refused(opened, "conversations.replies", channel="CGENERAL", ts=ts)
        await opened.driver.limits(rates=False)
        assert (await client.conversations_replies(channel="CGENERAL", ts=ts))["ok"]
    assert response.status_code == 429
    assert response.data == {"ok": False, "error": "ratelimited"}
    assert 1 <= int(response.headers["Retry-After"]) <= 60


async def test_posting_is_limited_for_each_channel_by_itself() -> None:
    async with playground(Limits(scale=0.25)) as opened:
        client = bolt_app(opened).client
        await client.chat_postMessage(channel="CGENERAL", text="one")
        refused = await refusal(opened, "chat.postMessage", channel="CGENERAL", text="two")
        elsewhere = await client.chat_postMessage(channel="CSALES", text="three")
    assert refused["error"] == "ratelimited"
    assert elsewhere["ok"]


async def test_a_stream_dies_of_age_and_is_an_ordinary_message_then() -> None:
    async with playground(Limits(rates=False, stream_seconds=0.0)) as opened:
        client = bolt_app(opened).client
        ts = await opened.driver.say("maria", "dm", "hello")
        live = await client.chat_startStream(channel="DMARIA", thread_ts=ts, markdown_text="begun")
        late = await refusal(opened, "chat.appendStream", channel="DMARIA", ts=live["ts"], markdown_text="x")
        updated = await client.chat_update(channel="DMARIA", ts=live["ts"], text="whole")
    assert late["error"] == "message_not_in_streaming_state"
    assert updated["ok"]


async def test_a_live_stream_refuses_edits_and_channel_streams_need_a_recipient() -> None:
    async with playground() as opened:
        client = bolt_app(opened).client
        ts = await opened.driver.say("maria", "dm", "hello")
        live = await client.chat_startStream(channel="DMARIA", thread_ts=ts)
        edited = await refusal(opened, "chat.update", channel="DMARIA", ts=live["ts"], text="x")
        there = await opened.driver.say("maria", "#general", "hello")
        alone = await refusal(opened, "chat.startStream", channel="CGENERAL", thread_ts=there)
    assert edited["error"] == "streaming_state_conflict"
    assert alone["error"] == "missing_recipient_team_id"
