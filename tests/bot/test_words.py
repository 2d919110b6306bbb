"""The phrases that are understood without a model, and what only looks like one."""

import pytest

from bot import words


@pytest.mark.parametrize(
    "text",
    [
        "stop",
        "Stop!",
        "please stop",
        "STOP.",
        "cancel that",
        "never mind",
        "s\u200bt\u200bop",
        "ｓｔｏｐ",
        "stop\ufe0f",
        "\u202estop",
    ],
)
def test_a_plain_stop_is_a_stop(text: str) -> None:
    assert words.is_stop(text)


@pytest.mark.parametrize("text", ["stop using red", "don't stop", "the bus stop", "stop " * 100, ""])
def test_a_wish_with_the_word_in_it_is_not(text: str) -> None:
    assert not words.is_stop(text)


@pytest.mark.parametrize("text", ["yes", "Yes, send it", "ok!", "go ahead", "approved"])
def test_a_plain_yes_is_a_yes_and_no_no(text: str) -> None:
    assert words.is_yes(text)
    assert not words.is_no(text)


@pytest.mark.parametrize(
    "text", ["no, only bob", "yes but only bob", "not yet", "yes, if it is cheap", "okay then change it"]
)
def test_a_yes_or_no_with_a_condition_is_neither(text: str) -> None:
    assert not words.is_yes(text)
    assert not words.is_no(text)


@pytest.mark.parametrize("text", ["status?", "How far are you?", "are you still working?", "eta?"])
def test_people_ask_how_it_goes(text: str) -> None:
    assert words.is_status(text)


def test_asides_and_mutes_are_told_by_their_words() -> None:
    assert words.is_aside("  !aside lunch?")
    assert not words.is_aside("a!aside")
    assert [words.mute_word(text) for text in ("mute", "!Unmute", "mute the video")] == ["mute", "unmute", ""]
