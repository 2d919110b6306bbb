"""Events from bytes, however they are cut up."""

from __future__ import annotations

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.models.sse import Decoder, Event, Unreadable


def read(*chunks: bytes) -> list[Event]:
    decoder = Decoder()
    found = [event for chunk in chunks for event in decoder.feed(chunk)]
    return found + decoder.finish()


@given(st.lists(st.integers(0, 60), max_size=6))
def test_it_does_not_matter_where_the_bytes_are_cut(cuts: list[int]) -> None:
    whole = 'event: a\r\ndata: {"x": "ü\u2028"}\r\n\r\n: ping\n\ndata:one\ndata: two\n\n'.encode()
    places = [0, *sorted(cuts), len(whole)]
    chunks = [whole[a:b] for a, b in pairwise(places)]
    assert read(*chunks) == [Event("a", '{"x": "ü\u2028"}'), Event("", "one\ntwo")]


def test_comments_and_unknown_fields_are_left_out() -> None:
    assert read(b": hi\nretry: 3\nid: 7\n\n") == []


def test_a_stream_that_forgets_its_last_empty_line_is_read_to_the_end() -> None:
    assert read(b"data: [DONE]") == [Event("", "[DONE]")]


def test_bytes_that_are_no_text_are_told_apart() -> None:
    with pytest.raises(Unreadable):
        read(b"data: \xff\xfe\n\n")
