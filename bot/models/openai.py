"""The model behind the Responses API: OpenAI's own, or any server that speaks it, in full or in part.

This is the only place that imports the SDK. It hides connections, authentication and the ways a request can fail;
nothing is retried here (the loop does, so that the journal knows), except that a parameter a server refuses is left
out and not sent to it again. Nothing is stored at the provider: every request carries the whole conversation.
"""

from __future__ import annotations

import asyncio
import json
import re
from collections.abc import AsyncGenerator, Iterator, Mapping
from contextlib import AsyncExitStack, aclosing, suppress
from dataclasses import dataclass, field
from typing import Any, cast
from urllib.parse import urlsplit

import httpx2
import openai

from bot.entries import Item
from bot.models import sse, troubles
from bot.models.prices import Price
from bot.models.reading import Reading, Tariff
from bot.models.types import Broken, ModelEvent, ModelRequest

OPENAI_URL = "https://api.openai.com/v1"
_OPTIONAL = ("include", "prompt_cache_key", "parallel_tool_calls", "store", "reasoning")
_UNKNOWN = re.compile(
    r"unknown|unrecogni[sz]ed|unsupported|unexpected|not (supported|permitted|allowed)|extra (field|input)|additional",
    re.IGNORECASE,
)


@dataclass(frozen=True, slots=True)
class OpenAISettings:
    """How to reach a model. Times in seconds; `idle` is the longest silence between two events.

    `prices` override the built-in table and are the only prices for a server that isn't OpenAI's. `effort` is the
    reasoning effort ("low", "high", ...), "" for the model's own.
    """

    name: str
    api_key: str = field(repr=False)
    base_url: str = OPENAI_URL
    prices: Mapping[str, Price] = field(default_factory=dict[str, Price])
    connect: float = 15.0
    idle: float = 120.0
    effort: str = ""


