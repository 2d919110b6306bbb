"""The policy a deployment starts with."""

import pytest

from policies.builtin import decide
from policies.types import Effect, Label, Request


def wanted(effect: Effect, *, outside: bool, standing: str = "member") -> Request:
    return Request("tool", effect, {}, "w/maria", standing, outside)


@pytest.mark.parametrize("outside", [False, True])
@pytest.mark.parametrize("effect", [Effect.READ, Effect.FETCH])
def test_reading_goes(effect: Effect, outside: bool) -> None:
    assert decide(wanted(effect, outside=outside)).verdict == "auto"


@pytest.mark.parametrize("effect", [Effect.RUN, Effect.MAKE, Effect.EDIT])
def test_work_in_the_own_machine_goes(effect: Effect) -> None:
    assert decide(wanted(effect, outside=False)).verdict == "auto"


@pytest.mark.parametrize("effect", [Effect.MAKE, Effect.EDIT, Effect.SEND, Effect.SHARE, Effect.PUBLISH])
def test_what_changes_something_outside_asks(effect: Effect) -> None:
    assert decide(wanted(effect, outside=True)).verdict == "ask"


@pytest.mark.parametrize("effect", [Effect.DESTROY, Effect.MONEY, Effect.SECRET, Effect.RUN])
def test_what_no_rule_names_is_refused(effect: Effect) -> None:
    assert decide(wanted(effect, outside=True)).verdict == "deny"


@pytest.mark.parametrize("effect", list(Effect))
@pytest.mark.parametrize("outside", [False, True])
def test_nothing_is_done_for_outsiders(effect: Effect, outside: bool) -> None:
    assert decide(wanted(effect, outside=outside, standing="outsider")).verdict == "deny"


@pytest.mark.parametrize("effect", list(Effect))
def test_every_decision_says_by_which_rule_and_why(effect: Effect) -> None:
    decision = decide(wanted(effect, outside=True))
    assert decision.rule
    assert decision.why.endswith(".")


def test_a_joined_label_is_as_low_and_as_closed_as_its_parts() -> None:
    ours, theirs = Label("request", frozenset({"a", "b"})), Label("other", frozenset({"b", "c"}))
    assert ours.join(theirs) == Label("other", frozenset({"b"}))
    assert ours.join(Label("request")) == ours
    assert Label().join(ours).readers == ours.readers
