"""HTML to Markdown with numbered links, complete rather than clever.

Hides the tree. The whole visible page is kept, its navigation too, because an agent has to find its way; the walk
is a loop, not a recursion, so no nesting is too deep for it.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from urllib.parse import urljoin, urlsplit

from .tree import Element, walk

SKIPPED = frozenset(
    {"script", "style", "template", "svg", "title", "iframe", "object", "embed", "audio", "video", "canvas", "datalist"}
)
BLOCKS = frozenset(
    {
        "address", "article", "aside", "blockquote", "body", "caption", "center", "dd", "details", "dialog", "div",
        "dl", "dt", "fieldset", "figcaption", "figure", "footer", "form", "h1", "h2", "h3", "h4", "h5", "h6",
        "header", "hgroup", "hr", "html", "legend", "li", "main", "nav", "ol", "optgroup", "option", "p", "pre",
        "section", "summary", "table", "tbody", "tfoot", "thead", "tr", "ul",
    }
)  # fmt: skip
MARKS = {"b": "**", "strong": "**", "em": "*", "i": "*", "code": "`", "kbd": "`", "samp": "`", "del": "~~", "s": "~~"}
SCHEMES = frozenset({"http", "https", "mailto", "ftp", "tel"})
HIDDEN = re.compile(r"(display\s*:\s*none|visibility\s*:\s*hidden)", re.IGNORECASE)
INVISIBLE = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f\u202a-\u202e\u2066-\u2069\U000e0000-\U000e007f]")
SPACE = re.compile(r"[ \t\r\n\f\xa0]+")
LINES = re.compile(r" *\n *")
URL_MAX = 2000


@dataclass(frozen=True, slots=True)
class Link:
    """A link of a page: `number` as in `[text][number]`, an absolute URL."""

    number: int
    url: str


@dataclass(slots=True)
class Opened:
    """A link or mark whose end is awaited: where its text begins in the line."""

    tag: str
    start: int
    href: str = ""
    label: str = ""


class Writer:
    """Collects Markdown. `line` is the text of the block being written."""

    def __init__(self, base: str) -> None:
        self.base = base
        self.blocks: list[str] = []
        self.line: list[str] = []
        self.links: dict[str, int] = {}
        self.numbers: dict[str, int | None] = {}
        self.opened: list[Opened] = []
        self.lists: list[int | None] = []
        self.prefix = ""
        self.quotes = 0
        self.preformatted = 0
        self.cells: list[list[str]] = []
        self.linked = 0

    def text(self, text: str | None) -> None:
        if not text:
            return
        text = INVISIBLE.sub("", text)
        if self.preformatted:
            self.line.append(text)
            return
        text = SPACE.sub(" ", text)
        if text == " " and (not self.line or self.line[-1].endswith((" ", "\n"))):
            return
        self.line.append(text)

    def end_block(self, *, gap: bool = True) -> None:
        """Finish the block being written. Inside a link or a table's cell it is only a space."""
        if self.linked or self.cells:
            self.text(" ")
            return
        written = "".join(self.line)
        written = written.strip("\n") if self.preformatted else LINES.sub("\n", written).strip()
        self.line.clear()
        if not written:
            return
        self.put(self.prefix + written, gap=gap)
        self.prefix = " " * len(self.prefix) if self.lists else ""

    def put(self, block: str, *, gap: bool = True) -> None:
        if self.quotes:
            block = "\n".join(f"{'> ' * min(self.quotes, 8)}{line}" for line in block.split("\n"))
        if gap and self.blocks and not self.lists:
            self.blocks.append("")
        self.blocks.append(block)

    def open_mark(self, tag: str) -> None:
        self.opened.append(Opened(tag, len(self.line)))

    def close_mark(self, tag: str) -> None:
        opened = self.matching(tag)
        if opened is None:
            return
        inner = "".join(self.line[opened.start :])
        if inner.strip() and "\n" not in inner and not self.preformatted:
            del self.line[opened.start :]
            mark = MARKS[tag]
            lead = inner[: len(inner) - len(inner.lstrip())]
            trail = inner[len(inner.rstrip()) :]
            self.line.append(f"{lead}{mark}{inner.strip()}{mark}{trail}")

    def open_link(self, element: Element) -> None:
        label = element.get("aria-label") or element.get("title") or ""
        self.opened.append(Opened("a", len(self.line), element.get("href") or "", label))
        self.linked += 1

    def close_link(self) -> None:
        opened = self.matching("a")
        if opened is None:
            return
        self.linked -= 1
        inner = SPACE.sub(" ", "".join(self.line[opened.start :])).strip()
        number = self.number(opened.href)
        if number is None:
            return
        text = inner or SPACE.sub(" ", INVISIBLE.sub("", opened.label)).strip() or named_by(opened.href)
        lead = " " if "".join(self.line[opened.start :])[:1].isspace() else ""
        del self.line[opened.start :]
        self.line.append(f"{lead}[{text}][{number}]")

    def matching(self, tag: str) -> Opened | None:
        """The innermost open link or mark `tag`; those opened in it and not closed are forgotten."""
        for depth in range(len(self.opened) - 1, -1, -1):
            if self.opened[depth].tag == tag:
                opened = self.opened[depth]
                self.linked -= sum(other.tag == "a" for other in self.opened[depth + 1 :])
                del self.opened[depth:]
                opened.start = min(opened.start, len(self.line))
                return opened
        return None

    def number(self, href: str) -> int | None:
        """The link's number; None for what is no place to go to."""
        if href not in self.numbers:
            self.numbers[href] = self.place(href)
        return self.numbers[href]

    def place(self, href: str) -> int | None:
        try:
            url = urljoin(self.base, href.strip())
            if urlsplit(url).scheme.lower() not in SCHEMES or len(url) > URL_MAX or not href.strip():
                return None
        except ValueError:
            return None
        url = SPACE.sub("%20", INVISIBLE.sub("", url))
        return self.links.setdefault(url, len(self.links) + 1)