class OpenAIModel:
    """A model over the Responses API. Safe for concurrent calls; `close` it at the end."""

    def __init__(self, settings: OpenAISettings) -> None:
        self._settings = settings
        host = urlsplit(settings.base_url).hostname or settings.base_url
        official = host == "openai.com" or host.endswith(".openai.com")
        self._source = troubles.Source(host, settings.name, settings.api_key)
        self._tariff = Tariff(settings.prices, official)
        self._official = official
        self._refused: set[str] = set()
        self._client = openai.AsyncOpenAI(
            api_key=settings.api_key or "none",
            base_url=settings.base_url,
            max_retries=0,
            timeout=httpx2.Timeout(settings.idle, connect=settings.connect),
        )

    @property
    def name(self) -> str:
        """The model's name, as the provider knows it."""
        return self._settings.name

    async def close(self) -> None:
        """Close idle connections."""
        await self._client.close()

    async def stream(self, request: ModelRequest) -> AsyncGenerator[ModelEvent]:
        """One model call. The last event is Completed or Broken. Closing the iterator closes the connection."""
        async with AsyncExitStack() as stack:
            reading = Reading(self._source, self._tariff, request.items)
            try:
                response = await self._open(request, stack)
                if isinstance(response, Broken):
                    yield response
                    return
                async with aclosing(self._read(response, reading)) as told:
                    async for event in told:
                        yield event
                return
            except (openai.APIConnectionError, httpx2.HTTPError, httpx2.StreamError, TimeoutError) as error:
                trouble = self._lost(error, reading)
            except sse.Unreadable as error:
                trouble = Broken("cut", f"The reply of {self._source.host} is unreadable: {error}.", retry=True)
            except openai.OpenAIError as error:
                text = f"The call to {self._source.host} failed: {self._source.clean(str(error))}"
                trouble = Broken("invalid", text, retry=False)
            yield trouble

    async def _open(self, request: ModelRequest, stack: AsyncExitStack) -> Any:
        """The response with its body unread, or Broken. Parameters the server refuses are dropped on the way."""
        calls: Any = self._client.responses.with_streaming_response
        while True:
            body = self._body(request)
            try:
                async with asyncio.timeout(self._settings.idle):
                    # as extra_body: the SDK would walk all items and schemas, 20 ms a call, to change nothing
                    sent = {"model": body["model"], "stream": True, "extra_body": body}
                    return await stack.enter_async_context(calls.create(**sent))
            except openai.APIStatusError as error:
                unwelcome = self._unwelcome(error, body)
                if not unwelcome:
                    return troubles.of_status(self._source, error.status_code, error.body, error.response.headers)
                self._refused |= unwelcome

    def _body(self, request: ModelRequest) -> dict[str, Any]:
        body: dict[str, Any] = {
            "model": self._settings.name,
            "instructions": request.instructions,
            "input": list(request.items),
            "stream": True,
            "store": False,
            "include": ["reasoning.encrypted_content"],
            "prompt_cache_key": request.cache_key,
        }
        if request.tools:
            body |= {"tools": list(request.tools), "parallel_tool_calls": True}
        if request.max_output_tokens is not None:
            body["max_output_tokens"] = request.max_output_tokens
        if self._settings.effort:
            body["reasoning"] = {"effort": self._settings.effort}
        return {name: value for name, value in body.items() if name not in self._refused}

    def _unwelcome(self, error: openai.APIStatusError, body: dict[str, Any]) -> set[str]:
        """Which optional parameters of `body` the server says it can't take."""
        if error.status_code not in (400, 422, 501):
            return set()
        sent = {name for name in _OPTIONAL if name in body}
        words = f"{error.param or ''} {troubles.said(error.body)[1]}"
        named = {name for name in sent if error.param and error.param.split("[")[0].split(".")[0] == name}
        if "include" in sent and re.search(r"encrypted[_ .]content", words, re.IGNORECASE):
            named.add("include")
        if self._official or named:
            return named
        unknown = _UNKNOWN.search(words)
        return {name for name in sent if unknown and re.search(rf"\b{name}\b", words)}

    async def _read(self, response: Any, reading: Reading) -> AsyncGenerator[ModelEvent]:
        plain = "json" in str(response.headers.get("content-type", ""))
        decoder = sse.Decoder()
        async with aclosing(cast("AsyncGenerator[bytes]", response.iter_bytes())) as chunks:
            while not reading.over and (found := await self._next(chunks, None if plain else decoder)):
                for raw in found:
                    for event in _told(raw, reading):
                        yield event
            await _drain(chunks)
        if not reading.over:
            for event in reading.end(done=False):
                yield event

    async def _next(self, chunks: AsyncGenerator[bytes], decoder: sse.Decoder | None) -> list[sse.Event]:
        """The next events, none at the end. Without a decoder the whole body is one event."""
        body = bytearray()
        async with asyncio.timeout(self._settings.idle):
            async for chunk in chunks:
                if decoder is None:
                    body += chunk
                    if len(body) > sse.LIMIT:
                        raise sse.Unreadable("it is larger than 32 MB")
                elif found := decoder.feed(chunk):
                    return found
        if decoder is None:
            return [sse.Event("", body.decode(errors="replace"))] if body else []
        return decoder.finish()

    def _lost(self, error: Exception, reading: Reading) -> Broken:
        host = self._source.host
        if isinstance(error, TimeoutError | openai.APITimeoutError | httpx2.TimeoutException):
            text = f"{host} has been silent for too long ({self._settings.idle:g} s)."
            return Broken("network", text, retry=True)
        if reading.spoke:
            return Broken("cut", f"The connection to {host} broke in the middle of the reply.", retry=True)
        text = f"{host} cannot be reached. Check the network, and OPENAI_BASE_URL if you set it."
        return Broken("network", text, retry=True)


async def _drain(chunks: AsyncGenerator[bytes]) -> None:
    """Read what is left of a finished body, so that the connection can be used again; not at any price."""
    with suppress(TimeoutError, httpx2.HTTPError, httpx2.StreamError):
        async with asyncio.timeout(0.5):
            async for _ in chunks:
                pass


def _told(raw: sse.Event, reading: Reading) -> Iterator[ModelEvent]:
    if reading.over:
        return
    if raw.data.strip() == "[DONE]":
        yield from reading.end(done=True)
        return
    try:
        value: object = json.loads(raw.data)
    except ValueError as error:
        raise sse.Unreadable("an event isn't JSON") from error
    if isinstance(value, dict):
        yield from reading.take(raw.name, cast("Item", value))
