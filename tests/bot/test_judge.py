"""What is judged is exactly what runs."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from bot.entries import HeldWrite, Said
from bot.heard import Person, Thread
from bot.judge import digest_of, rule, unknown_card, write_card
from bot.session.state import SENT, Call, Run, State, held_arguments
from tests.support.office import toolbox

NOW = datetime(2026, 11, 30, tzinfo=UTC)
MARIA = Person("fake/maria", "Maria")


def run(text: str = "do it", person: Person = MARIA) -> Run:
    said = Said(NOW, "k", person, "1", text, "request")
    return Run(1, person, said, NOW, [said])


def held(url: str, body: str = "x") -> HeldWrite:
    return HeldWrite("w1", "POST", url, (("content-type", "text/plain"),), "b" * 64, len(body), body)


@pytest.mark.parametrize(
    ("name", "arguments", "found"),
    [
        ("nothing", "{}", "unknown-tool"),
        ("shell", "{broken", "arguments"),
        ("shell", "{}", "arguments"),
        ("shell", "[" * 50_000, "arguments"),
        ("shell", '{"command": "ls", "timeout_s": -1}', "arguments"),
    ],
)
def test_a_wrong_call_is_refused_with_words_the_model_can_act_on(name: str, arguments: str, found: str) -> None:
    ruling = rule(Call("1.1", name, arguments), run(), State(Thread("f", "w", "c", "1")), toolbox())
    assert (ruling.decision.verdict, ruling.decision.rule) == ("deny", found)
    assert ruling.decision.why


def test_the_digest_is_of_the_meaning_not_of_the_spelling() -> None:
    assert digest_of("a", '{"x": 1, "y": 2}') == digest_of("a", '{"y":2,"x":1}')
    assert digest_of("a", '{"x": 1}') != digest_of("b", '{"x": 1}')
    assert digest_of("a", "[" * 100_000)


def test_a_held_write_asks_and_is_bound_to_every_byte() -> None:
    state = State(Thread("f", "w", "c", "1"))
    one, other = held("http://shop.test/a"), held("http://shop.test/b")
    first = rule(Call("w1", SENT, held_arguments(one), held=one), run(), state, toolbox())
    second = rule(Call("w1", SENT, held_arguments(other), held=other), run(), state, toolbox())
    assert first.decision.verdict == "ask"
    assert first.digest != second.digest


def test_nothing_is_sent_for_somebody_from_outside() -> None:
    write = held("http://shop.test/a")
    guest = run(person=Person("x/olga", "Olga", "outsider"))
    call = Call("w1", SENT, held_arguments(write), held=write)
    assert rule(call, guest, State(Thread("f", "w", "c", "1")), toolbox()).decision.verdict == "deny"


@pytest.mark.parametrize(
    ("text", "asked_for"),
    [
        ("post it to shop.test", True),
        ("post it to http://shop.test/orders.", True),
        ("post it to shop.test.evil.org", False),
        ("post it to notshop.test", False),
        ("just order", False),
    ],
)
def test_a_host_counts_as_asked_for_only_if_it_was_named(text: str, asked_for: bool) -> None:
    card = write_card(held("http://shop.test/orders"), run(text))
    assert (card.facts[0].origin == "") is asked_for


def test_look_alike_hosts_are_spelt_out_and_odd_ones_do_no_harm() -> None:
    assert "xn--" in write_card(held("http://аpple.com/"), run()).heading
    assert write_card(held("http://[broken/"), run()).heading
    assert write_card(held("http://user@shop.test:8080/"), run()).heading == "Send this POST request to shop.test:8080?"


def test_what_is_not_shown_is_said() -> None:
    write = HeldWrite("w1", "POST", "http://shop.test/", (), "b" * 64, 5000, "x" * 2000)
    assert write_card(write, run()).hidden == "3,000 more bytes are not shown"


def test_a_repeated_send_says_that_it_may_have_arrived() -> None:
    card = unknown_card(write_card(held("http://shop.test/"), run()))
    assert "don't know whether" in card.heading
    assert card.yes == "Send again"
