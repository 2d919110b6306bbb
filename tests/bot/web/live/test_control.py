"""Taking over and giving back on the live page: one person at a time, enforced on the host."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path
from typing import Any

import aiohttp
import pytest

from bot.heard import Thread
from bot.web.live.streams import ASLEEP, CURTAIN, NOT_YOURS
from tests.support.live import Caller, Watched, watched
from tests.support.office import BEN, MARIA
from tests.support.replies import Reply, calls, says
from tests.support.screen import Screen
from tests.support.waiting import until

GREETING = b"RFB 003.008\n\x01\x01"
LOOK = b"\x03\x01" + bytes(8)
KEYS = [bytes([4, down, 0, 0, 0, 0, 0, code]) for code in b"hunter2" for down in (1, 0)]


async def busy(world: Watched) -> Thread:
    """A session whose machine runs a long command with the browser open."""
    thread, _ = await world.here.say(MARIA, "wait")
    await until(lambda: world.machine(thread) is not None and bool(world.machine(thread).commands))
    world.machine(thread).page.on = True
    return thread


def script() -> list[Reply]:
    return [calls("shell", command="sleep 600"), says("Going on.")]


async def greeted(world: Watched, caller: Caller, thread: Thread) -> tuple[aiohttp.ClientWebSocketResponse, Screen]:
    """A viewer with its connection to the screen."""
    socket = await caller.socket(f"/live/{thread.session}/screen")
    assert await socket.receive_bytes() == b"RFB 003.008\n"
    await socket.send_bytes(GREETING)
    screen: Screen = world.machine(thread).screens[-1]
    await until(lambda: len(screen.received) == 14)
    return socket, screen


async def closing(socket: aiohttp.ClientWebSocketResponse) -> int | None:
    """Read until the stream is closed; its code."""
    async with asyncio.timeout(30):
        while not socket.closed:
            await socket.receive()
    return socket.close_code


async def test_whoever_only_watches_reaches_the_screen_with_no_key_and_no_click(tmp_path: Path) -> None:
    async with watched(tmp_path, script()) as world:
        thread = await busy(world)
        socket, screen = await greeted(world, world.signed_in(MARIA), thread)
        await socket.send_bytes(b"".join([*KEYS, b"\x05\x01\0\x01\0\x01", LOOK]))
        await until(lambda: len(screen.messages) >= len(LOOK))
        assert screen.messages == LOOK
        await socket.close()


async def test_whoever_took_over_types_and_the_others_see_a_curtain(tmp_path: Path) -> None:
    async with watched(tmp_path, script()) as world:
        thread = await busy(world)
        world.people.members.add(BEN.id)
        maria, ben = world.signed_in(MARIA), world.signed_in(BEN)
        watching, _ = await greeted(world, ben, thread)
        await world.holding(maria, thread)
        assert await closing(watching) == CURTAIN
        again = await ben.socket(f"/live/{thread.session}/screen")
        assert await closing(again) == CURTAIN
        _, state = await ben.get(f"/live/{thread.session}/state")
        assert (state["screen"], state["holder"], state["held"]) == ("curtain", "Maria", "other")
        socket, screen = await greeted(world, maria, thread)
        await socket.send_bytes(b"".join(KEYS))
        await until(lambda: screen.messages == b"".join(KEYS))
        assert (await maria.post(f"/live/{thread.session}/give"))[0] == 200
        assert await closing(socket) == NOT_YOURS
        await world.here.settled(thread)
        assert screen.messages == b"".join(KEYS)


async def test_giving_back_tells_the_model_where_the_browser_is_and_nothing_else(tmp_path: Path) -> None:
    async with watched(tmp_path, script()) as world:
        thread = await busy(world)
        maria = world.signed_in(MARIA)
        await world.holding(maria, thread)
        await maria.post(f"/live/{thread.session}/give")
        await world.here.settled(thread)
        sent = json.dumps(world.here.server.requests[-1].body)
        assert "Invoices (https://portal.example.com/invoices)" in sent
        assert "token=abc" not in sent


async def test_nothing_typed_is_found_anywhere_afterwards(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level("DEBUG")
    async with watched(tmp_path, script()) as world:
        thread = await busy(world)
        maria = world.signed_in(MARIA)
        await world.holding(maria, thread)
        shell = await maria.socket(f"/live/{thread.session}/terminal")
        await shell.send_bytes(b"correct-horse-battery\n")
        async with asyncio.timeout(30):
            assert await shell.receive_bytes() == b"correct-horse-battery\n"
        socket, screen = await greeted(world, maria, thread)
        pasted = b"\x06\0\0\0\0\0\0\x15correct-horse-battery"
        await socket.send_bytes(pasted)
        await until(lambda: screen.messages == pasted)
        await maria.post(f"/live/{thread.session}/give")
        await world.here.settled(thread)
        bodies = json.dumps([request.body for request in world.here.server.requests])
    kept = [path for path in tmp_path.rglob("*") if path.is_file()]
    assert any(path.suffix == ".db" for path in kept)
    assert [path for path in kept if b"correct-horse" in path.read_bytes()] == []
    assert "correct-horse" not in bodies
    logged = "\n".join(record.getMessage() for record in caplog.records)
    assert "correct-horse" not in logged
    assert maria.cookie not in logged


async def test_the_terminal_is_for_whoever_has_the_machine(tmp_path: Path) -> None:
    async with watched(tmp_path, script()) as world:
        thread = await busy(world)
        maria = world.signed_in(MARIA)
        assert await closing(await maria.socket(f"/live/{thread.session}/terminal")) == NOT_YOURS
        await world.holding(maria, thread)
        socket = await maria.socket(f"/live/{thread.session}/terminal")
        await socket.send_str(json.dumps({"resize": [40, 120]}))
        await until(lambda: bool(world.machine(thread).shells) and world.machine(thread).shells[-1].size == (40, 120))
        shell = world.machine(thread).shells[-1]
        await maria.post(f"/live/{thread.session}/give")
        assert await closing(socket) == NOT_YOURS
        assert shell.closed


async def test_while_a_person_has_the_machine_the_agent_gets_no_hold_of_it(tmp_path: Path) -> None:
    async with watched(tmp_path, script()) as world:
        thread = await busy(world)
        await world.holding(world.signed_in(MARIA), thread)
        with pytest.raises(Exception, match="A person has the machine"):
            await world.here.machines(thread).machine()


async def test_a_viewer_is_sent_away_when_the_machine_falls_asleep(tmp_path: Path) -> None:
    async with watched(tmp_path, script()) as world:
        thread = await busy(world)
        socket, screen = await greeted(world, world.signed_in(MARIA), thread)
        await world.here.machines(thread).rest()
        assert await closing(socket) == ASLEEP
        assert screen.closed


async def test_files_are_listed_and_fetched_by_partners_and_added_by_the_holder(tmp_path: Path) -> None:
    async with watched(tmp_path, script()) as world:
        thread = await busy(world)
        await world.machine(thread).write("report/a <b>.html", b"<script>1</script>")
        maria, base = world.signed_in(MARIA), f"/live/{thread.session}"
        status, listed = await maria.get(f"{base}/files?path=report")
        assert (status, [one["name"] for one in listed["entries"]]) == (200, ["a <b>.html"])
        async with world.http.get(
            f"{world.address}{base}/file", params={"path": "report/a <b>.html"}, headers=maria.headers()
        ) as answer:
            assert await answer.read() == b"<script>1</script>"
            assert answer.headers["Content-Disposition"].startswith("attachment")
            assert answer.content_type == "application/octet-stream"
        assert (await maria.get(f"{base}/files?path=../../etc"))[0] == 409
        assert (await maria.post(f"{base}/upload?name=new.txt", b"hello"))[0] == 403
        world.people.members.add(BEN.id)
        assert (await world.signed_in(BEN).get(f"{base}/files"))[0] == 403
        await world.holding(maria, thread)
        assert (await maria.post(f"{base}/upload?name=../../new.txt", b"hello"))[0] == 200
        assert await world.machine(thread).read("new.txt") == b"hello"


async def test_the_page_says_what_was_done_and_how_it_went(tmp_path: Path) -> None:
    steps = [calls("shell", command="echo one"), calls("shell", command="false"), says("Done.")]
    async with watched(tmp_path, steps) as world:
        thread, _ = await world.here.say(MARIA, "try it")
        await world.here.settled(thread)
        await world.here.resting()
        state: dict[str, Any]
        _, state = await world.signed_in(MARIA).get(f"/live/{thread.session}/state")
        assert [(one["outcome"], "echo one" in one["title"]) for one in state["steps"]] == [
            ("ok", True),
            ("failed", False),
        ]
        assert (state["status"], state["holder"], state["screen"]) == ("done", "", "asleep")
