"""Everything that goes wrong with a model call is told as a value that a person can read."""

from __future__ import annotations

import asyncio
import json
from typing import Any

import pytest

from bot.models.openai import OpenAIModel, OpenAISettings
from bot.models.types import Broken, Trouble
from tests.bot.models.test_openai import KEY, ask, one, says, settings, text
from tests.support.replies import Call, Ending, Fault, Reasoning, Turn, rate_limited, too_long
from tests.support.responses import ResponsesServer


async def broken(reply: Turn | Fault, **more: Any) -> Broken:
    events = await one([reply], **more)
    assert isinstance(events[-1], Broken), events[-1]
    assert KEY not in events[-1].text
    return events[-1]


async def test_a_rate_limit_says_when_to_come_back() -> None:
    told = await broken(rate_limited("7"))
    assert (told.code, told.retry, told.retry_after) == ("rate_limited", True, 7.0)


async def test_milliseconds_and_dates_are_understood_too() -> None:
    told = await broken(Fault(429, "slow_down", headers={"retry-after-ms": "1500"}))
    assert told.retry_after == 1.5
    told = await broken(Fault(503, headers={"Retry-After": "Wed, 21 Oct 2015 07:28:00 GMT"}))
    assert told.retry_after == 0.0
    assert (await broken(Fault(429, headers={"Retry-After": "soon"}))).retry_after is None


@pytest.mark.parametrize(
    ("fault", "code", "retry"),
    [
        (Fault(403, "model_not_found", "Project does not have access."), "auth", False),
        (Fault(403, "unsupported_country_region_territory", "Not here."), "auth", False),
        (Fault(429, "insufficient_quota", "You exceeded your current quota."), "quota", False),
        (Fault(402, "", "Payment required"), "quota", False),
        (Fault(429, "rate_limit_exceeded", "Request too large for gpt-5 on tokens per min."), "overflow", False),
        (Fault(500, "server_error"), "overloaded", True),
        (Fault(503, body="<html>down</html>"), "overloaded", True),
        (Fault(404, "model_not_found", "The model does not exist."), "invalid", False),
        (Fault(400, "invalid_prompt", "Invalid prompt."), "refused", False),
        (Fault(400, "invalid_type", "Invalid type for 'input[3]'."), "invalid", False),
        (Fault(418, body="no json"), "invalid", False),
    ],
)
async def test_an_http_error_is_told_by_its_meaning(fault: Fault, code: Trouble, retry: bool) -> None:
    told = await broken(fault)
    assert (told.code, told.retry) == (code, retry), told


@pytest.mark.parametrize(
    "fault",
    [
        too_long(),
        Fault(400, "", "This model's maximum context length is 8192 tokens. However, you requested 9000 tokens."),
        Fault(400, body='{"error":{"code":400,"message":"the request exceeds","type":"exceed_context_size_error"}}'),
        Fault(500, body='{"error":"the request exceeds the available context size"}'),
        Fault(400, "string_above_max_length", "Invalid 'input': string too long."),
        Fault(413, body="Payload Too Large"),
        Fault(400, "", "prompt is too long: 210000 tokens > 200000 maximum"),
    ],
)
async def test_a_conversation_too_long_is_known_in_every_spelling(fault: Fault) -> None:
    assert (await broken(fault)).code == "overflow"


async def test_the_servers_words_are_shown_without_what_looks_like_a_secret() -> None:
    words = f"bad header Authorization: Bearer {KEY} and sk-proj-abcdef123456 at http://me:pw@host/x"
    told = await broken(Fault(400, "", words))
    assert told.code == "invalid"
    assert "bad header" in told.text
    assert not any(secret in told.text for secret in ("sk-proj", "me:pw", "Bearer sk"))


@pytest.mark.parametrize(
    ("ending", "code", "retry"),
    [
        ("cut", "cut", True),
        ("eof", "cut", True),
        ("garbage", "cut", True),
        ("max_tokens", "cut", False),
        ("filtered", "refused", False),
        ("failed", "overloaded", True),
        ("error", "overloaded", True),
    ],
)
async def test_a_stream_that_ends_badly_is_told(ending: Ending, code: Trouble, retry: bool) -> None:
    told = await broken(Turn.of("one two three", ending=ending))
    assert (told.code, told.retry) == (code, retry), told


@pytest.mark.parametrize(
    ("error", "code"),
    [
        (("rate_limit_exceeded", "Slow down."), "rate_limited"),
        (("server_error", "maximum context length is 100"), "overflow"),
        (("invalid_prompt", "No."), "refused"),
        (("invalid_image", "Broken image."), "invalid"),
    ],
)
async def test_a_failed_response_is_told_by_its_code(error: tuple[str, str], code: Trouble) -> None:
    assert (await broken(Turn(ending="failed", error=error))).code == code


async def test_a_server_that_falls_silent_is_given_up() -> None:
    told = await broken(Turn.of("one two", ending="hang"), idle=0.3)
    assert (told.code, told.retry) == ("network", True)


async def test_a_server_that_is_not_there_is_told() -> None:
    async with ResponsesServer([]) as server:
        gone = settings(server)
    [told] = await ask(OpenAIModel(gone))
    assert isinstance(told, Broken)
    assert (told.code, told.retry) == ("network", True)
    assert "127.0.0.1" in told.text


@pytest.mark.parametrize("turn", [Turn(), Turn.of(""), Turn.of(Reasoning())])
async def test_an_empty_reply_is_told(turn: Turn) -> None:
    assert (await broken(turn)).code == "empty"


async def test_an_address_that_speaks_something_else_is_told() -> None:
    async def page(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Type: text/html\r\nConnection: close\r\n\r\n<html>hello</html>")
        await writer.drain()
        writer.close()

    server = await asyncio.start_server(page, "127.0.0.1", 0)
    async with server:
        port = server.sockets[0].getsockname()[1]
        [told] = await ask(OpenAIModel(OpenAISettings("m", "", f"http://127.0.0.1:{port}/v1")))
    assert isinstance(told, Broken)
    assert (told.code, told.retry) == ("invalid", False)
    assert "OPENAI_BASE_URL" in told.text


async def test_what_was_streamed_before_the_break_was_seen() -> None:
    events = await one([Turn.of("one two three", ending="cut")])
    assert text(events) == "one "


async def test_a_faulty_request_is_noticed_by_the_server() -> None:
    async with ResponsesServer([says("never")], key=KEY) as server:
        events = await ask(OpenAIModel(settings(server)), unanswered_call())
        assert isinstance(events[-1], Broken)
        assert events[-1].code == "invalid"
        assert server.problems == ["No tool output found for function call call_1."]
        server.problems.clear()


def unanswered_call() -> dict[str, Any]:
    call = Call("shell", {"command": "ls"}, "call_1")
    return {"type": "function_call", "call_id": call.call_id, "name": call.name, "arguments": json.dumps({})}
