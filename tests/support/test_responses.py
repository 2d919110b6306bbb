"""The Responses server on its own: what it refuses, how a test holds it, and the process for chaos tests."""

from __future__ import annotations

import asyncio
import json
import signal
import sys
from pathlib import Path
from typing import Any

import aiohttp
import pytest
from openai import AsyncOpenAI
from pydantic import ValidationError

from tests.support.replies import Call, Reasoning, Refusal, Text, Turn, says
from tests.support.response_checks import faults
from tests.support.response_events import Writer, check
from tests.support.responses import ResponsesServer

BODY: dict[str, Any] = {
    "model": "m",
    "stream": True,
    "store": False,
    "include": ["reasoning.encrypted_content"],
    "input": [{"role": "user", "content": "hello M1"}],
}


def body(*items: dict[str, Any], **more: Any) -> dict[str, Any]:
    return {**BODY, "input": [*BODY["input"], *items], **more}


def call(call_id: str) -> dict[str, Any]:
    return {"type": "function_call", "call_id": call_id, "name": "shell", "arguments": "{}"}


def output(call_id: str) -> dict[str, Any]:
    return {"type": "function_call_output", "call_id": call_id, "output": "x"}


async def test_the_sdk_itself_understands_every_kind_of_reply() -> None:
    turn = Turn.of(Reasoning("e", "hm"), Text("one two", "commentary"), Refusal("no"), Call("shell", {"a": 1}))
    async with ResponsesServer([turn]) as server, AsyncOpenAI(api_key="sk-test-not-real", base_url=server.url) as sdk:
        response = await _last(sdk, BODY["input"])
    assert response.output_text == "one two"
    assert [item.type for item in response.output] == ["reasoning", "message", "message", "function_call"]


def test_an_event_the_sdk_does_not_know_is_not_sent() -> None:
    event = Writer(BODY, says("hi")).write()[2]
    with pytest.raises(AssertionError):
        check({**event, "surprise": 1})
    with pytest.raises(ValidationError):
        check({**event, "output_index": "0"})


@pytest.mark.parametrize(
    ("request_body", "words"),
    [
        (body(call("c1")), "No tool output found for function call c1."),
        (body(output("c1")), "No tool call found"),
        (body(call("c1"), output("c1"), output("c1")), "a second output"),
        (body(call("c1"), call("c1"), output("c1")), "call c1 twice"),
        (body({"type": "reasoning", "id": "rs_1", "summary": []}), "not persisted"),
        (body({"role": "user", "content": [{"type": "output_text", "text": "x"}]}), "a part of type"),
        (body({"role": "tool", "content": "x"}), "unknown role"),
        (body(store=True), "store is not off"),
        (body(include=[]), "reasoning.encrypted_content"),
        (body(tools=[{"type": "function", "name": "a b", "parameters": {"type": "object"}}]), "tool name"),
        (body(tools=[{"type": "function", "name": "a", "parameters": {"type": "thing"}}]), "not an object schema"),
        (
            body(tools=[{"type": "function", "name": "a", "parameters": {"type": "object", "required": "x"}}]),
            "tool a",
        ),
    ],
)
def test_a_request_the_real_api_would_refuse_is_refused(request_body: dict[str, Any], words: str) -> None:
    assert words in "; ".join(faults(request_body))


def test_a_good_request_has_no_faults() -> None:
    assert faults(body(call("c1"), call("c2"), output("c2"), output("c1"))) == []


async def test_a_problem_seen_by_the_server_fails_the_test_that_caused_it() -> None:
    async def careless() -> None:
        async with (
            ResponsesServer([says("x")]) as server,
            aiohttp.ClientSession() as session,
            session.post(f"{server.url}/responses", json=body(store=True)) as answer,
        ):
            assert answer.status == 400

    with pytest.raises(AssertionError, match="store is not off"):
        await careless()


async def test_the_echo_process_lists_the_marks_it_has_yet_to_answer() -> None:
    root = Path(__file__).parents[2]
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "tests.support.responses", "--port", "0", cwd=root, stdout=asyncio.subprocess.PIPE
    )
    assert process.stdout
    try:
        url = json.loads(await process.stdout.readline())["url"]
        async with AsyncOpenAI(api_key="sk-test-not-real", base_url=url) as sdk:
            talk = [
                {"role": "user", "content": "M1 please"},
                {"role": "assistant", "content": "done: M1"},
                {"role": "user", "content": "use a tool for M2"},
                {"role": "user", "content": [{"type": "input_text", "text": "and M3 M2"}]},
            ]
            tool: dict[str, Any] = {
                "type": "function",
                "name": "note",
                "parameters": {"type": "object", "properties": {}},
            }
            first = await _last(sdk, talk, tools=[tool])
            assert first.output[0].name == "note"
            again = [*talk, call("c1"), output("c1"), {"role": "user", "content": "M4"}]
            assert (await _last(sdk, again, tools=[tool])).output_text == "done: M2 M3 M4"
        async with aiohttp.ClientSession() as session:
            async with session.get(url.replace("/v1", "/_control/requests")) as answer:
                assert [len(one["input"]) for one in await answer.json()] == [4, 7]
            async with session.get(url.replace("/v1", "/_control/problems")) as answer:
                assert await answer.json() == []
    finally:
        process.send_signal(signal.SIGTERM)
        assert await asyncio.wait_for(process.wait(), 25) == 0


async def _last(sdk: AsyncOpenAI, items: list[dict[str, Any]], **more: Any) -> Any:
    settings: dict[str, Any] = {**BODY, "input": items, **more}
    create: Any = sdk.responses.create
    last: Any = None
    async for event in await create(**settings):
        last = event
    assert last.type == "response.completed"
    return last.response
