"""The card and the words about a run never claim work that does not happen."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

from hypothesis import given, settings

from bot import narrator
from bot.entries import Finished, HeldWrite, Judged, Said, Started, Stopped
from bot.heard import Person, Thread
from bot.session.duties import owed
from bot.session.state import SENT, Call, State
from bot.session.steps import Allowance, Rest, next_step
from tests.bot.test_context import NUMBERS, drawing
from tests.support.walk import Walk

NOW = datetime(2026, 11, 30, tzinfo=UTC)
LATER = NOW + timedelta(days=1)
MARIA = Person("fake/maria", "Maria")


def sending(*more: Any) -> State:
    state = State(Thread("f", "w", "c", "1"))
    state.apply(1, Said(NOW, "k", MARIA, "1", "order", "request"))
    write = HeldWrite("w1", "POST", "http://shop.test/", (), "b", 1, "b")
    state.calls["w1"] = Call("w1", SENT, "{}", held=write, run=1)
    for number, entry in enumerate(more, 2):
        state.apply(number, entry)
    return state


STARTED = Started(NOW, "w1", SENT, "k", "Sent it", "unknown")
STOPPED = Stopped(NOW, MARIA, "Maria stopped me")


def test_a_send_without_an_answer_may_need_undoing() -> None:
    state = sending(STARTED, STOPPED, Finished(NOW, "w1", False, "cut", unknown=True))
    report = narrator.report(state, state.runs[0])
    assert "May need undoing: POST http://shop.test/ may have been sent." in report
    assert "Nothing outside" not in report


def test_a_send_that_never_began_changed_nothing() -> None:
    state = sending(Judged(NOW, "w1", "ask", "r", "w", "send", "d"), STOPPED)
    assert "Nothing outside was changed." in narrator.report(state, state.runs[0])


def test_no_report_is_given_while_a_call_has_no_end() -> None:
    state = sending(STARTED, STOPPED)
    assert not any(duty.what in ("report", "settle") for duty in owed(state))


@settings(max_examples=40, deadline=None)
@given(NUMBERS)
def test_a_card_works_only_while_something_works(numbers: list[int]) -> None:
    state = Walk(drawing(numbers), lambda _: None).go(50)
    step = next_step(state, LATER, Allowance(steps=12))
    for run in state.runs:
        card = narrator.status_card(state, run, LATER, 5.0)
        assert (card.state in ("working", "waiting")) == (run is state.run and not run.ended)
        assert not run.ended or "Thinking" not in card.headline
    if state.run and isinstance(step, Rest) and not state.run.ended:
        assert narrator.waiting_for(state), "it rests, so it waits for somebody"
    assert narrator.status_text(state, LATER)
