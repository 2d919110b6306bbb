"""What a message means, decided once and by rules a person can predict."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from bot.entries import Answered, Asked, Decided, Entry, Failed, Query, Refused, Replied, Reworded, Said, Stopped, Usage
from bot.heard import Delete, Edit, Heard, Message, Person, Press, Resume, Thread
from bot.session.state import State
from bot.session.steps import Allowance, Drop, Judge, Think, next_step
from bot.steering import Reading, Rules, interpret

NOW = datetime(2026, 11, 30, tzinfo=UTC)
MARIA, BEN = Person("fake/maria", "Maria"), Person("fake/ben", "Ben")
GUS, BOT = Person("fake/gus", "Gus", "guest"), Person("fake/bot", "Robot", "bot")
CALL = {"type": "function_call", "call_id": "c", "name": "shell", "arguments": "{}"}


def at_work(*more: Entry) -> State:
    state = State(Thread("f", "w", "c", "1"))
    for number, entry in enumerate((Said(NOW, "k1", MARIA, "1", "chart Q2", "request"), *more), 1):
        state.apply(number, entry)
    return state


def heard(state: State, what: Heard, key: str = "new", *, guests: bool = False) -> list[Entry]:
    entries = interpret(Reading(state, Rules(guests), NOW, key), what)
    for entry in entries:
        state.apply(state.number + 1, entry)
    return entries


def says(person: Person, text: str, ts: str = "9", *, addressed: bool = False) -> Message:
    return Message(person, ts, text, addressed)


def question(number: int = 2) -> tuple[Entry, ...]:
    replied = Replied(NOW, (CALL,), 1, Usage(), "m")
    return replied, Asked(NOW, "q", "question", f"{number}.1", (MARIA.id,), (Query("A?"), Query("B?")))


def test_a_message_is_read_once() -> None:
    assert heard(at_work(), says(MARIA, "more"), "k1") == []


def test_the_same_message_under_another_key_is_read_once_too() -> None:
    assert heard(at_work(), says(MARIA, "chart Q2", "1", addressed=True)) == []


def test_bots_are_never_answered_and_guests_only_where_they_are_allowed() -> None:
    [aside] = heard(at_work(), says(BOT, "do it", addressed=True))
    assert isinstance(aside, Said)
    assert (aside.sense, aside.text) == ("aside", "")
    [refused] = heard(at_work(), says(GUS, "do it", addressed=True))
    assert isinstance(refused, Refused)
    [taken] = heard(at_work(), says(GUS, "do it", addressed=True), guests=True)
    assert isinstance(taken, Said)
    assert taken.sense == "steer"


@pytest.mark.parametrize("place", ["x", "7", "-1", "٣", "0 "])
def test_a_forged_answer_is_refused(place: str) -> None:
    [refused] = heard(at_work(*question()), Press(MARIA, "q", 1, "", answers={place: "yes"}))
    assert isinstance(refused, Refused)


def test_the_last_of_several_answers_ends_the_question() -> None:
    state = at_work(*question())
    heard(state, Press(MARIA, "q", 1, "", answers={"1": "two"}), "a")
    heard(state, Press(MARIA, "q", 1, "", answers={"0": "one"}), "b")
    decided = state.asks["q"].decided
    assert decided is not None
    assert decided.answers == ("one", "two")


def test_an_edit_while_a_question_blocks_withdraws_it_so_that_the_model_hears_of_the_edit() -> None:
    state = at_work(*question())
    heard(state, Edit(MARIA, "1", "chart Q3", "v"))
    assert state.open_asks == []
    assert isinstance(next_step(state, NOW, Allowance()), Drop)


def test_nobody_rewords_anothers_message() -> None:
    assert heard(at_work(), Edit(BEN, "1", "chart Q3", "v")) == []


def test_an_edit_after_the_answer_is_a_new_request_and_after_a_failure_is_kept_for_later() -> None:
    answered = heard(at_work(Answered(NOW, "m", "done")), Edit(MARIA, "1", "chart Q3", "v"))
    assert [type(entry) for entry in answered] == [Reworded, Said]
    failed = heard(at_work(Failed(NOW, "x", "y")), Edit(MARIA, "1", "chart Q3", "v"))
    assert [type(entry) for entry in failed] == [Reworded]


def test_a_deleted_request_stops_the_run_and_a_deleted_wish_does_not() -> None:
    state = at_work(Said(NOW, "k2", MARIA, "2", "only blue", "steer"))
    heard(state, Delete("2"), "a")
    assert state.active
    assert isinstance(heard(state, Delete("1"), "b")[-1], Stopped)


def test_going_on_takes_up_the_request_its_wishes_and_no_more() -> None:
    state = at_work(Said(NOW, "k2", MARIA, "2", "only blue", "steer"), Stopped(NOW, MARIA, "stop"))
    heard(state, Resume(BEN))
    run = state.runs[-1]
    assert (run.request.text, run.requester) == ("chart Q2", BEN)
    assert "only blue" in [said.text for said in run.heard]
    assert heard(state, Edit(MARIA, "1", "chart Q3", "v"), "e"), "the request can still be reworded"
    other = at_work(Said(NOW, "k2", MARIA, "2", "only blue", "steer"), Stopped(NOW, MARIA, "stop"))
    heard(other, says(MARIA, "what is two plus two"))
    assert [said.text for said in other.runs[-1].heard] == ["what is two plus two"]


def test_an_answer_is_told_to_the_model_even_if_the_course_changes_right_after() -> None:
    state = at_work(*question())
    heard(state, says(MARIA, "January"), "a")
    heard(state, says(MARIA, "and only blue", "10"), "b")
    step = next_step(state, NOW, Allowance())
    assert not isinstance(step, Drop | Think | Judge)


def test_a_failure_that_somebody_overtook_does_not_end_the_run() -> None:
    state = at_work(Said(NOW, "k2", MARIA, "2", "only blue", "steer"), Failed(NOW, "quota", "no money", seen=1))
    assert state.active
    assert next_step(state, NOW, Allowance()) == Think()


def test_a_run_that_failed_leaves_no_question_open() -> None:
    state = at_work(*question(), Failed(NOW, "limit", "enough"))
    assert isinstance(next_step(state, NOW, Allowance()), Drop)
    assert not any(isinstance(entry, Decided) for _, entry in state.entries)
