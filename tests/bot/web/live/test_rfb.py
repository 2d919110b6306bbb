"""View-only is enforced on the host, byte by byte."""

from __future__ import annotations

import struct

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.web.live.rfb import EXTENDED_CLIPBOARD, EXTENDED_MOUSE, Filter, NotUnderstood

GREETING = b"RFB 003.008\n\x01\x00"
PASSED = b"RFB 003.008\n\x01\x01"
LOOK = b"\x03\x01" + bytes(8)
PIXELS = b"\x00" + bytes(19)
FENCE = b"\xf8\0\0\0" + bytes(4) + b"\x02ab"
CONTINUOUS = b"\x96\x01" + bytes(8)
KEY = b"\x04\x01\0\0" + struct.pack("!I", ord("s"))
POINTER = b"\x05\x01" + struct.pack("!HH", 10, 20)
TEXT = b"\x06\0\0\0" + struct.pack("!i", 6) + b"secret"
LONG_TEXT = b"\x06\0\0\0" + struct.pack("!i", -8) + b"extended"
SIZE = b"\xfb\0" + struct.pack("!HHBx", 800, 600, 1) + bytes(16)
QEMU_KEY = b"\xff\x00" + bytes(10)
POWER = b"\xfa\x00\x01\x02"
LOOKING = [LOOK, PIXELS, FENCE, CONTINUOUS]
TYPING = [KEY, POINTER, TEXT, LONG_TEXT, SIZE, QEMU_KEY, POWER]


def greeted(*, control: bool) -> Filter:
    made = Filter(lambda: control)
    assert made.feed(GREETING) == PASSED
    return made


def test_whoever_only_watches_sends_no_key_click_text_or_size() -> None:
    watcher = greeted(control=False)
    assert watcher.feed(b"".join([KEY, LOOK, POINTER, TEXT, LONG_TEXT, SIZE, QEMU_KEY, POWER, FENCE])) == LOOK + FENCE


def test_whoever_has_control_sends_all_of_it() -> None:
    sent = b"".join([*LOOKING, *TYPING])
    assert greeted(control=True).feed(sent) == sent


def test_control_is_asked_for_anew_with_every_message() -> None:
    answers = iter([True, False, True])
    holder = Filter(lambda: next(answers))
    holder.feed(GREETING)
    assert holder.feed(KEY + POINTER + TEXT) == KEY + TEXT


def test_a_message_that_began_in_control_and_ended_without_it_is_dropped() -> None:
    control = [True]
    holder = Filter(lambda: control[0])
    holder.feed(GREETING)
    assert holder.feed(KEY[:5]) == b""
    control[0] = False
    assert holder.feed(KEY[5:] + LOOK) == LOOK


@given(st.lists(st.sampled_from(LOOKING + TYPING), max_size=12), st.data())
def test_cutting_the_stream_anywhere_changes_nothing(messages: list[bytes], data: st.DataObject) -> None:
    stream = GREETING + b"".join(messages)
    watcher, passed = Filter(lambda: False), b""
    at = 0
    while at < len(stream):
        step = data.draw(st.integers(1, len(stream) - at))
        passed += watcher.feed(stream[at : at + step])
        at += step
    assert passed == PASSED + b"".join(message for message in messages if message in LOOKING)


@given(st.binary(max_size=400))
def test_no_bytes_smuggle_a_key_past_a_watcher(noise: bytes) -> None:
    """Whatever comes, what passes is made of whole messages that only look."""
    watcher = greeted(control=False)
    try:
        passed = watcher.feed(noise)
    except NotUnderstood:
        return
    reader = Filter(lambda: True)
    reader.feed(GREETING)
    kinds = {0, 2, 3, 150, 248}
    while passed:
        size = next(n for n in range(1, len(passed) + 1) if reader.feed(passed[n - 1 : n]))
        assert passed[0] in kinds
        passed = passed[size:]


def test_extensions_that_would_change_the_length_of_messages_are_not_negotiated() -> None:
    named = [16, EXTENDED_MOUSE, 7, EXTENDED_CLIPBOARD, -223]
    message = struct.pack("!BxH5i", 2, 5, *named)
    assert greeted(control=True).feed(message) == struct.pack("!BxH3i", 2, 3, 16, 7, -223)


@pytest.mark.parametrize(
    "sent",
    [
        b"RFB 003.003\n",
        b"RFB 003.008\n\x02",
        GREETING + b"\x07",
        GREETING + b"\xff\x01",
        GREETING + b"\x06\0\0\0\x7f\xff\xff\xff",
        GREETING + b"\x02\0\xff\xff",
    ],
)
def test_what_is_not_understood_ends_the_stream(sent: bytes) -> None:
    with pytest.raises(NotUnderstood):
        Filter(lambda: True).feed(sent)
