"""What the model reads only grows at its end, and every call in it has exactly one output."""

from __future__ import annotations

from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from bot.compaction import boundary, carried_over, tightest_boundary
from bot.context import build
from bot.entries import Compacted, Item, dump, load
from bot.session.state import State, fold
from tests.support.walk import Walk

NUMBERS = st.lists(st.integers(0, 10_000), min_size=40, max_size=200)


def drawing(numbers: list[int]) -> Any:
    """Numbers one after the other, from the beginning again when they are used up."""
    at = -1

    def draw(most: int) -> int:
        nonlocal at
        at = (at + 1) % len(numbers)
        return numbers[at] % most

    return draw


def well_formed(items: tuple[Item, ...]) -> None:
    """Each call is followed by its one output, and nobody speaks in between."""
    waiting: list[str] = []
    for item in items:
        match item.get("type"):
            case "function_call":
                waiting.append(item["call_id"])
            case "function_call_output":
                assert item["call_id"] in waiting
                waiting.remove(item["call_id"])
            case _:
                assert not waiting or item.get("role") == "assistant"
    assert not waiting


@settings(max_examples=40, deadline=None)
@given(NUMBERS)
def test_each_request_begins_with_the_bytes_of_the_one_before(numbers: list[int]) -> None:
    before: list[tuple[Item, ...]] = [()]

    def think(state: State) -> None:
        items = build(state)
        well_formed(items)
        assert items[: len(before[-1])] == before[-1]
        before.append(items)

    Walk(drawing(numbers), think).go(60)


@settings(max_examples=20, deadline=None)
@given(NUMBERS)
def test_a_journal_read_back_comes_to_the_same_context(numbers: list[int]) -> None:
    state = Walk(drawing(numbers), lambda _: None).go(50)
    again = fold(state.thread, [(number, load(dump(entry))) for number, entry in state.entries])
    assert build(again) == build(state)
    assert (again.news, again.course, again.open_asks) == (state.news, state.course, state.open_asks)


@settings(max_examples=40, deadline=None)
@given(NUMBERS, st.booleans())
def test_a_compaction_at_any_point_keeps_what_people_said(numbers: list[int], tight: bool) -> None:
    def think(state: State) -> None:
        if state.number % 3:
            return
        upto = tightest_boundary(state) if tight else boundary(state)
        if upto is None:
            return
        state.apply(state.number + 1, Compacted(state.entries[-1][1].at, upto, carried_over(state, upto, "SUMMARY")))
        items = build(state)
        well_formed(items)
        text = str(items)
        for said in state.said.values():
            if said.sense in ("request", "steer", "answer") and said.ts not in state.withdrawn:
                assert said.text in text
        assert all(note in text for note in state.notes)
        lines = str(items[0]["content"][0]["text"]).splitlines()
        gone = [said for said in state.said.values() if said.ts in state.withdrawn and said.text]
        stands = {(said.author.name, said.text) for said in state.said.values() if said.ts not in state.withdrawn}
        assert not any(
            f"- {said.author.name}: {said.text}" in lines
            for said in gone
            if (said.author.name, said.text) not in stands
        )

    Walk(drawing(numbers), think).go(60)
