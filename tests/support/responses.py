"""A faithful server of the Responses API on loopback: what it sends is checked, and so is what it receives.

In a test:
    async with ResponsesServer([calls("shell", command="ls"), says("done")]) as server:
        model = OpenAIModel(OpenAISettings("gpt-5", "sk-test-not-real", server.url))
    # leaving checks that no request was malformed
On its own (prints {"url": ...}): python -m tests.support.responses --port 0 --script echo
"""

from __future__ import annotations

import argparse
import asyncio
import inspect
import json
import signal
from collections.abc import Awaitable, Callable, Collection, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import Any

from aiohttp import web

from tests.support.echo import echo, text_of
from tests.support.replies import Fault, Reply, Turn
from tests.support.response_checks import faults
from tests.support.response_events import Event, Writer
from tests.support.response_quirks import spoiled

Brain = Callable[["Received"], Reply | Awaitable[Reply]]
Script = Sequence[Reply] | Brain


@dataclass(frozen=True, slots=True)
class Received:
    """One request as it came in."""

    body: Event
    headers: dict[str, str]

    @property
    def items(self) -> list[Event]:
        """The input items."""
        given = self.body.get("input", [])
        return [{"role": "user", "content": given}] if isinstance(given, str) else list(given)

    @property
    def tools(self) -> list[str]:
        """The names of the tools offered."""
        return [tool["name"] for tool in self.body.get("tools", []) if "name" in tool]

    @property
    def said(self) -> list[str]:
        """What users said, one text a message."""
        return [text_of(item) for item in self.items if item.get("role") == "user"]

    @property
    def outputs(self) -> dict[str, Any]:
        """Outputs of calls by call id."""
        return {item["call_id"]: item["output"] for item in self.items if item.get("type") == "function_call_output"}


@dataclass(slots=True)
class ResponsesServer:
    """The server. `url` ends in /v1. `requests` are in order of arrival, `problems` what was wrong with them.

    `script` is a list of replies, one a request, or a callable that gets the request. Parameters named in `refuses`
    are answered with 400, those in `lacks` may be missing. `key` is the only bearer token let in; `pause` is seconds
    between deltas. Not `strict`: requests are taken as they are, for measuring.
    """

    script: Script
    refuses: Collection[str] = ()
    lacks: Collection[str] = ()
    key: str = ""
    port: int = 0
    pause: float = 0.0
    strict: bool = True
    url: str = ""
    requests: list[Received] = field(default_factory=list[Received])
    problems: list[str] = field(default_factory=list[str])
    _used: int = 0
    _runner: web.AppRunner | None = None

    async def __aenter__(self) -> ResponsesServer:
        app = web.Application(client_max_size=256 * 1024 * 1024)
        app.router.add_post("/v1/responses", self._respond)
        app.router.add_get("/_control/requests", partial(self._control, lambda: [one.body for one in self.requests]))
        app.router.add_get("/_control/problems", partial(self._control, lambda: self.problems))
        self._runner = web.AppRunner(app, handler_cancellation=True, access_log=None, shutdown_timeout=0.1)
        await self._runner.setup()
        site = web.TCPSite(self._runner, "127.0.0.1", self.port)
        await site.start()
        self.port = self._runner.addresses[0][1]
        self.url = f"http://127.0.0.1:{self.port}/v1"
        return self

    async def __aexit__(self, kind: type[BaseException] | None, *rest: object) -> None:
        if self._runner:
            await self._runner.cleanup()
        if kind is None:
            assert not self.problems, self.problems

    async def _control(self, what: Callable[[], object], _: web.Request) -> web.Response:
        return web.json_response(what())

    async def _respond(self, request: web.Request) -> web.StreamResponse:
        received = Received(await request.json(), dict(request.headers))
        self.requests.append(received)
        refused = self._refusal(received)
        if refused:
            return _failed(refused)
        wrong = faults(received.body, {*self.refuses, *self.lacks}) if self.strict else []
        if wrong:
            self.problems += wrong
            return _failed(Fault(400, "invalid_request_error", "; ".join(wrong)))
        reply = await self._reply(received)
        if isinstance(reply, Fault):
            return _failed(reply)
        writer = Writer(received.body, reply)
        events = spoiled(writer.write(), reply)
        if "json" in reply.quirks:
            return web.json_response(events[-1]["response"])
        try:
            return await self._stream(request, events, reply)
        except (asyncio.CancelledError, ConnectionResetError):
            reply.lost()
            raise

    def _refusal(self, received: Received) -> Fault | None:
        if self.key and received.headers.get("Authorization") != f"Bearer {self.key}":
            shown = received.headers.get("Authorization", "").removeprefix("Bearer ")
            return Fault(401, "invalid_api_key", f"Incorrect API key provided: {shown}.")
        for name in self.refuses:
            if name in received.body:
                return Fault(400, "unknown_parameter", f"Unknown parameter: '{name}'.")
        return None

    async def _reply(self, received: Received) -> Reply:
        if callable(self.script):
            made = self.script(received)
            return await made if inspect.isawaitable(made) else made
        if self._used >= len(self.script):
            self.problems.append("a request too many: the script has no reply left")
            return Fault(500, "script_over", "the script has no reply left")
        self._used += 1
        return self.script[self._used - 1]

    async def _stream(self, request: web.Request, events: list[Event], turn: Turn) -> web.StreamResponse:
        response = web.StreamResponse(headers={"Content-Type": "text/event-stream", "Cache-Control": "no-cache"})
        await response.prepare(request)
        deltas = 0
        for event in events:
            if turn.hold_after is not None and deltas == turn.hold_after:
                await turn.gate()
            if event["type"].endswith(".delta"):
                deltas += 1
                if self.pause:
                    await asyncio.sleep(self.pause)
            await response.write(f"event: {event['type']}\ndata: {json.dumps(event, ensure_ascii=False)}\n\n".encode())
        match turn.ending:
            case "cut":
                assert request.transport
                request.transport.abort()
            case "garbage":
                await response.write(b"data: {not json\xe2\x80\xa8}\n\n")
            case "hang":
                await asyncio.Event().wait()
            case "done":
                await response.write(b"data: [DONE]\n\n")
            case _:
                pass
        return response


def _failed(fault: Fault) -> web.Response:
    headers = {"Content-Type": "application/json", **fault.headers}
    return web.Response(status=fault.status, body=fault.written().encode(), headers=headers)


async def _serve(port: int, pause: float) -> None:
    server = ResponsesServer(echo, port=port, pause=pause)
    over = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, over.set)
    async with server:
        print(json.dumps({"url": server.url}), flush=True)
        await over.wait()
        server.problems.clear()


def main() -> None:
    """Run as a process of its own until it is told to end."""
    parser = argparse.ArgumentParser(prog="python -m tests.support.responses", description=__doc__)
    parser.add_argument("--port", type=int, default=0, help="0: the system chooses")
    parser.add_argument("--script", choices=["echo"], default="echo")
    parser.add_argument("--pause", type=float, default=0.0, help="seconds between two deltas")
    arguments = parser.parse_args()
    asyncio.run(_serve(arguments.port, arguments.pause))


if __name__ == "__main__":
    main()
