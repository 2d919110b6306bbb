"""What a step costs beyond model and tool: the same scripted conversation here and in the openai-agents Runner.

Both talk to the same local Responses server and keep their session in SQLite. The script calls a tool that does
nothing twenty times and then answers; a step is one model call with what follows from it.
"""

from __future__ import annotations

import statistics
import tempfile
import time
from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path
from typing import cast

import agents
from agents import (
    Agent,
    OpenAIResponsesModel,
    RunConfig,
    Runner,
    RunResultStreaming,
    SQLiteSession,
    function_tool,
)
from openai import AsyncOpenAI

from bot.agent.parts import Parts
from bot.session.steps import Allowance
from tests.support.office import MARIA, Wishes, office
from tests.support.replies import Call, Turn, says
from tests.support.responses import Received, ResponsesServer

CALLS = 20
ROUNDS = 5


def brain(request: Received) -> Turn:
    """Twenty different notes, then an answer."""
    done = sum(1 for item in request.items if item.get("type") == "function_call_output")
    return says("Done.") if done >= CALLS else Turn((Call("note", {"text": f"n{done}"}, f"c{done}"),))


@function_tool
def note(text: str) -> str:
    """Keep a note."""
    return f"Noted {len(text)}."


async def ours(folder: Path) -> list[float]:
    """Seconds a step."""

    def roomy(parts: Parts) -> Parts:
        return replace(parts, allowance=Allowance(steps=1000))

    taken: list[float] = []
    async with office(folder, brain, Wishes(change=roomy, strict=False)) as work:
        for _ in range(ROUNDS):
            began = time.perf_counter()
            thread, _message = await work.say(MARIA, "count")
            await work.settled(thread)
            taken.append((time.perf_counter() - began) / (CALLS + 1))
    return taken


async def theirs(folder: Path) -> list[float]:
    """The same with the openai-agents Runner."""
    agents.set_tracing_disabled(True)
    taken: list[float] = []
    async with ResponsesServer(brain, strict=False) as server:
        client = AsyncOpenAI(base_url=server.url, api_key="sk-test-not-real")
        model = OpenAIResponsesModel("gpt-test", client)
        agent = Agent(name="peer", tools=[note], model=model)
        for turn in range(ROUNDS):
            session = SQLiteSession(f"s{turn}", folder / "peer.db")
            began = time.perf_counter()
            stream = Runner.run_streamed(agent, "count", session=session, max_turns=CALLS + 5, run_config=RunConfig())
            await _drained(stream)
            taken.append((time.perf_counter() - began) / (CALLS + 1))
        server.problems.clear()
    return taken


async def _drained(stream: RunResultStreaming) -> None:
    events = cast("AsyncIterator[object]", stream.stream_events())
    async for event in events:
        assert event


async def bare(folder: Path) -> list[float]:
    """What the model server and the client alone take: the same requests without anything around them."""
    del folder
    taken: list[float] = []
    async with ResponsesServer(brain, strict=False) as server:
        client = AsyncOpenAI(base_url=server.url, api_key="sk-test-not-real")
        for _ in range(ROUNDS):
            items: list[object] = [{"role": "user", "content": "count"}]
            began = time.perf_counter()
            for number in range(CALLS + 1):
                stream = await client.responses.create(model="m", stream=True, extra_body={"input": items})
                async for event in cast("AsyncIterator[object]", stream):
                    assert event
                call = {"type": "function_call", "call_id": f"c{number}", "name": "note", "arguments": "{}"}
                items += [call, {"type": "function_call_output", "call_id": f"c{number}", "output": "ok"}]
            taken.append((time.perf_counter() - began) / (CALLS + 1))
        server.problems.clear()
    return taken


async def main() -> None:
    """All three in turn."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        base, mine, peer = await bare(folder), await ours(folder), await theirs(folder)
    floor = statistics.median(base)
    print(f"model server and client alone: {floor * 1000:.1f} ms a step")
    print(
        f"threadhand (journal on SQLite, synchronous=FULL): {(statistics.median(mine) - floor) * 1000:.1f} ms beyond "
        "(aim 15)"
    )
    print(f"openai-agents Runner with SQLiteSession: {(statistics.median(peer) - floor) * 1000:.1f} ms beyond")
    print(f"ratio of whole steps: {statistics.median(mine) / statistics.median(peer):.2f}")
