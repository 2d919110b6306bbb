"""An answer that was overtaken before anybody could read it: the model is told, and nothing is said twice."""

from __future__ import annotations

from datetime import UTC, datetime

from bot.context import UNSAID, build
from bot.entries import Entry, Posted, Posting, Replied, Said, Usage
from bot.heard import Person, Thread
from bot.session.duties import answer_key, owed
from bot.session.state import State, fold

NOW = datetime(2026, 11, 30, 9, 0, tzinfo=UTC)
MARIA = Person("fake/maria", "Maria")
ANSWER = answer_key(1, 1)


def said(ts: str, text: str, sense: str) -> Said:
    return Said(NOW, f"m:{ts}", MARIA, ts, text, "request" if sense == "request" else "steer")


def replied(text: str, seen: int) -> Replied:
    items = ({"type": "message", "role": "assistant", "content": [{"type": "output_text", "text": text}]},)
    return Replied(NOW, items, seen, Usage(), "model")


def after(*between: Entry) -> State:
    """A request, its answer, what happened to the answer, and a message that overtook it."""
    entries = (said("1", "count to two", "request"), replied("one, two", 1), *between, said("2", "and three", "steer"))
    return fold(Thread("fake", "T", "C", "1"), list(enumerate(entries, start=1)))


def told(state: State) -> list[str]:
    """What the model reads, in order."""
    return [item["content"][0]["text"] for item in build(state)]


def test_the_model_hears_that_nobody_read_what_was_overtaken() -> None:
    texts = told(after())
    assert texts[1:3] == ["one, two", UNSAID]
    assert texts[3].endswith("and three")


def test_an_answer_that_stands_is_not_asked_for_again() -> None:
    state = after(Posting(NOW, ANSWER, "answer"), Posted(NOW, ANSWER, "m1"))
    assert UNSAID not in told(state)
    assert state.half_said == []


def test_an_answer_whose_post_was_begun_is_posted_to_the_end_before_the_model_goes_on() -> None:
    state = after(Posting(NOW, ANSWER, "answer"))
    assert UNSAID not in told(state)
    assert state.half_said == [ANSWER]
    assert ANSWER in [duty.key for duty in owed(state) if duty.what == "answer"]


def test_an_answer_that_was_taken_back_is_not_posted_later() -> None:
    state = after(Posting(NOW, ANSWER, "answer"), Posted(NOW, ANSWER, ""))
    assert UNSAID in told(state)
    assert state.half_said == []
