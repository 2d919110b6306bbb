"""When the model misbehaves or people send odd things: an honest message, never silence, and the session goes on."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from bot.agent.parts import Parts
from bot.heard import FileRef, Person
from bot.models.openai import OpenAIModel, OpenAISettings
from tests.support.office import MARIA, Wishes, office
from tests.support.replies import Call, Fault, Refusal, Turn, calls, rate_limited, says, too_long

BAD = Fault(500, "server_error", "The server had an error.")


@pytest.mark.parametrize(
    "trouble",
    [
        Turn.of(Call("shell", "{not json")),
        Turn.of(Call("shell", "[" * 20_000)),
        calls("no_such_tool", x=1),
        calls("shell", nonsense=True),
        Turn.of(),
        Turn.of("half", ending="cut"),
        Turn.of("half", ending="eof"),
        Turn.of("half", ending="failed"),
        rate_limited("0"),
        BAD,
    ],
    ids=["malformed", "deep", "unknown tool", "wrong arguments", "empty", "cut", "eof", "failed", "429", "500"],
)
async def test_one_bad_reply_is_got_over(tmp_path: Path, trouble: Turn | Fault) -> None:
    async with office(tmp_path, [trouble, says("Here is the answer.")]) as work:
        thread, _ = await work.say(MARIA, "do it")
        await work.settled(thread)
        assert work.replies(thread) == ["Here is the answer."]
        assert work.card(thread).state == "done"


@pytest.mark.parametrize("trouble", [BAD, Turn.of(), Turn.of("x", ending="cut")], ids=["500", "empty", "cut"])
async def test_lasting_trouble_is_said_and_the_next_message_goes_on(tmp_path: Path, trouble: Turn | Fault) -> None:
    async with office(tmp_path, lambda _: trouble) as work:
        thread, _ = await work.say(MARIA, "do it")
        await work.settled(thread)
        [told] = work.replies(thread)
        assert "tried" in told
        assert work.card(thread).state == "failed"
        await work.resting()
        work.server.script = lambda _: says("Now it works.")
        await work.say(MARIA, "try again", thread)
        await work.settled(thread, run=2)
        assert work.replies(thread)[-1] == "Now it works."


async def test_a_refusal_is_shown_as_it_is(tmp_path: Path) -> None:
    async with office(tmp_path, [Turn.of(Refusal("I can't help with that."))]) as work:
        thread, _ = await work.say(MARIA, "something bad")
        await work.settled(thread)
        assert work.replies(thread) == ["I can't help with that."]


async def test_a_model_going_in_circles_is_stopped(tmp_path: Path) -> None:
    async with office(tmp_path, lambda _: calls("shell", command="echo again")) as work:
        thread, _ = await work.say(MARIA, "do it")
        state = await work.settled(thread)
        assert "going in circles" in work.replies(thread)[0]
        assert state.runs[0].steps < 10


async def test_a_silent_model_is_given_up_honestly(tmp_path: Path) -> None:
    async with office(tmp_path, lambda _: Turn.of("x", ending="hang")) as work:
        settings = OpenAISettings("gpt-test", "sk-test-not-real", work.server.url, idle=0.3)
        model = OpenAIModel(settings)
        work.parts = replace(work.parts, model=model)
        thread, _ = await work.say(MARIA, "do it")
        await work.settled(thread)
        assert "silent" in work.replies(thread)[0]
        await model.close()


async def test_an_overflow_makes_room_and_keeps_every_wish(tmp_path: Path) -> None:
    script = [calls("note", text="the key is 42"), calls("shell", command="echo x"), too_long(), says("Done.")]
    async with office(tmp_path, script) as work:
        thread, _ = await work.say(MARIA, "list the chairs, only blue ones")
        await work.settled(thread)
        last = str(work.server.requests[-1].body["input"])
        assert "only blue ones" in last
        assert "the key is 42" in last
        assert work.replies(thread) == ["Done."]


async def test_a_nearly_full_context_is_summed_up_in_time(tmp_path: Path) -> None:
    def small(parts: Parts) -> Parts:
        return replace(parts, context_tokens=120)

    script = [calls("shell", command=f"echo {n}") for n in range(3)]
    script += [says("SUMMARY: three echoes."), says("Done.")]
    async with office(tmp_path, script, Wishes(change=small)) as work:
        thread, _ = await work.say(MARIA, "echo thrice, quietly")
        await work.settled(thread)
        last = str(work.server.requests[-1].body["input"])
        assert "SUMMARY: three echoes." in last
        assert "echo thrice, quietly" in last
        assert work.replies(thread) == ["Done."]


async def test_a_very_long_message_is_taken_whole(tmp_path: Path) -> None:
    async with office(tmp_path, [says("Read.")]) as work:
        thread, _ = await work.say(MARIA, "word " * 8000)
        await work.settled(thread)
        assert "word " * 7000 in str(work.server.requests[0].body["input"])
        assert len(work.card(thread).goal) <= 150


async def test_odd_names_become_plain_ones_and_none_is_lost(tmp_path: Path) -> None:
    names = [
        "../../etc/passwd",
        "a\u202egnp.exe",
        "x\x00\x07y.txt",
        "n" * 300 + ".csv",
        "表" * 200,
        "same.txt",
        "same.txt",
        "..",
    ]
    async with office(tmp_path, [says("Seen.")]) as work:
        files = tuple(work.surface.attach(name, b"data") for name in names)
        thread, _ = await work.say(MARIA, "look at these", files=files)
        state = await work.settled(thread)
        paths = [state.brought[file.id].path for file in files]
        assert len(set(paths)) == len(names)
        assert all(path.startswith("/home/user/inbox/") or "/inbox/" in path for path in paths)
        plain = [path.rsplit("/", 1)[-1] for path in paths]
        assert plain[0] == "passwd"
        assert plain[5:7] == ["same.txt", "same-2.txt"]
        assert all(name.isprintable() and len(name.encode()) <= 200 and not name.startswith(".") for name in plain)


async def test_a_file_too_large_is_said_and_the_work_goes_on(tmp_path: Path) -> None:
    async with office(tmp_path, [says("It is too large.")]) as work:
        huge = FileRef("F1", "dump.sql", "application/sql", 1_000_000_000, "none")
        thread, _ = await work.say(MARIA, "import this", files=(huge,))
        await work.settled(thread)
        assert "dump.sql could not be brought here" in str(work.server.requests[0].body["input"])


async def test_nul_and_half_characters_do_no_harm(tmp_path: Path) -> None:
    async with office(tmp_path, [calls("shell", command="echo a\u0000b"), says("a\u0000b fine")]) as work:
        thread, _ = await work.say(MARIA, "a\x00b \ud83d c")
        state = await work.settled(thread)
        assert state.runs[0].answered
        assert "fine" in work.replies(thread)[0]


async def test_another_bot_is_left_alone(tmp_path: Path) -> None:
    async with office(tmp_path, [says("Hello."), says("no")]) as work:
        thread, _ = await work.say(MARIA, "hello")
        await work.settled(thread)
        await work.say(Person("fake/robot", "Robot", "bot"), "do something", thread)
        await work.until(thread, lambda state: len(state.said) == 2)
        await work.resting()
        assert len(work.server.requests) == 1
        assert work.surface.whispers == []