def convert(root: Element, base: str) -> tuple[str, tuple[Link, ...]]:
    """The text of a parsed page and its links. base: the URL that relative links start from."""
    writer = Writer(base)
    steps, skip = walk(root)
    skipped: Element | None = None
    for event, element in steps:
        if event == "start":
            if skipped is None and is_skipped(element):
                skipped = element
                replace(writer, element)
                skip()
            elif skipped is None:
                start(writer, element)
                writer.text(element.text)
        else:
            if skipped is element:
                skipped = None
            elif skipped is None:
                end(writer, element)
            if skipped is None and element is not root:
                writer.text(element.tail)
    writer.cells.clear()
    writer.linked = 0
    writer.end_block()
    links = tuple(Link(number, url) for url, number in writer.links.items())
    return re.sub(r"\n{3,}", "\n\n", "\n".join(writer.blocks)).strip(), links


def is_skipped(element: Element) -> bool:
    if element.tag in SKIPPED:
        return True
    style = element.get("style")
    return (
        element.get("hidden") is not None
        or element.get("aria-hidden") == "true"
        or (style is not None and HIDDEN.search(style) is not None)
    )


def replace(writer: Writer, element: Element) -> None:
    """A frame cannot be shown here, but it can be opened."""
    source = element.get("src") if element.tag in ("iframe", "embed", "video", "audio") else None
    number = writer.number(source) if source else None
    if number is not None:
        writer.line.append(f" [{element.get('title') or element.tag}][{number}] ")


def start(writer: Writer, element: Element) -> None:
    tag = element.tag
    if tag in BLOCKS:
        writer.end_block(gap=tag not in ("li", "tr", "option", "dd"))
    match tag:
        case "a" if element.get("href"):
            writer.open_link(element)
        case "br":
            writer.line.append("\n" if not (writer.cells or writer.linked) else " ")
        case "hr":
            writer.put("---")
        case "img":
            alt = SPACE.sub(" ", INVISIBLE.sub("", element.get("alt") or "")).strip()
            writer.line.append(f"[image: {alt}]" if alt and not writer.linked else alt)
        case "ul" | "ol":
            if not writer.lists:
                writer.blocks.append("")
            writer.lists.append(None if tag == "ul" else 1)
        case "li":
            writer.prefix = bullet(writer)
        case "blockquote":
            writer.quotes += 1
        case "pre":
            writer.preformatted += 1
        case "tr":
            writer.cells.append([])
        case "input" | "textarea" | "select" | "button":
            writer.line.append(control(element))
        case _ if tag in MARKS:
            writer.open_mark(tag)
        case _ if re.fullmatch("h[1-6]", tag):
            writer.prefix = "#" * int(tag[1]) + " "
        case _:
            return


