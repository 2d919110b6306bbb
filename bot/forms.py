"""What a program wants to send, as a person can read it: a form field by field, anything else as text.

Hides the encodings of forms. A value's further lines are indented, so that no value can pass itself off as another
field; a file is named with its type and size.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from email import policy
from email.message import EmailMessage
from email.parser import BytesParser
from urllib.parse import parse_qsl

FIELDS_MOST = 200


@dataclass(frozen=True, slots=True)
class Readable:
    """text: at most as long as asked for. whole: whether it says all of the body."""

    text: str
    whole: bool


def readable(body: bytes, kind: str, most: int) -> Readable:
    """A body of the media type `kind`, in at most `most` characters."""
    text = form(body, kind)
    if text is None:
        try:
            text = body.decode("utf-8")
        except UnicodeDecodeError:
            return Readable(f"({len(body):,} bytes that are not text)", whole=False)
    return Readable(text[:most], whole=len(text) <= most)


def form(body: bytes, kind: str) -> str | None:
    """One line per field; None when it is no form, or not one that can be told without loss."""
    try:
        match kind.partition(";")[0].strip().lower():
            case "application/x-www-form-urlencoded":
                pairs = parse_qsl(body.decode("utf-8"), keep_blank_values=True, strict_parsing=True, errors="strict")
            case "multipart/form-data":
                pairs = [part(one) for one in parts(body, kind)]
            case "application/json":
                value = json.loads(body, object_pairs_hook=each_once)
                return json.dumps(value, ensure_ascii=False, indent=2)
            case _:
                return None
    except (ValueError, RecursionError, LookupError):
        return None
    if not pairs or len(pairs) > FIELDS_MOST:
        return None
    return "\n".join(f"{one_line(name)}: {indented(value)}" for name, value in pairs)


def parts(body: bytes, kind: str) -> list[EmailMessage]:
    """A multipart body's parts. ValueError when it is not well formed."""
    head = f"Content-Type: {kind}\r\nMIME-Version: 1.0\r\n\r\n".encode()
    message = BytesParser(EmailMessage, policy=policy.HTTP).parsebytes(head + body)
    found = [one for one in message.iter_parts() if isinstance(one, EmailMessage)] if message.is_multipart() else []
    around = f"{message.preamble or ''}{message.epilogue or ''}".strip()
    if message.defects or not found or around or any(odd(one) for one in found):
        raise ValueError("not a well-formed multipart body")
    return found


def odd(one: EmailMessage) -> bool:
    """Whether a server may read the part otherwise than we do."""
    return bool(one.defects) or one.is_multipart() or "content-transfer-encoding" in one


def part(one: EmailMessage) -> tuple[str, str]:
    """A field's name, and its value or the file it holds."""
    name = one.get_param("name", header="content-disposition")
    content = one.get_payload(decode=True)
    if not isinstance(name, str) or not isinstance(content, bytes):
        raise ValueError("a part without a name")
    file = one.get_filename()
    if file is None:
        return name, content.decode("utf-8")
    if not file and not content:
        return name, "(no file)"
    return name, f"the file {file!r} ({one.get_content_type()}, {len(content):,} bytes)"


def each_once(pairs: list[tuple[str, object]]) -> dict[str, object]:
    """An object of JSON. ValueError when it has a name twice: readers differ in which one counts."""
    found = dict(pairs)
    if len(found) < len(pairs):
        raise ValueError("a name twice")
    return found


def one_line(text: str) -> str:
    return " ".join(text.split())


def indented(value: str) -> str:
    return "\n    ".join(value.splitlines())
