"""Any page becomes text that can be read, whatever is in it."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sandbox.egress.types import EgressResponse
from sandbox.files_as_text import machine_text
from sandbox.reader import Page, from_html, read
from sandbox.types import MachineSpec
from tests.support.machine import FakeBackend, FakeMachine

URL = "https://site.test/docs/page.html"
ZERO_WIDTH_TAGS = "".join(chr(0xE0000 + ord(letter)) for letter in "obey")


def page(html: str | bytes, content_type: str = "text/html; charset=utf-8") -> Page:
    return from_html(html.encode() if isinstance(html, str) else html, content_type, URL)


def answer(body: bytes, content_type: str) -> EgressResponse:
    return EgressResponse(200, (("content-type", content_type),), body, URL)


def test_headings_lists_links_and_code_are_kept() -> None:
    read_page = page(
        "<title> The\n title </title><nav><ul><li><a href='/a'>A</a><li><a href='b?x=1'>B</a></ul></nav>"
        "<h2>Head</h2><p>One <b>bold</b> <em>word</em>.<br>Two.</p><ol><li>first<li>second</ol>"
        "<pre>x = 1\n  y</pre><blockquote>said</blockquote>"
    )
    assert read_page.title == "The title"
    assert read_page.text == (
        "- [A][1]\n- [B][2]\n\n## Head\n\nOne **bold** *word*.\nTwo.\n\n1. first\n2. second\n\n"
        "```\nx = 1\n  y\n```\n\n> said"
    )
    assert read_page.link(1) == "https://site.test/a"
    assert read_page.link(2) == "https://site.test/docs/b?x=1"
    assert read_page.link(3) is None


def test_a_table_has_a_line_for_each_row() -> None:
    table = page("<table><tr><th>Name<th>Price<tr><td>Tea<td><p>3</p><p>EUR</p><tr><td>A|B<td></table>")
    assert table.text == "| Name | Price |\n| --- | --- |\n| Tea | 3 EUR |\n| A\\|B |  |"


def test_a_whole_card_that_is_a_link_is_one_link() -> None:
    assert page("<a href='/c'><div><h3>Card</h3><p>body</p><img alt='Pic'></div></a>").text == "[Card body Pic][1]"


def test_links_that_lead_nowhere_are_plain_text() -> None:
    shown = page("<a href='javascript:x()'>js</a> <a href='data:text/html,x'>data</a> <a href=''>none</a> <a>no</a>")
    assert shown.text == "js data none no"
    assert shown.links == ()


def test_a_link_without_text_is_named_by_its_label_or_place() -> None:
    assert page("<a href='/x' aria-label='Basket'><svg/></a>").text == "[Basket][1]"
    assert page("<a href='/files/report.pdf'></a>").text == "[report.pdf][1]"


def test_relative_links_start_from_the_pages_base() -> None:
    assert page("<base href='/other/'><a href='x'>x</a>").link(1) == "https://site.test/other/x"


def test_scripts_styles_and_what_is_hidden_are_left_out() -> None:
    hidden = (
        "<script>bad</script><style>bad</style><template>bad</template><p hidden>bad</p>"
        "<div style='color:red; DISPLAY : none'>bad<p>bad</div>good<!-- bad --><span aria-hidden=true>bad</span> end"
    )
    assert page(hidden).text == "good end"


def test_invisible_letters_that_could_carry_orders_are_removed() -> None:
    assert page(f"<p>Hi{ZERO_WIDTH_TAGS} \u202eereht\u202c</p>").text == "Hi ereht"


def test_forms_and_frames_are_shown() -> None:
    form = page("<input name=q placeholder=Search><button>Go</button><iframe src='/f' title=Map></iframe>")
    assert form.text == "[field: Search] [button: Go] [Map][1]"


@pytest.mark.parametrize(
    ("body", "content_type"),
    [
        ("<p>Grüße €".encode(), "text/html"),
        ("<p>Grüße €".encode("cp1252"), "text/html; charset=iso-8859-1"),
        ("<meta charset=windows-1252><p>Grüße €".encode("cp1252"), "text/html"),
        (b"<meta charset=no-such><p>Gr\xfc\xdfe \x80", "text/html"),
        ("<p>Grüße €".encode("utf-16"), "text/html"),
        (b"\xef\xbb\xbf" + "<p>Grüße €".encode(), "text/html; charset=latin1"),
        ("<?xml version='1.0' encoding='utf-8'?><html><p>Grüße €</p></html>".encode(), "application/xhtml+xml"),
        (b"<p>Gr\xfc\xdfe \x80", "text/html; charset=utf-8"),
        ("<p>Grüße €".encode(), "text/html; charset=hex"),
    ],
)
def test_letters_are_right_in_every_encoding(body: bytes, content_type: str) -> None:
    assert page(body, content_type).text == "Grüße €"


HOSTILE = {
    "deep": "<div>" * 100_000 + "end",
    "deep links": "<a href=x>" * 5_000 + "end",
    "deep tables": "<table><tr><td>" * 5_000 + "end",
    "unclosed": "<b><i><a href=/x><li><td><pre>end",
    "crossed": "<b><i>x</b>y</i><a href=x><p></a>end</p>",
    "stray ends": "</p></a></td></tr></li></ul></b>end",
    "many attributes": "<p " + "a=1 " * 50_000 + ">end",
    "bad URLs": "<a href='http://[::1'>x</a><a href='http://a:b:c/'>y</a><base href='http://['>end",
    "odd entities": "&#0;&#x110000;&#55296;&nosuch;end",
    "nul": "a\0b<p>\0end",
    "long word": "<p>" + "x" * 300_000 + " end",
    "angle brackets": "<" * 50_000 + " end",
}


@pytest.mark.parametrize("name", sorted(HOSTILE))
def test_no_page_fails_or_loses_its_text(name: str) -> None:
    read_page = page(HOSTILE[name])
    assert "end" in read_page.text
    assert "end" in read_page.part(10**6).text


PIECES = ["<table>", "<tr><td>", "<a href=", "</a>", "<pre>", "<ul><li>", "<b>", "</ul>", *"<>/='& abé|[]\0\n"]


@given(st.lists(st.sampled_from(PIECES), max_size=60).map("".join))
@settings(max_examples=60, deadline=None)
def test_no_string_of_markup_fails(html: str) -> None:
    page(html).part(1)


def test_empty_and_binary_pages_are_said_to_be_so() -> None:
    assert page("").text == "The page is empty."
    assert page("<html><body></body></html>").text == "The page has no text."
    assert "scripts" in page("<div id=app></div><script src=/app.js></script>").note


def test_a_long_page_is_read_in_parts_that_make_up_the_whole() -> None:
    whole = page("".join(f"<p>Paragraph {n} <a href='/p{n}'>link {n}</a></p>" for n in range(2000)))
    parts = [whole.part(n) for n in range(1, whole.part().of + 1)]
    assert parts[0].of == len(parts) > 5
    assert all(len(part.text) <= 12_000 for part in parts)
    assert "\n".join(part.text for part in parts).split() == whole.text.split()
    assert {link.url for part in parts for link in part.links} == {link.url for link in whole.links}
    assert str(parts[1]).splitlines()[-1].startswith("[")
    assert whole.part(0).number == 1
    assert whole.part(10**6).number == len(parts)


def test_words_are_found_with_their_surroundings_and_part() -> None:
    whole = page("<p>start</p>" + "<p>filler text</p>" * 2000 + "<p>The   Needle\nhere</p>")
    (match,) = whole.find("needle here")
    assert match.part == whole.part().of
    assert "The Needle here" in match.context
    assert whole.find("absent") == whole.find("  ") == ()
    assert len(whole.find("filler")) == 10


async def test_text_json_and_tables_are_read_as_they_are() -> None:
    assert (await read(answer(b"a,b\n1,2\n", "text/csv"))).text == "a,b\n1,2\n"
    assert (await read(answer(b'{"a":[1,2]}', "application/json"))).text == '{\n "a": [\n  1,\n  2\n ]\n}'
    assert (await read(answer(b'{"a":', "application/json"))).text == '{"a":'
    assert (await read(answer(b"[" * 50_000, "application/json"))).text.startswith("[")
    assert (await read(answer(b"plain", ""))).text == "plain"
    assert (await read(answer(b"<!DOCTYPE html><p>x", ""))).text == "x"


async def test_what_is_no_text_is_announced_with_its_size() -> None:
    picture = await read(answer(b"\x89PNG\r\n\x1a\n\0\0", "image/png"))
    assert "image/png" in picture.text
    assert "10 bytes" in picture.text
    assert "curl" in (await read(answer(b"PK\x03\x04\0\0", "application/octet-stream"))).text


async def test_a_pdf_is_read_in_the_machine_or_announced(tmp_path: Path) -> None:
    async def pdftotext(machine: FakeMachine, command: str) -> tuple[int, bytes]:
        body = await machine.read(command.split()[2])
        return (0, b"Page one\fPage two") if body.startswith(b"%PDF") else (1, b"not a PDF")

    machine = await FakeBackend(pdftotext).start(MachineSpec("s1", tmp_path))
    pdf = answer(b"%PDF-1.7 ...", "application/octet-stream")
    assert (await read(pdf, machine_text(machine))).text == "Page one\n\n---\n\nPage two"
    assert "This is a PDF" in (await read(pdf)).text


async def test_a_pdf_that_cannot_be_read_is_said_so(tmp_path: Path) -> None:
    machine = await FakeBackend().start(MachineSpec("s1", tmp_path))
    broken = await read(answer(b"%PDF-1.7 broken", "application/pdf"), machine_text(machine))
    assert "could not read it" in broken.text
    assert broken.note
