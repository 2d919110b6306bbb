"""Answers typed live: turned over before they die, whole in the end whatever happens, safe at every moment."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bot.outgoing import Reply
from bot.playground import Playground
from bot.surfaces.slack.escape import markdown, settled
from tests.support.slack import SlackBench, bench_on

loop = pytest.mark.asyncio(loop_scope="module")


class Clock:
    """A clock that moves when told to."""

    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now


async def texts(bench: SlackBench, channel: str, root: str) -> list[str]:
    messages = await bench.driver.messages(channel, root)
    return [m["text"] for m in messages if m["user"] == "UTHREADHAND"]


@loop
async def test_words_appear_while_they_come_at_most_once_a_second(shared: Playground, tmp_path: Path) -> None:
    clock = Clock()
    async with bench_on(shared, tmp_path, clock=clock) as bench:
        thread = await bench.thread("hello")
        stream = bench.surface.stream(thread, "k1", bench.person)
        message = await stream.append("First words ")
        await stream.append("and more ")
        assert await texts(bench, thread.channel, thread.root) == ["First words "]
        clock.now += 1.1
        assert await stream.append("and more ") == message
        assert await texts(bench, thread.channel, thread.root) == ["First words and more and more "]
        await stream.finish(Reply("First words and more and more and the end."))
        (shown,) = await bench.raw(thread)
        assert "edited" not in str(shown.get("subtype"))
        assert shown["text"] == "First words and more and more and the end."
        assert shown["metadata"]["event_payload"]["key"] == "k1"


@loop
async def test_a_long_answer_goes_on_in_a_second_message(shared: Playground, tmp_path: Path) -> None:
    clock = Clock()
    async with bench_on(shared, tmp_path, clock=clock) as bench:
        thread = await bench.thread("hello")
        stream = bench.surface.stream(thread, "k1", bench.person)
        for minute in range(6):
            await stream.append(f"Minute {minute} has passed. ")
            clock.now += 60
        live = await bench.raw(thread)
        assert len(live) == 2
        await stream.finish(Reply("The short truth."))
        (shown,) = await bench.shown(thread)
        assert shown.text == "The short truth."


@loop
async def test_a_stream_that_died_is_edited_into_the_answer(shared: Playground, tmp_path: Path) -> None:
    async with bench_on(shared, tmp_path) as bench:
        await bench.driver.limits(stream_seconds=0.01)
        thread = await bench.thread("hello")
        stream = bench.surface.stream(thread, "k1", bench.person)
        message = await stream.append("Some words ")
        await bench.driver.limits(stream_seconds=300.0)
        assert await stream.finish(Reply("Some words and others.")) == message
        assert [m.text for m in await bench.shown(thread)] == ["Some words and others."]


@pytest.mark.parametrize("method", ["chat.startStream", "chat.appendStream", "chat.stopStream"])
@pytest.mark.parametrize("trouble", ["429 before", "500 before", "500 after", "cut after"])
@loop
async def test_whatever_is_lost_the_answer_stands_once(
    shared: Playground, tmp_path: Path, method: str, trouble: str
) -> None:
    kind, when = trouble.split()
    clock = Clock()
    async with bench_on(shared, tmp_path, clock=clock) as bench:
        thread = await bench.thread("hello")
        await bench.driver.fail(method, kind, when=when)
        stream = bench.surface.stream(thread, "k1", bench.person)
        for word in ("One ", "two ", "three "):
            await stream.append(word)
            clock.now += 2
        await stream.finish(Reply("One two three four."))
        assert [m.text for m in await bench.shown(thread)] == ["One two three four."]


@loop
async def test_links_are_honest_while_they_are_typed(shared: Playground, tmp_path: Path) -> None:
    clock = Clock()
    async with bench_on(shared, tmp_path, clock=clock) as bench:
        thread = await bench.thread("hello")
        stream = bench.surface.stream(thread, "k1", bench.person)
        for piece in ("See ", "[paypal", ".com](https", "://evil.example/x) <!chan", "nel> and ", "@here \n", "ok "):
            await stream.append(piece)
            clock.now += 2
            for text in await texts(bench, thread.channel, thread.root):
                assert "<!channel" not in text
                assert "[paypal.com](" not in text
        (shown,) = await texts(bench, thread.channel, thread.root)
        assert "paypal.com (evil.example)" in shown


@given(st.text(alphabet=st.sampled_from(list("ab <>@!#[]()`*|\n\\~.:/hre-")), max_size=80), st.integers(0, 80))
@settings(max_examples=150, deadline=None)
def test_what_was_shown_of_a_growing_text_stays_true(text: str, cut: int) -> None:
    early = text[: min(cut, len(text))]
    assert markdown(text).startswith(markdown(early[: settled(early)]))


@loop
async def test_words_left_behind_before_a_later_post_are_taken_away(shared: Playground, tmp_path: Path) -> None:
    async with bench_on(shared, tmp_path) as bench, bench_on(shared, tmp_path) as restarted:
        thread = await bench.thread("hello")
        await bench.surface.stream(thread, "k1", bench.person).append("Half an ans")
        await restarted.surface.post(thread, Reply("A word in between."), "k0")
        await restarted.surface.post(thread, Reply("The whole answer."), "k1", look=True)
        assert await texts(bench, thread.channel, thread.root) == ["A word in between.", "The whole answer."]


@loop
async def test_words_on_their_way_when_somebody_speaks_are_taken_back(shared: Playground, tmp_path: Path) -> None:
    async with bench_on(shared, tmp_path) as bench:
        thread = await bench.thread("hello")
        for turns in range(12):
            stream = bench.surface.stream(thread, f"k{turns}", bench.person)
            sending = asyncio.create_task(stream.append("Half an ans"))
            for _ in range(turns):
                await asyncio.sleep(0)  # a little further each time
            sending.cancel()
            await asyncio.gather(sending, return_exceptions=True)
            await stream.abandon()
        assert await texts(bench, thread.channel, thread.root) == []
