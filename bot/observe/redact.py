"""Takes credentials out of anything that is about to be written down where people look.

Hides what credentials look like. Two nets: values this deployment is known to hold, in every form they are
commonly written, and shapes that are credentials wherever they come from. It errs towards hiding too much.
"""

from __future__ import annotations

import json
import re
from base64 import b64encode
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import cast
from urllib.parse import quote, quote_plus

HIDDEN = "[hidden]"
SHORTEST = 6
"""Known values shorter than this are not looked for: they would take innocent words apart."""
_DEPTH = 8

_NAMES = r"(?:[\w.\-\[\]]*(?:token|secret|password|passwd|api_?key|apikey|private_?key|signature|credential))"
_HEADERS = r"(?:(?:proxy-)?authorization|(?:set-)?cookie)"
_SECRET_KEY = re.compile(
    rf"(?i)^(?:{_NAMES}|{_HEADERS}|x-slack-signature|response_url)s?$",
)
_SHAPES: tuple[tuple[re.Pattern[str], str], ...] = (
    # a private key as a whole, also when its end is cut off
    (re.compile(r"-----BEGIN [A-Z ]*PRIVATE KEY-----[\s\S]*?(?:-----END [A-Z ]*PRIVATE KEY-----|\Z)"), HIDDEN),
    # SQLAlchemy's and PostgreSQL's errors repeat the values of a statement
    (re.compile(r"\[parameters: .*"), "[parameters hidden]"),
    (re.compile(r"(?m)(DETAIL:\s+).*"), rf"\g<1>{HIDDEN}"),
    # Authorization: Bearer abc; Cookie: a=b; c=d; 'authorization': 'abc'; (b'authorization', b'abc')
    (re.compile(rf"(?i)({_HEADERS}[\"']?\s*[:=,]\s*b?)(\"[^\"\n]*\"|'[^'\n]*')"), rf"\1{HIDDEN}"),
    (re.compile(rf"(?i)({_HEADERS}\s*[:=]\s*)(?![b\"'\[])[^\n]+"), rf"\1{HIDDEN}"),
    (re.compile(r"(?i)\b(bearer|basic)(\s+|%20)[\w.~+/=%:-]{6,}"), rf"\1\2{HIDDEN}"),
    (re.compile(r"(?<![A-Za-z0-9])(?:xox[a-z]|xapp|xwfp)[-.][\w.%-]+"), HIDDEN),
    (re.compile(r"(?<![A-Za-z0-9])sk-[\w-]{6,}"), HIDDEN),
    (
        re.compile(
            r"(?<![A-Za-z0-9])(?:gh[a-z]_\w{6,}|github_pat_\w+|glpat-[\w-]{6,}|AKIA[0-9A-Z]{12,}|AIza[\w-]{20,})"
        ),
        HIDDEN,
    ),
    (re.compile(r"eyJ[\w-]{4,}\.[\w-]+(?:\.[\w-]*)?"), HIDDEN),
    (re.compile(r"(hooks\.slack\.com/)[^\s\"'<>]+"), rf"\g<1>{HIDDEN}"),
    (re.compile(r"(://)[^\s/?#]+@"), rf"\g<1>{HIDDEN}@"),
    # ?code=abc&api_key=def, in a query or a form
    (
        re.compile(r"(?i)([?&;][\w.\-\[\]%]*(?:token|key|secret|signature|password|code|sig)=)[^&\s\"'<>#]+"),
        rf"\1{HIDDEN}",
    ),
    # token=abc, "client_secret": "abc", password: 'abc'
    (
        re.compile(rf"(?i)(?<![\w.\-\[\]])({_NAMES})([\"']?\s*[:=]\s*)(\"[^\"\n]*\"|'[^'\n]*'|[^\s,;&\"'(){{}}\[\]]+)"),
        rf"\1\2{HIDDEN}",
    ),
)


@dataclass(frozen=True, slots=True)
class Redactor:
    """Hides credentials in texts and values. Make it with `of`."""

    known: re.Pattern[str] | None = None

    @classmethod
    def of(cls, secrets: Iterable[str]) -> Redactor:
        """One that also hides these values, as they are and as they are written in URLs, JSON and base64."""
        forms = {form for secret in secrets if len(secret) >= SHORTEST for form in _forms(secret)}
        if not forms:
            return cls()
        return cls(re.compile("|".join(re.escape(form) for form in sorted(forms, key=len, reverse=True))))

    def text(self, text: str) -> str:
        """The text with every credential replaced."""
        if self.known:
            text = self.known.sub(HIDDEN, text)
        for shape, instead in _SHAPES:
            text = shape.sub(instead, text)
        return text

    def value(self, value: object, depth: int = 0) -> object:
        """The value for a log: plain numbers stay, texts are redacted, all else is taken apart or becomes text.

        What stands under a name that means a credential is hidden whatever it looks like.
        """
        match value:
            case None | bool() | int() | float():
                return value
            case str():
                return self.text(value)
            case Mapping() if depth < _DEPTH:
                items = cast("Mapping[object, object]", value).items()
                return {self.text(str(key)): self._named(str(key), item, depth) for key, item in items}
            case list() | tuple() if depth < _DEPTH:
                return [self.value(item, depth + 1) for item in cast("list[object]", value)]
            case bytes():
                return self.text(value.decode("utf-8", "backslashreplace"))
            case _:
                return self.text(_shown(value))

    def _named(self, key: str, value: object, depth: int) -> object:
        if isinstance(value, str | bytes) and _SECRET_KEY.match(key):
            return HIDDEN
        return self.value(value, depth + 1)


def _shown(value: object) -> str:
    """The value as text, whatever its own way of printing does."""
    try:
        return str(value)
    except Exception as error:  # noqa: BLE001  a log line must never fail because of what it is about
        return f"<{type(value).__name__} that cannot be printed: {type(error).__name__}>"


def _forms(secret: str) -> set[str]:
    """The ways a value is commonly written."""
    forms = {
        secret,
        quote(secret, safe=""),
        quote(secret),
        quote_plus(secret),
        json.dumps(secret)[1:-1],
        json.dumps(secret, ensure_ascii=False)[1:-1],
        repr(secret)[1:-1],
        b64encode(secret.encode("utf-8", "surrogatepass")).decode().rstrip("="),
    }
    return {form for form in forms if len(form) >= SHORTEST}
