"""What a person reads of a body that is to be sent, and that nothing of it can hide."""

from __future__ import annotations

import pytest

from bot.forms import readable

FORM = "application/x-www-form-urlencoded"
PARTS = "multipart/form-data; boundary=xyz"


def multipart(*parts: str, after: str = "") -> bytes:
    return ("".join(f"--xyz\r\n{part}\r\n" for part in parts) + f"--xyz--\r\n{after}").encode()


def field(name: str, value: str) -> str:
    return f'Content-Disposition: form-data; name="{name}"\r\n\r\n{value}'


def test_a_form_is_shown_field_by_field() -> None:
    shown = readable(b"title=Printer+broken&due=2027-03-05&note=caf%C3%A9&empty=", FORM, 2000)
    assert shown.text.splitlines() == ["title: Printer broken", "due: 2027-03-05", "note: café", "empty: "]
    assert shown.whole


def test_a_form_with_a_file_names_the_file_with_type_and_size() -> None:
    file = (
        'Content-Disposition: form-data; name="scan"; filename="a.pdf"\r\nContent-Type: application/pdf\r\n\r\n%PDF-1'
    )
    none = 'Content-Disposition: form-data; name="more"; filename=""\r\nContent-Type: application/octet-stream\r\n\r\n'
    shown = readable(multipart(field("title", "Broken"), file, none), PARTS, 2000)
    assert shown.text.splitlines() == [
        "title: Broken",
        "scan: the file 'a.pdf' (application/pdf, 6 bytes)",
        "more: (no file)",
    ]
    assert shown.whole


def test_a_value_cannot_pass_itself_off_as_another_field() -> None:
    shown = readable(b"note=hello%0Aamount%3A+1&amount=9000", FORM, 2000)
    assert shown.text.splitlines() == ["note: hello", "    amount: 1", "amount: 9000"]


@pytest.mark.parametrize(
    "body",
    [
        multipart(field("a", "1"), after="hidden=1"),
        multipart("Content-Disposition: form-data\r\n\r\nno name"),
        multipart('Content-Disposition: form-data; name="a"\r\nContent-Transfer-Encoding: base64\r\n\r\nYQ=='),
        b'--xyz\r\nContent-Disposition: form-data; name="a"\r\n\r\nno end',
    ],
)
def test_a_form_that_could_be_read_in_two_ways_is_shown_as_it_is(body: bytes) -> None:
    assert readable(body, PARTS, 2000).text == body.decode()


def test_json_is_laid_out_unless_a_name_stands_twice() -> None:
    assert readable(b'{"to":"ann","n":[1]}', "application/json", 2000).text.splitlines()[1] == '  "to": "ann",'
    twice = b'{"to":"ann","to":"bob"}'
    assert readable(twice, "application/json", 2000).text == twice.decode()


def test_what_is_cut_or_no_text_says_that_it_is_not_whole() -> None:
    assert not readable(b"x" * 3000, "text/plain", 2000).whole
    assert readable(b"\xff\xfe\x00", "", 2000).text == "(3 bytes that are not text)"
