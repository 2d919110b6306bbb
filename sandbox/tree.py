"""Hostile HTML as a tree, by lxml.

Hides lxml, which has no types, and its limits: nothing is fetched, and what is nested too deep for it is said to be
incomplete.
"""

from __future__ import annotations

import importlib
from collections.abc import Callable, Iterator
from typing import Any, Protocol

etree: Any = importlib.import_module("lxml.etree")


class Element(Protocol):
    """What we use of an element."""

    tag: str
    text: str | None
    tail: str | None

    def get(self, key: str) -> str | None: ...
    def find(self, path: str) -> Element | None: ...
    def findtext(self, path: str) -> str | None: ...
    def getparent(self) -> Element | None: ...
    def getprevious(self) -> Element | None: ...
    def iter(self, tag: str) -> Iterator[Element]: ...
    def __iter__(self) -> Iterator[Element]: ...


def parse(text: str) -> tuple[Element | None, bool]:
    """The document's root element, None when there is nothing in it; and whether the tree holds all of it."""
    parser = etree.HTMLParser(encoding="utf-8", remove_comments=True, remove_pis=True, huge_tree=True, no_network=True)
    try:
        found: Element | None = etree.fromstring(text.replace("\0", "").encode("utf-8", "replace"), parser)
    except (etree.LxmlError, ValueError):
        return None, True
    return found, not any("depth" in error.message for error in parser.error_log)


def walk(root: Element) -> tuple[Iterator[tuple[str, Element]], Callable[[], None]]:
    """Each element's ('start', it) and ('end', it) in order, and a function that skips what is in the element
    that has just started."""
    walking: Any = etree.iterwalk(root, events=("start", "end"))
    return walking, walking.skip_subtree
