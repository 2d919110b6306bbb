"""People write, edit, delete and press in a Slack thread; the inbox hears it once, and Slack is told after that."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from bot.heard import Delete, Edit, Halt, Message, Person
from bot.outgoing import Reply
from bot.playground import Limits
from tests.support.slack import Heap, SlackBench, listening, slack_bench
from tests.support.waiting import until, until_true

QUICK = Limits(rates=False, ack_seconds=0.7, retry_seconds=(0.05, 0.1, *[0.3] * 20))


@asynccontextmanager
async def office(tmp_path: Path, **allowed: bool) -> AsyncGenerator[tuple[SlackBench, Heap]]:
    async with slack_bench(tmp_path, QUICK, settings=allowed) as bench:
        heap = Heap()
        async with listening(bench, heap):
            yield bench, heap


async def quiet(bench: SlackBench) -> None:
    """Wait until Slack has delivered everything it has."""

    async def nothing_pending() -> bool:
        return int((await bench.driver.status())["pending"]) == 0

    await until_true(nothing_pending)


async def test_a_mention_comes_twice_and_is_heard_once(tmp_path: Path) -> None:
    async with office(tmp_path) as (bench, heap):
        ts = await bench.driver.say("maria", "#general", "<@UTHREADHAND> please chart this & that")
        await until(lambda: len(heap.calls) >= 2)
        assert set(heap.calls) == {f"message:TACME:CGENERAL:{ts}"}
        ((thread, heard, opens),) = heap.items.values()
        assert (thread.surface, thread.workspace, thread.channel, thread.root) == ("slack", "TACME", "CGENERAL", ts)
        assert heard == Message(Person("TACME/UMARIA", "maria"), ts, "please chart this & that", True)
        assert opens


async def test_a_message_to_nobody_opens_nothing(tmp_path: Path) -> None:
    async with office(tmp_path) as (bench, heap):
        await bench.driver.say("maria", "#general", "<@UBEN> lunch?")
        await until(lambda: len(heap.items) == 1)
        ((_, heard, opens),) = heap.items.values()
        assert isinstance(heard, Message)
        assert (heard.text, heard.addressed, heard.to_others, opens) == ("@ben lunch?", False, True, False)


async def test_a_direct_message_needs_no_mention(tmp_path: Path) -> None:
    async with office(tmp_path) as (bench, heap):
        await bench.driver.say("ada", "dm", "status?")
        await until(lambda: len(heap.items) == 1)
        ((_, heard, opens),) = heap.items.values()
        assert isinstance(heard, Message)
        assert (heard.addressed, opens, heard.author.standing) == (True, True, "admin")


async def test_a_reply_belongs_to_the_thread_it_is_in(tmp_path: Path) -> None:
    async with office(tmp_path) as (bench, heap):
        root = await bench.driver.say("maria", "#general", "<@UTHREADHAND> begin")
        reply = await bench.driver.say("ben", "#general", "only blue ones", root, [("a.csv", b"1,2")])
        await until(lambda: len(heap.items) == 2)
        said = {heard.ts: (thread, heard) for thread, heard, _ in heap.items.values() if isinstance(heard, Message)}
        assert said[root][0] == said[reply][0]
        (file,) = said[reply][1].files
        assert (file.name, file.size) == ("a.csv", 3)


async def test_edits_and_deletions_are_heard(tmp_path: Path) -> None:
    async with office(tmp_path) as (bench, heap):
        ts = await bench.driver.say("maria", "#general", "<@UTHREADHAND> chart Q2")
        await bench.driver.edit("maria", "#general", ts, "<@UTHREADHAND> chart Q3")
        await bench.driver.delete("maria", "#general", ts)
        await until(lambda: len(heap.items) == 3)
        (edit,), (delete,) = heap.of(Edit), heap.of(Delete)
        assert (edit.text, edit.ts, edit.author.id) == ("chart Q3", ts, "TACME/UMARIA")
        assert delete == Delete(ts)
        assert len({thread for thread, _, _ in heap.items.values()}) == 1


async def test_what_the_bot_writes_is_not_heard(tmp_path: Path) -> None:
    async with office(tmp_path) as (bench, heap):
        thread = await bench.thread("hello")
        await bench.surface.whisper(thread, bench.person, "psst")
        stream = bench.surface.stream(thread, "k", bench.person)
        await stream.append("Some words and more ")
        await stream.abandon()
        message = await bench.surface.post(thread, Reply("An answer."), "k")
        await bench.surface.update(thread, message, Reply("A better answer."))
        await quiet(bench)
        assert len(heap.items) == 1


async def test_slack_is_told_only_after_it_is_written_down(tmp_path: Path) -> None:
    async with office(tmp_path) as (bench, heap):
        heap.broken = 2
        await bench.driver.say("maria", "dm", "do not lose me")
        await until(lambda: len(heap.items) == 1)
        await quiet(bench)
        assert len(heap.calls) >= 3
        assert (await bench.driver.status())["abandoned"] == 0


async def test_somebody_slack_cannot_describe_is_heard_later(tmp_path: Path) -> None:
    async with office(tmp_path) as (bench, heap):
        await bench.driver.fail("users.info", "500", count=4)
        await bench.driver.say("maria", "dm", "who am I?")
        await until(lambda: len(heap.items) == 1)
        ((_, heard, opens),) = heap.items.values()
        assert isinstance(heard, Message)
        assert (heard.author.standing, opens) == ("member", True)


@pytest.mark.parametrize(
    ("person", "channel", "words"),
    [
        ("gus", "#general", "from guests"),
        ("olga", "#acme-shared", "members of the workspace I belong to"),
        ("maria", "#acme-shared", "shared with another organisation"),
    ],
)
async def test_who_may_not_start_is_told_once(tmp_path: Path, person: str, channel: str, words: str) -> None:
    async with office(tmp_path) as (bench, heap):
        heap.takes = False
        ts = await bench.driver.say(person, channel, "<@UTHREADHAND> hello")
        await bench.driver.say(person, channel, "<@UTHREADHAND> hello?", ts)

        async def told() -> list[str]:
            messages = await bench.driver.messages(channel, ts)
            return [m["text"] for m in messages if m["visible_to"]]

        async def somebody() -> bool:
            return bool(await told())

        await until(lambda: len(heap.calls) >= 4)
        assert [opens for _, _, opens in heap.items.values()] == [False, False]
        await until_true(somebody)
        await quiet(bench)
        (whisper,) = await told()
        assert words in whisper


async def test_guests_and_shared_channels_can_be_allowed(tmp_path: Path) -> None:
    async with office(tmp_path, allow_guests=True, allow_shared_channels=True) as (bench, heap):
        await bench.driver.say("gus", "#general", "<@UTHREADHAND> hello")
        await bench.driver.say("maria", "#acme-shared", "<@UTHREADHAND> hello")
        await bench.driver.say("olga", "#acme-shared", "<@UTHREADHAND> hello")
        await until(lambda: len(heap.calls) >= 6)
        opens = {heard.author.id: opens for _, heard, opens in heap.items.values() if isinstance(heard, Message)}
        assert opens == {"TACME/UGUS": True, "TACME/UMARIA": True, "TPARTNER/UOLGA": False}


async def test_slacks_own_stop_is_heard(tmp_path: Path) -> None:
    async with office(tmp_path) as (bench, heap):
        thread = await bench.thread("<@UTHREADHAND> work")
        await bench.surface.mark(thread, "working")
        await bench.driver.stop_session("ben", "#general", thread.root)
        await until(lambda: len(heap.of(Halt)) == 1)
        assert heap.of(Halt)[0].author.id == "TACME/UBEN"
        assert {t for t, _, _ in heap.items.values()} == {thread}


async def test_sockets_that_drop_come_back(tmp_path: Path) -> None:
    async with office(tmp_path) as (bench, heap):
        assert await bench.driver.refresh_sockets() == 1
        await bench.driver.say("maria", "dm", "during the change")
        await until(lambda: len(heap.items) == 1)
        await bench.driver.wait_for_app()
        await bench.driver.drop_sockets()
        await bench.driver.say("maria", "dm", "while you were away")
        await until(lambda: len(heap.items) == 2)


async def test_events_without_a_meaning_are_acknowledged(tmp_path: Path) -> None:
    async with office(tmp_path) as (bench, heap):
        thread = await bench.thread("hello")
        await bench.surface.mark(thread, "working")
        await bench.driver.rename_session("maria", "#general", thread.root, "Another title")
        await bench.driver.open_home("maria")
        await quiet(bench)
        assert (await bench.driver.status())["abandoned"] == 0
        assert len(heap.items) == 1