def end(writer: Writer, element: Element) -> None:
    tag = element.tag
    match tag:
        case "a":
            writer.close_link()
        case "td" | "th" if writer.cells:
            cell = SPACE.sub(" ", "".join(writer.line)).strip().replace("|", "\\|")
            writer.line.clear()
            writer.cells[-1].append(cell)
        case "tr" if writer.cells:
            row(writer, element)
        case "pre":
            preformatted(writer)
        case "blockquote":
            writer.end_block()
            writer.quotes = max(writer.quotes - 1, 0)
        case "ul" | "ol":
            writer.end_block(gap=False)
            if writer.lists:
                writer.lists.pop()
            writer.prefix = ""
        case "button":
            writer.line.append("]")
        case _ if tag in MARKS:
            writer.close_mark(tag)
        case _ if tag in BLOCKS:
            writer.end_block(gap=tag not in ("li", "option", "dd"))
            if re.fullmatch("h[1-6]", tag):
                writer.prefix = ""
        case _:
            return


def bullet(writer: Writer) -> str:
    depth = "  " * max(min(len(writer.lists), 12) - 1, 0)
    if writer.lists and (count := writer.lists[-1]) is not None:
        writer.lists[-1] = count + 1
        return f"{depth}{count}. "
    return f"{depth}- "


def row(writer: Writer, element: Element) -> None:
    """A table's row on one line; a row of one cell is plain text, as layout tables have them."""
    stray = "".join(writer.line).strip()
    writer.line.clear()
    cells = [*writer.cells.pop(), *([stray] if stray else [])]
    filled = [cell for cell in cells if cell]
    if writer.cells:
        writer.line.append(" ".join(filled) + " ")
        return
    continues = element.getprevious() is not None and bool(writer.blocks) and writer.blocks[-1].startswith("|")
    if len(cells) <= 1 or (len(filled) <= 1 and not continues) or writer.linked:
        writer.line.extend(filled)
        writer.end_block()
        return
    first = element.getprevious() is None
    headed = first and any(child.tag == "th" for child in element)
    writer.put(f"| {' | '.join(cells)} |", gap=first)
    if headed:
        writer.put("|" + " --- |" * len(cells), gap=False)


def preformatted(writer: Writer) -> None:
    inner = "".join(writer.line).strip("\n")
    inside = writer.linked or writer.cells
    writer.preformatted = max(writer.preformatted - 1, 0)
    if inside:
        return
    writer.line.clear()
    if inner.strip():
        fence = "```" if "```" not in inner else "````"
        writer.put(f"{fence}\n{inner}\n{fence}")


def control(element: Element) -> str:
    """A form's control in a few words."""
    kind, name = element.get("type") or "text", element.get("name") or ""
    shown = element.get("value") or element.get("placeholder") or element.get("aria-label") or name
    shown = SPACE.sub(" ", INVISIBLE.sub("", shown))[:80]
    match element.tag:
        case "button":
            return "[button: "
        case "input" if kind == "hidden":
            return ""
        case "input" if kind in ("submit", "button", "reset"):
            return f"[button: {shown}]"
        case "input" if kind in ("checkbox", "radio"):
            return "[x] " if element.get("checked") is not None else "[ ] "
        case "select":
            return f"[choice {name}] "
        case _:
            return f"[field: {shown}] "


def named_by(href: str) -> str:
    """A name for a link without text."""
    try:
        parts = urlsplit(href.strip())
    except ValueError:
        return "link"
    return (parts.path.rstrip("/").rpartition("/")[2] or parts.netloc or "link")[:60]
