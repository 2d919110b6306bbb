"""The text browser on well over a thousand real pages: none fails, links resolve, parts make up the whole."""

from __future__ import annotations

from html.parser import HTMLParser
from urllib.parse import urljoin

import pytest

from sandbox.reader import PART, Page, cut, from_html
from tests.support.pages import documentation, each

pytestmark = [pytest.mark.slow, pytest.mark.timeout(240)]


class Links(HTMLParser):
    """The addresses of a page's links, found in another way than the reader's."""

    def __init__(self) -> None:
        super().__init__()
        self.found: set[str] = set()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag in ("a", "area"):
            self.found |= {value.strip() for name, value in attrs if name == "href" and value}


def addresses(body: bytes, url: str) -> set[str]:
    links = Links()
    links.feed(body.decode("utf-8", "replace"))
    return {urljoin(url, one) for one in links.found}


def faults(page: Page, body: bytes, url: str) -> list[str]:
    """What is wrong with a page that was read."""
    found = [] if len(page.text) >= 40 else [f"{url} is nearly empty: {page.text!r}"]
    strange = {link.url for link in page.links} - addresses(body, url)
    found += [f"{url}: the link {one} is not on the page" for one in strange]
    ranges = cut(page.text, PART)
    whole = "".join(page.text[begin:end] for begin, end in ranges)
    if whole != page.text or any(end - begin > PART for begin, end in ranges):
        found.append(f"{url}: its {len(ranges)} parts do not make up the whole")
    shown = [link.number for place in range(1, len(ranges) + 1) for link in page.part(place).links]
    if {link.number for link in page.links} - set(shown):
        found.append(f"{url}: a link is in no part")
    return found


def test_no_page_of_the_documentation_fails_and_every_link_resolves() -> None:
    wrong: list[str] = []
    links = 0
    for url, body in each(documentation()):
        page = from_html(body, "text/html", url)
        wrong += faults(page, body, url)
        links += len(page.links)
    assert wrong == []
    assert links > 50_000
