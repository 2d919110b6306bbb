"""What every chat product must do for sessions: checks that the fake and each real surface pass.

`CHECKS` are async functions of a `Bench`: the surface, and a way to be the people on the other side of it.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Literal, Protocol

from bot.entries import Deliverable, Query
from bot.heard import FileRef, Person, Thread
from bot.outgoing import CardStep, Confirmation, Question, Record, Reply, StatusCard
from bot.surface import Gone, Refused, Surface, SurfaceError, Unavailable
from policies.types import Card, Fact

Lost = Literal["post", "file", "update"]


@dataclass(frozen=True, slots=True)
class Shown:
    """A message of the bot as people see it: all its words, the names of its files."""

    id: str
    text: str
    files: tuple[str, ...] = ()


class Bench(Protocol):
    """A surface under test with people around it."""

    @property
    def surface(self) -> Surface: ...

    @property
    def person(self) -> Person: ...

    async def thread(self, text: str) -> Thread:
        """`person` begins a thread with that text."""
        ...

    async def say(self, thread: Thread, text: str, file: tuple[str, bytes] | None = None) -> tuple[str, FileRef | None]:
        """`person` writes in the thread. Returns the message's id and the file as the surface names it."""
        ...

    async def shown(self, thread: Thread) -> list[Shown]:
        """The bot's messages that everybody in the thread sees, oldest first."""
        ...

    async def whispers(self, thread: Thread) -> list[str]:
        """What only `person` sees."""
        ...

    async def lose(self, what: Lost) -> None:
        """The next thing of that kind takes effect, but the surface does not learn of it."""
        ...

    async def refuse(self, what: Lost) -> None:
        """The next thing of that kind fails before it takes effect."""
        ...

    def deliverable(self, name: str, data: bytes) -> Deliverable:
        """A stored file to hand over."""
        ...

    async def until(self, condition: Callable[[], Awaitable[bool]]) -> None:
        """Wait until it holds; TimeoutError otherwise."""
        ...


async def insist(act: Callable[[bool], Awaitable[str]]) -> str:
    """As sessions do: try, and after trouble try again with `look`."""
    look = False
    for _ in range(10):
        try:
            return await act(look)
        except Unavailable:
            look = True
    raise AssertionError("it never got through")


CARD = StatusCard("a model of revenue", "working", (CardStep("Read the deck", "done"), CardStep("Build", "doing")))


async def a_reply_stands_in_the_thread(bench: Bench) -> None:
    thread = await bench.thread("hello")
    message = await bench.surface.post(thread, Reply("The answer is **42**."), "k1")
    (shown,) = await bench.shown(thread)
    assert shown.id == message
    assert "42" in shown.text


async def the_same_key_posts_once_when_told_to_look(bench: Bench) -> None:
    thread = await bench.thread("hello")
    first = await bench.surface.post(thread, Reply("one"), "k1")
    again = await bench.surface.post(thread, Reply("one"), "k1", look=True)
    other = await bench.surface.post(thread, Reply("two"), "k2", look=True)
    assert first == again != other
    assert len(await bench.shown(thread)) == 2


async def a_lost_answer_does_not_double_a_post(bench: Bench) -> None:
    thread = await bench.thread("hello")
    await bench.lose("post")
    await insist(lambda look: bench.surface.post(thread, Reply("only once"), "k1", look=look))
    texts = [shown.text for shown in await bench.shown(thread)]
    assert len([t for t in texts if "only once" in t]) == 1


async def a_refused_attempt_is_made_again(bench: Bench) -> None:
    thread = await bench.thread("hello")
    await bench.refuse("post")
    await insist(lambda look: bench.surface.post(thread, Reply("at last"), "k1", look=look))
    assert ["at last" in shown.text for shown in await bench.shown(thread)] == [True]


async def files_follow_the_answer(bench: Bench) -> None:
    thread = await bench.thread("hello")
    files = (bench.deliverable("model.csv", b"a,b\n"), bench.deliverable("deck.txt", b"slide"))
    await bench.surface.post(thread, Reply("Here you are.", files), "k1")
    shown = await bench.shown(thread)
    assert "Here you are." in shown[0].text
    assert sorted(name for message in shown for name in message.files) == ["deck.txt", "model.csv"]


