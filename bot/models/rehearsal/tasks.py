"""What people ask of the rehearsal model, told apart by rules that anybody can predict."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

MOST_TEXT = 8000
"""Characters of a message that are read: enough for any request, and no message can keep the rules busy for long."""
_URL = re.compile(r"https?://[^\s<>|)\]\"']+")
_FENCE = re.compile(r"```[ \t]*(?:[\w+-]*[ \t]*\n)?(.*?)```", re.DOTALL)
_BULLET = re.compile(r"^\s*(?:[-*•]|\(?\d{1,2}[.)])\s+")
_POLITE = re.compile(
    r"^(?:(?:hi|hey|hello|ok|okay|so|then|and|also|now|first|finally|please|pls|can you|could you|would you|will you"
    r"|i want you to|i'd like you to|kindly|just)\b[ ,:!]*)+",
    re.IGNORECASE,
)
_RUN = re.compile(r"(?:run|execute)\s*:?\s+(?:the command\s+)?(.+)", re.IGNORECASE | re.DOTALL)
_READ = re.compile(
    r"(?:open|read|show|fetch|visit|go to|look at|check|summari[sz]e|sum up|recap|tl;?dr)\b", re.IGNORECASE
)
_DOMAIN = re.compile(r"((?:[\w-]+\.)+(?:com|org|net|io|dev|de|eu|co|uk|ch|fr|gov|edu|info)(?:/\S*)?)", re.IGNORECASE)
_THREAD = re.compile(
    r".*\b(?:summari[sz]e|summary|recap|sum up|tl;?dr|catch (?:me|us) up)\b.*"
    r"\b(?:thread|conversation|discussion|chat)\b"
    r"|(?:recap|tl;?dr|catch me up)",
    re.IGNORECASE | re.DOTALL,
)
_BOARD = r"(?:to|on|at|onto)\s+(?:the\s+)?(?:notice\s*board|board)"
_POST = re.compile(
    rf"(?:post|announce|publish|send|write|put)\s+(?:{_BOARD}\s*:?\s*(.+)|(.+?)\s+{_BOARD})", re.IGNORECASE | re.DOTALL
)
_ASK = re.compile(r"ask me\b[ :,]*(.*)", re.IGNORECASE | re.DOTALL)
_SEARCH = re.compile(r"(?:search|google|look up)\s+(?:the web\s+)?(?:for\s+)?(.+)", re.IGNORECASE | re.DOTALL)
_FILE = re.compile(r"(?:read|show|open|cat)\s+(?:the file\s+)?((?:/|~/|\./)?[\w./-]*\w\.\w{1,5}|/\S+)", re.IGNORECASE)
_NOTE = re.compile(r"(?:note|remember)\b(?:\s+that)?[ :]+(.+)", re.IGNORECASE | re.DOTALL)
_TABLE = re.compile(
    r"\b(?:workbook|spreadsheet|excel|xlsx|chart|graph|plot|diagram|summary|summari[sz]e|totals?|pivot|analy[sz]e"
    r"|breakdown|report|csv|tsv)\b",
    re.IGNORECASE,
)
_MAKES = re.compile(r"\b(?:workbook|spreadsheet|excel|xlsx|chart|graph|plot|pivot|csv|tsv)\b", re.IGNORECASE)
_STEERS = re.compile(
    r"(?:but\s+|and\s+|no,?\s+|actually,?\s+|instead\s+|rather\s+|sorry,?\s+)*"
    r"(?:only|just|use|without|except|exclude|not|leave out|drop|in (?-i:[A-Z]{3})\b|by|per|group|over|above|below"
    r"|under|filter|keep|take|make it)\b",
    re.IGNORECASE,
)


@dataclass(frozen=True, slots=True)
class Run:
    """Run a command."""

    command: str


@dataclass(frozen=True, slots=True)
class Page:
    """Open a page and sum it up."""

    url: str


@dataclass(frozen=True, slots=True)
class Recap:
    """Sum up the thread."""


@dataclass(frozen=True, slots=True)
class Table:
    """A workbook and a chart from a table. `path` is "" where none was attached; `only` are later wishes."""

    path: str
    wish: str
    only: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Post:
    """Post to the notice board."""

    text: str


@dataclass(frozen=True, slots=True)
class AskMe:
    """Ask the person something."""

    text: str
    options: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Search:
    """Search the web."""

    query: str


@dataclass(frozen=True, slots=True)
class Read:
    """Show a text file."""

    path: str


@dataclass(frozen=True, slots=True)
class Note:
    """Keep a note."""

    text: str


@dataclass(frozen=True, slots=True)
class Unknown:
    """Nothing the rehearsal model can do."""

    text: str


Task = Run | Page | Recap | Table | Post | AskMe | Search | Read | Note | Unknown


def tasks(text: str, files: tuple[str, ...], earlier: tuple[str, ...] = ()) -> list[Task]:
    """The requests in one message, in order. `files` are tables attached to it, `earlier` those attached before."""
    text = text[:MOST_TEXT]
    found: list[Task] = []
    stray: list[Task] = []
    for piece, listed in _pieces(text):
        made = _task(piece, files, earlier)
        if not made:
            unknown = Unknown(piece)
            follows = listed or any(isinstance(task, Table) for task in found)
            (found if follows else stray).append(unknown)
        found += made
    if files and not any(isinstance(task, Table) for task in found) and (stray or not found):
        return [*found, *(Table(path, text) for path in files)]
    return found or stray[:1]


def steers(text: str) -> bool:
    """Whether a message after an answer changes what was asked, like 'only blue ones' or 'in EUR'."""
    return _STEERS.match(text.strip()) is not None


def _pieces(text: str) -> Iterator[tuple[str, bool]]:
    """(request, whether it stood in a list) for each line, fenced block, or part between semicolons."""
    at = 0
    for fence in _FENCE.finditer(text):
        yield from _lines(re.sub(r"(?:^|\n)[^\n]*\b(?:run|execute)\b[^\n]{0,40}:?\s*$", "\n", text[at : fence.start()]))
        yield f"run {fence[1].strip()}", True
        at = fence.end()
    yield from _lines(text[at:])


def _lines(text: str) -> Iterator[tuple[str, bool]]:
    for line in text.splitlines():
        bare = _BULLET.sub("", line)
        for part in _parts(bare):
            cleaned = _POLITE.sub("", part.strip()) or part.strip()
            cleaned = re.sub(r"[ ,]*\bplease[.! ]*$", "", cleaned)
            if cleaned:
                yield cleaned, bare != line


def _parts(line: str) -> Iterator[str]:
    """Cut at a semicolon only where a request follows: commands hold semicolons too."""
    held = ""
    for part in line.split(";"):
        begins = _POLITE.sub("", part.strip())
        if held and any(rule.match(begins) for rule in (_RUN, _READ, _THREAD, _POST, _ASK, _SEARCH, _NOTE, _MAKING)):
            yield held
            held = part
        else:
            held = f"{held};{part}" if held else part
    yield held


_MAKING = re.compile(r"(?:make|create|build|draw|chart|plot|analy[sz]e|give me)\b", re.IGNORECASE)


def _task(piece: str, files: tuple[str, ...], earlier: tuple[str, ...]) -> list[Task]:
    if posted := _POST.fullmatch(piece):
        return [Post(_unquoted(posted[1] or posted[2]))]
    if ran := _RUN.fullmatch(piece) or re.fullmatch(r"(?:\$ +)(.+)|`([^`]+)`", piece):
        return [Run(_unticked(next(group for group in ran.groups() if group)))]
    if asked := _ASK.fullmatch(piece):
        return [_question(asked[1])]
    if noted := _NOTE.fullmatch(piece):
        return [Note(noted[1].strip())]
    if page := _page(piece):
        return [page]
    if _THREAD.fullmatch(piece.rstrip(" .!?")):
        return [Recap()]
    if searched := _SEARCH.fullmatch(piece):
        return [Search(searched[1].strip(" .?!\"'"))]
    if shown := _FILE.fullmatch(piece.rstrip(" .")):
        return [Read(shown[1])]
    tables = files or earlier[-1:]
    if tables and _TABLE.search(piece):
        return [Table(path, piece) for path in tables]
    return [Table("", piece)] if _MAKES.search(piece) else []


def _page(piece: str) -> Page | None:
    if url := _URL.search(piece):
        return Page(url[0].rstrip(".,;:!?"))
    if _READ.match(piece) and (domain := _DOMAIN.search(piece)):
        return Page(f"https://{domain[1].rstrip('.,;:!?')}")
    return None


def _question(text: str) -> AskMe:
    head, colon, tail = text.strip(" .?!").partition(":")
    if not colon and (between := re.search(r"\b(?:whether|between|if|among)\b\s*", head)):
        tail = head[between.end() :]
    options = [part.strip(" .?!\"'") for part in re.split(r",|\bor\b|\band\b|/", tail) if part.strip(" .?!\"'")]
    question = (head.strip() or "What do you prefer").rstrip("?")
    chosen = tuple(dict.fromkeys(option[:60] for option in options))[:5] or ("Yes", "No")
    return AskMe(question[:1].upper() + question[1:] + "?", chosen)


def _unquoted(text: str) -> str:
    bare = text.strip().rstrip(":").strip()
    for left, right in (('"', '"'), ("'", "'"), ("“", "”"), ("‘", "’"), ("`", "`")):
        if len(bare) > 1 and bare.startswith(left) and bare.endswith(right):
            return bare[1:-1].strip()
    return bare


def _unticked(command: str) -> str:
    bare = command.strip()
    if len(bare) > 1 and bare.startswith("`") and bare.endswith("`") and "`" not in bare[1:-1]:
        return bare[1:-1].strip()
    return bare
