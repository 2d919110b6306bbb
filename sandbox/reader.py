"""A page as text that can be read in parts and searched.

Hides what kind of thing a URL answers with: HTML, plain text, JSON, tables, PDF. Nothing here fails on a page: what
cannot be read is said in words.
"""

from __future__ import annotations

import asyncio
import codecs
import contextlib
import json
import re
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from urllib.parse import urljoin, urlsplit

from .egress.types import EgressResponse
from .markdown import INVISIBLE, Link, convert
from .tree import parse
from .types import MachineError

PART = 12_000
BARE = 200
"""Characters; a page with scripts and less text than this is taken to need them."""
HTML_MAX = 8 * 1024 * 1024
META = re.compile(rb"<meta[^>]{0,200}?charset\s*=\s*[\"']?\s*([a-zA-Z0-9_.:-]{1,40})", re.IGNORECASE)
TAG = re.compile(r"<[^<>]*>")
CHARSET = re.compile(r"charset\s*=\s*[\"']?([a-zA-Z0-9_.:-]{1,40})", re.IGNORECASE)
NUMBER = re.compile(r"\]\[(\d+)\]")
BOMS = ((codecs.BOM_UTF8, "utf-8-sig"), (codecs.BOM_UTF16_LE, "utf-16"), (codecs.BOM_UTF16_BE, "utf-16"))
TEXTUAL = ("json", "xml", "yaml", "javascript", "csv", "x-sh", "toml", "sql", "graphql", "x-ndjson")

WINDOWS: dict[str, str] = dict.fromkeys(("iso-8859-1", "latin1", "latin-1", "us-ascii", "ascii"), "cp1252")
"""Pages that claim these mean Windows' superset of them."""

FileText = Callable[[str, bytes], Awaitable[str]]
"""Turns a file of that kind ('pdf', 'docx', 'xlsx', 'pptx') into text; raises MachineError when it cannot."""
NAMES = {"pdf": "a PDF", "docx": "a Word document", "xlsx": "an Excel workbook", "pptx": "a PowerPoint deck"}
OFFICE = {
    "application/vnd.openxmlformats-officedocument.wordprocessingml.document": "docx",
    "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet": "xlsx",
    "application/vnd.openxmlformats-officedocument.presentationml.presentation": "pptx",
}


@dataclass(frozen=True, slots=True)
class Part:
    """One part of a page: `number` of `of`, with the links that occur in it."""

    text: str
    number: int
    of: int
    links: tuple[Link, ...]

    def __str__(self) -> str:
        listed = "\n".join(f"[{link.number}]: {link.url}" for link in self.links)
        return f"{self.text}\n\n{listed}" if listed else self.text


@dataclass(frozen=True, slots=True)
class Match:
    """A place where the words were found, the text around it, and the part it is in."""

    part: int
    context: str


@dataclass(frozen=True, slots=True)
class Page:
    """A page that was read. `note` says what is missing, if anything; `bare`: it shows little without its scripts."""

    url: str
    title: str
    text: str
    links: tuple[Link, ...] = ()
    note: str = ""
    bare: bool = False

    def part(self, number: int = 1, size: int = PART) -> Part:
        """Part `number` (from 1; the nearest there is), cut between lines where possible."""
        cuts = cut(self.text, size)
        number = min(max(number, 1), len(cuts))
        text = self.text[cuts[number - 1][0] : cuts[number - 1][1]]
        used = {int(found) for found in NUMBER.findall(text)}
        return Part(text.strip("\n"), number, len(cuts), tuple(link for link in self.links if link.number in used))

    def find(self, words: str, *, around: int = 300, most: int = 10, size: int = PART) -> tuple[Match, ...]:
        """Where `words` occur, in any case and across any white space, with `around` characters on each side."""
        wanted = [re.escape(word) for word in words.split()]
        if not wanted:
            return ()
        cuts, found = cut(self.text, size), list[Match]()
        for hit in re.finditer(r"\s+".join(wanted), self.text, re.IGNORECASE):
            context = self.text[max(hit.start() - around, 0) : hit.end() + around]
            part = next(n for n, (_, last) in enumerate(cuts, 1) if hit.start() < last)
            found.append(Match(part, context.strip()))
            if len(found) >= most:
                break
        return tuple(found)

    def link(self, number: int) -> str | None:
        """The URL of link `number`."""
        return next((link.url for link in self.links if link.number == number), None)


async def read(response: EgressResponse, text_of: FileText | None = None) -> Page:
    """An answer as a page. text_of: how PDFs and office files are read; without it they are only announced."""
    kind = sort(response)
    match kind:
        case "html":
            return await asyncio.to_thread(
                from_html, response.body, response.header("content-type") or "", response.url
            )
        case "text":
            return from_text(response)
        case "pdf" | "docx" | "xlsx" | "pptx":
            return await from_file(response, kind, text_of)
        case _:
            size = f"{len(response.body):,} bytes"
            words = f"This is no text but {kind} ({size}). Download it in the shell with: curl -LO '{response.url}'"
            return Page(response.url, "", words, note="not text")