async def lost_answers_do_not_double_files(bench: Bench) -> None:
    thread = await bench.thread("hello")
    reply = Reply("Here.", (bench.deliverable("a.csv", b"aaa"), bench.deliverable("b.csv", b"bbbb")))
    await bench.lose("file")
    await insist(lambda look: bench.surface.post(thread, reply, "k1", look=look))
    await bench.surface.post(thread, reply, "k1", look=True)
    shown = await bench.shown(thread)
    assert sorted(name for message in shown for name in message.files) == ["a.csv", "b.csv"]
    assert len([m for m in shown if "Here." in m.text]) == 1


async def a_status_card_changes_in_place(bench: Bench) -> None:
    thread = await bench.thread("hello")
    message = await bench.surface.post(thread, CARD, "card")
    await bench.surface.update(thread, message, StatusCard(CARD.goal, "working", CARD.steps, note="Now: blue only"))

    async def blue() -> bool:
        return ["Now: blue only" in shown.text for shown in await bench.shown(thread)] == [True]

    await bench.until(blue)


async def the_last_state_of_a_card_gets_through(bench: Bench) -> None:
    thread = await bench.thread("hello")
    message = await bench.surface.post(thread, CARD, "card")
    for number in range(12):
        await bench.surface.update(thread, message, StatusCard(CARD.goal, "working", headline=f"step {number}"))
    await bench.surface.update(thread, message, StatusCard(CARD.goal, "done", headline="all done"))
    (shown,) = await bench.shown(thread)
    assert "all done" in shown.text


async def a_question_shows_its_options_and_becomes_a_record(bench: Bench) -> None:
    thread = await bench.thread("hello")
    question = Question("q1", 1, bench.person, (Query("Fiscal year from?", ("January", "April")),), "Else January.")
    message = await bench.surface.post(thread, question, "k1")
    text = (await bench.shown(thread))[0].text
    assert all(word in text for word in ("Fiscal year from?", "January", "April", "Else January."))
    await bench.surface.update(thread, message, Record("Fiscal year", "Maria said April at 14:02"))
    (shown,) = await bench.shown(thread)
    assert "Maria said April at 14:02" in shown.text


async def a_confirmation_shows_everything_that_matters(bench: Bench) -> None:
    thread = await bench.thread("hello")
    facts = (Fact("to", "bob@acme.com"), Fact("to", "j.doe@gmial.com", "the page example.com/contact"))
    card = Card("Send this mail to 2 people?", facts, quote="Dear all,\n" + "x" * 5000 + "\nEND", quote_label="text")
    await bench.surface.post(thread, Confirmation("a1", 1, bench.person, card, "only Maria can decide"), "k1")
    text = "\n".join(shown.text for shown in await bench.shown(thread))
    for part in ("Send this mail to 2 people?", "j.doe@gmial.com", "example.com/contact", "END", "Cannot be undone."):
        assert part in text
    assert "only Maria can decide" in text
    assert text.count("x") >= 5000


async def a_long_answer_arrives_whole(bench: Bench) -> None:
    thread = await bench.thread("hello")
    paragraphs = [f"Paragraph {number}: " + "words and more words. " * 20 for number in range(90)]
    await bench.surface.post(thread, Reply("\n\n".join(paragraphs)), "k1")
    await bench.surface.post(thread, Reply("\n\n".join(paragraphs)), "k1", look=True)
    text = "\n".join(shown.text for shown in await bench.shown(thread))
    assert all(text.count(f"Paragraph {number}: ") == 1 for number in range(90))


async def an_answer_is_typed_live_and_ends_as_it_should(bench: Bench) -> None:
    thread = await bench.thread("hello")
    stream = bench.surface.stream(thread, "k1", bench.person)
    ids = {await stream.append(delta) for delta in ("The ", "answer ", "is ", "42.")}
    message = await stream.finish(Reply("The answer is **42**, checked twice."))
    assert ids <= {"", message}
    (shown,) = await bench.shown(thread)
    assert (shown.id, "checked twice." in shown.text) == (message, True)
    assert await bench.surface.post(thread, Reply("The answer is **42**, checked twice."), "k1", look=True) == message


async def a_stream_without_words_still_answers(bench: Bench) -> None:
    thread = await bench.thread("hello")
    await bench.surface.stream(thread, "k1", bench.person).finish(Reply("Straight away."))
    assert ["Straight away." in shown.text for shown in await bench.shown(thread)] == [True]


