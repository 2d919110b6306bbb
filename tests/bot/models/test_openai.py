"""The model over the Responses API, against a server that keeps the API to the letter."""

from __future__ import annotations

import json
from contextlib import aclosing
from dataclasses import replace
from typing import Any

import pytest

from bot.entries import Item, Usage
from bot.models.openai import OpenAIModel, OpenAISettings
from bot.models.prices import Price
from bot.models.types import Broken, CallBegun, Completed, ModelEvent, ModelRequest, TextDelta
from tests.support.replies import Call, Reasoning, Refusal, Text, Tokens, Turn, calls, says
from tests.support.responses import ResponsesServer, Script

KEY = "sk-test-not-real"
SHELL: dict[str, Any] = {
    "type": "function",
    "name": "shell",
    "description": "Run a command.",
    "parameters": {"type": "object", "properties": {"command": {"type": "string"}}, "required": ["command"]},
    "strict": False,
}


def user(text: str) -> Item:
    return {"type": "message", "role": "user", "content": [{"type": "input_text", "text": text}]}


def output(call_id: str, text: str) -> Item:
    return {"type": "function_call_output", "call_id": call_id, "output": text}


def request(*items: Item) -> ModelRequest:
    return ModelRequest("Be brief.", items or (user("hello"),), (SHELL,), "session-1")


def settings(server: ResponsesServer, **more: Any) -> OpenAISettings:
    return replace(OpenAISettings("gpt-5", KEY, server.url), **more)


async def ask(model: OpenAIModel, *items: Item) -> list[ModelEvent]:
    return [event async for event in model.stream(request(*items))]


async def one(script: Script, *items: Item, **more: Any) -> list[ModelEvent]:
    async with ResponsesServer(script, key=KEY) as server:
        model = OpenAIModel(settings(server, **more))
        try:
            return await ask(model, *items)
        finally:
            await model.close()


def text(events: list[ModelEvent]) -> str:
    return "".join(event.text for event in events if isinstance(event, TextDelta))


def completed(events: list[ModelEvent]) -> Completed:
    assert isinstance(events[-1], Completed), events[-1]
    return events[-1]


async def test_an_answer_arrives_piece_by_piece_and_then_whole() -> None:
    events = await one([says("Here is your answer.", "final_answer")])
    assert next(event for event in events if isinstance(event, TextDelta)) == TextDelta("Here ", "final_answer")
    assert text(events) == "Here is your answer."
    [item] = completed(events).items
    assert item["content"][0]["text"] == "Here is your answer."
    assert item["phase"] == "final_answer"
    assert completed(events).model == "gpt-5"


async def test_the_request_stores_nothing_and_carries_everything() -> None:
    async with ResponsesServer([says("ok")], key=KEY) as server:
        model = OpenAIModel(settings(server, effort="low"))
        events = [
            event async for event in model.stream(ModelRequest("Be brief.", (user("hi"),), (SHELL,), "session-1", 500))
        ]
    completed(events)
    [body] = [received.body for received in server.requests]
    assert body["store"] is False
    assert body["include"] == ["reasoning.encrypted_content"]
    assert body["prompt_cache_key"] == "session-1"
    assert body["parallel_tool_calls"] is True
    assert body["max_output_tokens"] == 500
    assert body["reasoning"] == {"effort": "low"}
    assert body["instructions"] == "Be brief."


async def test_calls_are_announced_before_the_reply_is_complete() -> None:
    turn = Turn.of(
        Text("Let me look.", "commentary"), Call("shell", {"command": "ls"}), Call("shell", {"command": "w"})
    )
    events = await one([turn])
    assert [event for event in events if isinstance(event, CallBegun)] == [CallBegun("shell"), CallBegun("shell")]
    assert [item["type"] for item in completed(events).items] == ["message", "function_call", "function_call"]


async def test_a_reply_can_be_sent_back_with_its_reasoning() -> None:
    first = Turn.of(Reasoning("secret-1", "thinking"), Text("Looking.", "commentary"), Call("shell", {"command": "ls"}))
    async with ResponsesServer([first, says("two files")], key=KEY) as server:
        model = OpenAIModel(settings(server))
        reply = completed(await ask(model, user("what is here?"))).items
        call = next(item for item in reply if item["type"] == "function_call")
        await ask(model, user("what is here?"), *reply, output(call["call_id"], "a b"))
    sent = server.requests[1].items
    assert [item.get("encrypted_content") for item in sent if item["type"] == "reasoning"] == ["secret-1"]
    assert json.loads(call["arguments"]) == {"command": "ls"}
    assert next(item for item in sent if item.get("role") == "assistant")["phase"] == "commentary"
    assert not any("id" in item for item in sent if item["type"] != "reasoning")


async def test_a_refusal_is_shown_as_the_answer() -> None:
    events = await one([Turn.of(Refusal("I can't help with that."))])
    assert text(events) == "I can't help with that."
    assert completed(events).items[0]["content"] == [{"type": "refusal", "refusal": "I can't help with that."}]


async def test_tokens_are_counted_and_priced_where_the_price_is_known() -> None:
    turn = Turn((Text("ok"),), tokens=Tokens(1000, 600, 50))
    known = completed(await one([turn], prices={"gpt-5": Price(1.0, 0.1, 10.0)})).usage
    assert known.cost == pytest.approx((400 * 1.0 + 600 * 0.1 + 50 * 10.0) / 1e6)
    assert completed(await one([turn])).usage == Usage(1000, 600, 50, None)


async def test_malformed_arguments_and_unknown_tools_are_the_loops_business() -> None:
    events = await one([Turn.of(Call("no_such_tool", '{"command": "l'))])
    [item] = completed(events).items
    assert (item["name"], item["arguments"]) == ("no_such_tool", '{"command": "l')


async def test_closing_hangs_up_at_once() -> None:
    turn = says("one two three four five").hold(2)
    async with ResponsesServer([turn]) as server:
        model = OpenAIModel(settings(server))
        async with aclosing(model.stream(request())) as events:
            async for event in events:
                if event == TextDelta("two "):
                    break
        await turn.gone()
        await model.close()


async def test_a_model_that_is_cut_short_answers_the_next_request() -> None:
    turn = says("one two three").hold(1)
    async with ResponsesServer([turn, calls("shell", command="ls")]) as server:
        model = OpenAIModel(settings(server))
        async with aclosing(model.stream(request())) as events:
            assert await anext(events) == TextDelta("one ")
        await turn.gone()
        assert completed(await ask(model)).items[0]["name"] == "shell"


async def test_the_key_is_in_no_text_and_in_no_repr() -> None:
    async with ResponsesServer([], key="another") as server:
        [event] = await ask(OpenAIModel(settings(server)))
    assert isinstance(event, Broken)
    assert (event.code, event.retry) == ("auth", False)
    assert KEY not in event.text
    assert KEY not in repr(settings(server))