def from_html(body: bytes, content_type: str, url: str) -> Page:
    """The whole visible page as Markdown with numbered, absolute links."""
    text = decoded(body[:HTML_MAX], content_type)
    note = f"Only the first {HTML_MAX // 2**20} MiB of the page were read." if len(body) > HTML_MAX else ""
    root, complete = parse(text)
    if root is None:
        return Page(url, "", "The page is empty.", note="empty")
    title = " ".join((root.findtext(".//title") or "").split())
    base = root.find(".//base[@href]")
    markdown, links = convert(root, absolute(url, base.get("href") if base is not None else None))
    bare = len(markdown) < BARE and next(root.iter("script"), None) is not None
    if bare:
        note = "The page shows little without its scripts. Open it in the visual browser."
    if not complete:
        markdown = " ".join(TAG.sub(" ", text).split())
        note = "The page is nested absurdly deep, so this is its bare text, without structure."
    return Page(
        url, INVISIBLE.sub("", title)[:300], INVISIBLE.sub("", markdown) or "The page has no text.", links, note, bare
    )


def absolute(url: str, base: str | None) -> str:
    try:
        return urljoin(url, base) if base else url
    except ValueError:
        return url


def from_text(response: EgressResponse) -> Page:
    text = decoded(response.body, response.header("content-type") or "")
    if "json" in (response.header("content-type") or "") and text.count("\n") < 3:
        with contextlib.suppress(ValueError, RecursionError):
            text = json.dumps(json.loads(text), indent=1, ensure_ascii=False)
    return Page(response.url, "", INVISIBLE.sub("", text) or "It is empty.")


async def from_file(response: EgressResponse, kind: str, text_of: FileText | None) -> Page:
    """A PDF or an office file, as far as it holds text."""
    size, name = f"{len(response.body):,} bytes", NAMES[kind]
    words = f"This is {name} of {size}. Download it in the shell with: curl -LO '{response.url}'"
    if text_of is None:
        return Page(response.url, "", words, note=f"{name}, not read")
    try:
        text = await text_of(kind, response.body)
    except MachineError as error:
        return Page(response.url, "", f"{words}\n{error}", note=f"{name}, not read")
    if not text.strip():
        return Page(response.url, "", f"{words}\nIt holds no text.", note=f"{name} without text")
    return Page(response.url, "", INVISIBLE.sub("", text.replace("\f", "\n\n---\n\n")))


def sort(response: EgressResponse) -> str:
    """'html', 'text', 'pdf', an office file's ending, or the name of a type that is no text. Its own first bytes
    outrank its label."""
    label = (response.header("content-type") or "").split(";")[0].strip().lower()
    head = response.body[:1024].lstrip()
    if head.startswith(b"%PDF-"):
        return "pdf"
    if head.startswith(b"PK"):
        ending = urlsplit(response.url).path.rpartition(".")[2].lower()
        return OFFICE.get(label) or (ending if ending in OFFICE.values() else label or "binary data")
    if label in ("text/html", "application/xhtml+xml"):
        return "html"
    if label.startswith("text/") or any(word in label for word in TEXTUAL):
        return "text"
    if label in ("", "application/octet-stream", "binary/octet-stream", "application/x-unknown"):
        if re.match(rb"(<!doctype html|<html|<head|<body)", head, re.IGNORECASE):
            return "html"
        return "text" if b"\0" not in head and utf8(response.body[:4096]) else "binary data"
    return label


def utf8(data: bytes) -> bool:
    try:
        codecs.getincrementaldecoder("utf-8")().decode(data)
    except UnicodeDecodeError:
        return False
    return True


def decoded(body: bytes, content_type: str) -> str:
    """Text by byte order mark, header, the page's own word, or UTF-8; else as browsers guess."""
    for mark, encoding in BOMS:
        if body.startswith(mark):
            return body.decode(encoding, "replace")
    said = CHARSET.search(content_type)
    inside = META.search(body[:4096])
    names = [said[1] if said else "", inside[1].decode("ascii") if inside else ""]
    for name in [*names, "utf-8"]:
        name = WINDOWS.get(name.lower(), name)
        with contextlib.suppress(LookupError, UnicodeError):
            return body.decode(name, "strict" if codecs.lookup(name).name == "utf-8" else "replace")
    return body.decode("cp1252", "replace")


def cut(text: str, size: int) -> list[tuple[int, int]]:
    """Begin and end of each part; at least one."""
    parts: list[tuple[int, int]] = []
    begin = 0
    while len(text) - begin > size:
        # Between lines; within a very long one between words, where no link's number is cut in two.
        found = (text.rfind(mark, begin + size // 2, begin + size) + 1 for mark in ("\n", " "))
        end = next(filter(None, found), begin + size)
        parts.append((begin, end))
        begin = end
    parts.append((begin, len(text)))
    return parts
