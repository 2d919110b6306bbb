"""Servers that speak the Responses API in part are understood all the same."""

from __future__ import annotations

import json

import pytest

from bot.models.openai import OpenAIModel
from bot.models.types import Broken, CallBegun, ModelRequest
from tests.bot.models.test_openai import ask, completed, one, output, says, settings, text, user
from tests.support.replies import Call, Fault, Quirk, Reasoning, Text, Turn
from tests.support.responses import ResponsesServer

REPLY = (Text("Let me look."), Call("shell", {"command": "ls"}), Call("shell", {"command": "w"}))


@pytest.mark.parametrize(
    "quirks",
    [
        ("bare_events",),
        ("bare_events", "no_ids"),
        ("no_output",),
        ("no_output", "bare_events", "no_ids", "no_call_ids"),
        ("json",),
        ("no_call_ids",),
        ("object_arguments",),
        ("no_deltas",),
        ("no_deltas", "silent_items"),
    ],
)
async def test_whatever_a_server_leaves_out_the_reply_is_whole(quirks: tuple[Quirk, ...]) -> None:
    events = await one([Turn(REPLY, quirks=quirks)])
    message, *rest = completed(events).items
    assert message["content"][0]["text"] == "Let me look."
    assert [json.loads(item["arguments"]) for item in rest] == [{"command": "ls"}, {"command": "w"}]
    assert all(item["call_id"] for item in rest)
    assert text(events) == "Let me look."
    assert CallBegun("shell") in events


@pytest.mark.parametrize("quirks", [(), ("bare_events", "no_ids"), ("silent_items",)])
async def test_done_is_an_end_too_when_everything_was_seen(quirks: tuple[Quirk, ...]) -> None:
    events = await one([Turn((Text("All well."),), ending="done", quirks=quirks)])
    assert completed(events).items[0]["content"][0]["text"] == "All well."
    assert completed(events).usage.cost is None


async def test_made_up_call_ids_are_the_same_each_time_and_never_twice() -> None:
    async with ResponsesServer(lambda _: Turn(REPLY, quirks=("no_call_ids",))) as server:
        model = OpenAIModel(settings(server))
        first = completed(await ask(model, user("a"))).items
        again = completed(await ask(model, user("a"))).items
        other = completed(await ask(model, user("b"))).items
    assert first == again
    ids = [item["call_id"] for item in (*first[1:], *other[1:])]
    assert len(set(ids)) == 4


async def test_a_server_that_reuses_call_ids_gets_new_ones() -> None:
    turn = Turn((Call("shell", {"command": "ls"}, "call_0"), Call("shell", {"command": "ls"}, "call_0")))
    async with ResponsesServer([turn, turn], key="") as server:
        model = OpenAIModel(settings(server))
        first = completed(await ask(model, user("a"))).items
        second = completed(await ask(model, user("a"), *first, *(output(item["call_id"], "x") for item in first))).items
    assert len({item["call_id"] for item in (*first, *second)}) == 4


@pytest.mark.parametrize("name", ["include", "prompt_cache_key", "parallel_tool_calls", "store"])
async def test_a_parameter_the_server_refuses_is_left_out_from_then_on(name: str) -> None:
    async with ResponsesServer([says("one"), says("two")], refuses=(name,)) as server:
        model = OpenAIModel(settings(server))
        assert text(await ask(model)) == "one"
        assert text(await ask(model)) == "two"
    assert [name in received.body for received in server.requests] == [True, False, False]


async def test_several_refused_parameters_are_left_out_one_after_another() -> None:
    async with ResponsesServer([says("one")], refuses=("include", "prompt_cache_key")) as server:
        assert text(await ask(OpenAIModel(settings(server)))) == "one"
    assert len(server.requests) == 3


async def test_a_model_that_cannot_encrypt_its_reasoning_is_asked_without() -> None:
    fault = Fault(400, "", "Encrypted content is not supported with this model.")
    async with ResponsesServer([fault, says("ok")], lacks=("include",)) as server:
        events = await ask(OpenAIModel(settings(server)))
    assert text(events) == "ok"
    assert "include" not in server.requests[1].body


async def test_reasoning_that_could_not_be_sent_back_is_dropped() -> None:
    events = await one([Turn.of(Reasoning(encrypted=""), "ok")])
    assert [item["type"] for item in completed(events).items] == ["message"]


async def test_a_json_error_with_status_200_is_told() -> None:
    [event] = await one([Fault(200, body='{"error": {"code": "server_error", "message": "no slot"}}')])
    assert isinstance(event, Broken)
    assert event.code == "overloaded"


async def test_arguments_left_empty_are_an_empty_object() -> None:
    assert completed(await one([Turn.of(Call("shell", ""))])).items[0]["arguments"] == "{}"


async def test_tools_are_not_mentioned_when_there_are_none() -> None:
    async with ResponsesServer([says("ok")]) as server:
        model = OpenAIModel(settings(server))
        completed([event async for event in model.stream(ModelRequest("", (user("hi"),), (), "s"))])
    assert not {"tools", "parallel_tool_calls"} & server.requests[0].body.keys()
