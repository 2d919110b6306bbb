"""What is drawn is inert, honest, whole, and fits Slack, whatever was written."""

from __future__ import annotations

from random import Random
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bot.entries import Query
from bot.heard import Person
from bot.outgoing import CardStep, Confirmation, Outgoing, Question, Record, Reply, StatusCard, StepState
from bot.playground.blocks import check_blocks
from bot.playground.limits import check_text
from bot.surfaces.slack.buttons import clicked
from bot.surfaces.slack.escape import clean, markdown, mrkdwn, plain, visible
from bot.surfaces.slack.render import Draft, render
from bot.surfaces.slack.split import split
from bot.surfaces.slack.translate import Incoming
from policies.types import Card, Fact

MARIA = Person("T1/U1", "Maria")
JOINER = "\u200d"
HOSTILE = (
    "<@U666> <!channel> <!here|x> @here <#C1> [paypal.com](https://evil.example) \u202e ![p](http://t.example/p.png)"
)

PIECES = [*"<>@!#&*_~`|()[]{}\\/:.-\n\r\t ", "\u202e", "\u200b", "\x00", JOINER, "\ud800", "```", "~~~", "@here"]
WORDS = st.lists(st.one_of(st.sampled_from(PIECES), st.characters()), max_size=100).map("".join)
SIZES = (1, 74, 75, 150, 500, 1500, 2899, 2901, 5900, 11_900, 12_001, 40_000)
SEEDS = st.integers(0, 2**32)


def some_words(dice: Random) -> str:
    """Nothing, a few hostile pieces, or a great deal of something."""
    if dice.random() < 0.2:
        return ""
    if dice.random() < 0.6:
        return "".join(dice.choice([*PIECES, "a", "é", "漢"]) for _ in range(dice.randrange(60)))
    return (dice.choice(["words and more\n\n", "<&>", "x", "\n", " ", "<"]) * 40_000)[: dice.choice(SIZES)]


def some_message(dice: Random) -> Outgoing:
    """Anything a session could say."""

    def words() -> str:
        return some_words(dice)

    kind = dice.randrange(5)
    if kind == 0:
        states: tuple[StepState, ...] = ("done", "doing", "todo", "dropped", "failed")
        steps = tuple(CardStep(words(), dice.choice(states), words()) for _ in range(dice.choice([0, 1, 5, 50, 80])))
        return StatusCard(
            words(), dice.choice(("working", "done")), steps, words(), words(), words(), "https://a.example"
        )
    if kind == 1:
        return Reply(words(), (), dice.choice([None, MARIA]), dice.random() < 0.5, dice.random() < 0.5)
    if kind == 2:
        queries = [
            Query(words(), tuple(words() for _ in range(dice.randrange(7)))) for _ in range(dice.randrange(1, 20))
        ]
        return Question("ask-1", 2, MARIA, tuple(queries), words())
    if kind == 3:
        facts = tuple(Fact(words(), words(), words()) for _ in range(dice.randrange(6)))
        card = Card(words(), facts, *(words() for _ in range(7)))
        return Confirmation("ask-1", 2, MARIA, card, words())
    return Record(words(), words(), words())


@given(SEEDS, st.booleans())
@settings(max_examples=150, deadline=None)
def test_everything_fits_and_is_accepted(seed: int, classic: bool) -> None:
    drafts = render(some_message(Random(seed)), classic=classic)
    assert [draft.main for draft in drafts].count(True) == 1
    for draft in drafts:
        check_blocks([dict(block) for block in draft.blocks])
        check_text(draft.text, list(draft.blocks))
        assert draft.blocks


@given(SEEDS)
@settings(max_examples=80, deadline=None)
def test_nothing_pings_but_the_one_who_must_act(seed: int) -> None:
    for draft in render(some_message(Random(seed))):
        for said in (draft.text, *strings(list(draft.blocks))):
            rest = said.replace("<@U1>", "")
            assert not [bad for bad in ("<@U", "<!here", "<!channel", "<!everyone", "<!subteam", "<#C") if bad in rest]


def strings(value: Any) -> list[str]:
    if isinstance(value, str):
        return [value]
    items: list[Any] = list(value.values()) if isinstance(value, dict) else value if isinstance(value, list) else []  # pyright: ignore[reportUnknownArgumentType, reportUnknownVariableType]
    return [text for item in items for text in strings(item)]


def everything(drafts: tuple[Draft, ...]) -> str:
    return "\n".join(text for draft in drafts for text in strings(list(draft.blocks)))


@pytest.mark.parametrize(
    ("written", "shown"),
    [
        ("[paypal.com](https://evil.example/x)", "[paypal.com (evil.example)](https://evil.example/x)"),
        (
            "[https://paypal.com/login](https://evil.example)",
            "[https://paypal.com/login (evil.example)](https://evil.example)",
        ),
        ("[PayPal.com](https://www.paypal.com/x)", "[PayPal.com](https://www.paypal.com/x)"),
        ("[the report](https://docs.example/r)", "[the report](https://docs.example/r)"),
        ("![chart](https://t.example/p.png)", "[chart](https://t.example/p.png)"),
        ("![](https://t.example/p.png)", "[image](https://t.example/p.png)"),
        ("[x](javascript:alert(1))", "x"),
        ("[x](data:text/html,hi)", "x"),
        ("[x](slack://open)", "x"),
        ("<https://evil.example|paypal.com>", "[paypal.com (evil.example)](https://evil.example)"),
        ("https://paypal.com@evil.example/", "https://paypal.com@evil.example/ (evil.example)"),
        ("[a]: https://evil.example", "\\[a]: https://evil.example"),
        ("[pay\\]pal.com](https://evil.example)", "[pay\\]pal.com (evil.example)](https://evil.example)"),
        ("<@U1> <!here> @channel", f"<{JOINER}@U1> <{JOINER}!here> @{JOINER}channel"),
        ("a\u202eb\u200bc\x00d", "abcd"),
        ("```\n<!DOCTYPE html>\n[a.com](http://b.com)\n```", "```\n<!DOCTYPE html>\n[a.com](http://b.com)\n```"),
        ("```\n<!here> <@U1>\n```", f"```\n<{JOINER}!here> <{JOINER}@U1>\n```"),
    ],
)
def test_markdown_is_made_honest(written: str, shown: str) -> None:
    assert markdown(written) == shown