async def an_abandoned_answer_is_taken_back(bench: Bench) -> None:
    thread = await bench.thread("hello")
    stream = bench.surface.stream(thread, "k1", bench.person)
    await stream.append("I will now delete everything and ")
    await stream.abandon()
    assert await bench.shown(thread) == []


async def a_stream_cut_by_a_crash_becomes_the_answer(bench: Bench) -> None:
    thread = await bench.thread("hello")
    await bench.surface.post(thread, CARD, "card")
    await bench.surface.stream(thread, "k1", bench.person).append("Half an answ, and then the power ")
    await bench.surface.post(thread, Reply("The whole answer."), "k1", look=True)
    texts = [shown.text for shown in await bench.shown(thread)]
    assert len(texts) == 2
    assert "The whole answer." in texts[1]
    assert "Half" not in texts[1]


async def a_whisper_is_for_one_person(bench: Bench) -> None:
    thread = await bench.thread("hello")
    await bench.surface.whisper(thread, bench.person, "Only Priya can decide this.")
    assert ["Only Priya can decide this." in text for text in await bench.whispers(thread)] == [True]
    assert await bench.shown(thread) == []


async def marks_never_raise(bench: Bench) -> None:
    thread = await bench.thread("hello")
    await bench.surface.mark(thread, "seen", thread.root)
    await bench.surface.mark(thread, "seen", thread.root)
    await bench.surface.mark(thread, "working", title="Building the model")
    await bench.surface.mark(thread, "waiting")
    await bench.surface.mark(thread, "applied", "1700000000.000100")
    await bench.surface.mark(thread, "done", thread.root)


async def an_attached_file_is_read_whole(bench: Bench) -> None:
    thread = await bench.thread("hello")
    data = bytes(range(256)) * 1000
    _, file = await bench.say(thread, "see this", ("data.bin", data))
    assert file is not None
    assert b"".join([chunk async for chunk in bench.surface.download(thread, file, 10_000_000)]) == data


async def a_file_that_is_too_large_is_refused(bench: Bench) -> None:
    thread = await bench.thread("hello")
    _, file = await bench.say(thread, "see this", ("data.bin", b"x" * 5000))
    assert file is not None
    try:
        async for _ in bench.surface.download(thread, file, 4999):
            pass
    except Refused:
        return
    raise AssertionError("it was not refused")


async def history_is_read_back_with_names(bench: Bench) -> None:
    thread = await bench.thread("the first words")
    await bench.surface.post(thread, Reply("mine"), "k1")
    await bench.say(thread, "the last words", ("notes.txt", b"notes"))
    lines = await bench.surface.history(thread)
    assert [("first" in lines[0].text), ("mine" in lines[1].text), ("last" in lines[2].text)] == [True] * 3
    assert (lines[0].author.id, lines[0].author.name) == (bench.person.id, bench.person.name)
    assert lines[1].author.standing == "bot"
    assert [file.name for file in lines[2].files] == ["notes.txt"]
    assert [line.ts for line in await bench.surface.history(thread, limit=1)] == [lines[2].ts]


async def a_message_that_is_gone_says_so(bench: Bench) -> None:
    thread = await bench.thread("hello")
    try:
        await bench.surface.update(thread, "1700000000.000100", Record("Question", "answered"))
    except Gone:
        return
    except SurfaceError as error:
        raise AssertionError(f"not Gone but {error!r}") from error
    raise AssertionError("nothing was said")


CHECKS: tuple[Callable[[Bench], Awaitable[None]], ...] = (
    a_reply_stands_in_the_thread,
    the_same_key_posts_once_when_told_to_look,
    a_lost_answer_does_not_double_a_post,
    a_refused_attempt_is_made_again,
    files_follow_the_answer,
    lost_answers_do_not_double_files,
    a_status_card_changes_in_place,
    the_last_state_of_a_card_gets_through,
    a_question_shows_its_options_and_becomes_a_record,
    a_confirmation_shows_everything_that_matters,
    a_long_answer_arrives_whole,
    an_answer_is_typed_live_and_ends_as_it_should,
    a_stream_without_words_still_answers,
    an_abandoned_answer_is_taken_back,
    a_stream_cut_by_a_crash_becomes_the_answer,
    a_whisper_is_for_one_person,
    marks_never_raise,
    an_attached_file_is_read_whole,
    a_file_that_is_too_large_is_refused,
    history_is_read_back_with_names,
    a_message_that_is_gone_says_so,
)