@given(WORDS)
@settings(max_examples=80, deadline=None)
def test_no_text_escapes(written: str) -> None:
    assert "<" not in mrkdwn(written)
    for safe in (mrkdwn(written), plain(written), markdown(written)):
        assert not {"\u202e", "\u200b", "\x00"} & set(safe)
    assert not {"\u202e", "\u200b", "\x00"} & set(visible(written))
    assert clean(clean(written)) == clean(written)


def test_a_page_of_brackets_takes_no_time() -> None:
    assert markdown("[" * 40_000 + "](x)" * 3000)
    assert markdown("<" * 40_000)


def test_hostile_words_are_shown_and_do_nothing() -> None:
    card = Card(f"Send {HOSTILE}", (Fact(HOSTILE, HOSTILE, HOSTILE),), HOSTILE, HOSTILE, HOSTILE, HOSTILE, HOSTILE)
    drafts = render(Confirmation("a1", 1, MARIA, card, "only Maria can decide"))
    for block in drafts[-1].blocks:
        if block["type"] == "rich_text":
            kinds = {leaf["type"] for part in block["elements"] for leaf in part["elements"]}
            assert kinds == {"text"}
    assert "<@U666>" not in everything(drafts)
    assert "<!channel>" not in everything(drafts)


def test_a_confirmation_hides_nothing_however_long() -> None:
    facts = tuple(Fact(f"to {n}", f"person{n}@acme.example", "a web page" if n % 7 == 0 else "") for n in range(120))
    quote = "\n".join(f"line {n} of the mail" for n in range(2000))
    drafts = render(Confirmation("a1", 1, MARIA, Card("Send?", facts, quote, "text"), "only Maria can decide"))
    assert len(drafts) > 1
    text = everything(drafts)
    assert all(f"person{n}@acme.example" in text for n in range(120))
    assert all(f"line {n} of the mail" in text for n in range(2000))
    assert "← not in your request; from a web page" in text
    assert [draft.main for draft in drafts] == [False] * (len(drafts) - 1) + [True]
    assert "Cannot be undone." in everything(drafts[-1:])


def test_the_first_line_of_a_confirmation_says_what_happens() -> None:
    (draft,) = render(Confirmation("a1", 1, MARIA, Card("Delete 3 files?", yes="Delete", no="Keep"), "only Maria"))
    assert draft.blocks[0]["elements"][0]["elements"][0]["text"] == "Delete 3 files?"
    row = next(block for block in draft.blocks if block["type"] == "actions")
    assert [(e["text"]["text"], e.get("style")) for e in row["elements"]] == [
        ("Delete", "danger"),
        ("Change…", None),
        ("Keep", None),
    ]


def test_an_option_too_long_for_a_button_is_answered_whole() -> None:
    option = "a long option " * 20
    (draft,) = render(Question("q1", 1, MARIA, (Query("Which?", (option,)),)))
    row = next(block for block in draft.blocks if block["type"] == "actions")
    body: dict[str, Any] = {
        "channel": {"id": "C1"},
        "message": {"ts": "1.1"},
        "actions": [{**row["elements"][0], "block_id": row["block_id"], "action_ts": "2.2"}],
    }
    found = clicked(body, "T1", MARIA)
    assert isinstance(found, Incoming)
    assert getattr(found.heard, "choice", "") == option


def test_a_card_says_what_it_does_and_offers_stop_only_while_it_can() -> None:
    working = render(StatusCard("a chart", "working", (CardStep("Read", "done", "12 pages"),), footer="1 min"))[0]
    plan = working.blocks[0]
    assert (plan["type"], plan["title"]) == ("plan", "Working on it: a chart")
    assert plan["tasks"][0]["status"] == "complete"
    assert "Stop" in everything((working,))
    assert "Stop" not in everything(render(StatusCard("a chart", "done")))


@given(SEEDS, st.integers(200, 3000))
@settings(max_examples=60, deadline=None)
def test_parts_of_a_long_text_fit_and_lose_nothing(seed: int, limit: int) -> None:
    text = some_words(Random(seed))
    parts = split(text, limit)
    assert all(0 < len(part) <= limit for part in parts)
    if "```" not in text:
        assert "".join("".join(parts).split()) == "".join(text.split())


def test_code_is_not_cut_where_it_fits() -> None:
    code = "```python\n" + "print(1)\n\n" * 30 + "```"
    parts = split("word " * 50 + "\n\n" + code + "\n\nend", 400)
    assert any(code in part for part in parts)
    long = split("```sh\n" + "echo something\n" * 200 + "```\nafter", 500)
    assert all(part.startswith("```sh\n") and part.rstrip().endswith("```") for part in long[:-1])
    assert "".join(long).count("echo something") == 200
