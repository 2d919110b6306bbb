"""What can go wrong with a model call, told apart by status, code and wording, and said so that a person can act.

Providers spell one failure in many ways, and some quote the key in their answer: so texts are built here, the
server's own words are quoted only where they help, shortened and with anything like a credential taken out.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Any, cast

from bot.models.types import Broken

_OVERFLOW = re.compile(
    r"context_length_exceeded|exceed_context_size|context[ _-](length|window|size)|maximum context|"
    r"(prompt|input|request) (is |was )?too (long|large)|too many (input )?tokens|string_above_max_length|"
    r"exceeds? the (available|maximum|model'?s?) (context|input)|reduce the length|context the overflows",
    re.IGNORECASE,
)
_QUOTA = re.compile(
    r"insufficient_quota|billing|credit balance|exceeded your current quota|out of credits", re.IGNORECASE
)
_REFUSED = re.compile(
    r"content_filter|content_policy|invalid_prompt|moderation|safety|violat|cyber_policy|bio_policy", re.IGNORECASE
)
_SECRET = re.compile(
    r"(?i)\bbearer\s+\S+|\b(?:sk|pk|rk|key|tok|gsk|hf|xai)[-_][A-Za-z0-9_\-*.…]{6,}"
    r"|\b(?:api[-_ ]?key|token|authorization|password)\b\s*(?:provided)?\s*[:=]\s*\S+|//[^/\s@]+@"
)


@dataclass(frozen=True, slots=True)
class Source:
    """Which server and model a failure is about, and the key that no text may show."""

    host: str
    model: str
    key: str

    def clean(self, text: str, limit: int = 300) -> str:
        """The server's words in one line, without credentials, at most `limit` characters."""
        line = " ".join(text.split())
        if self.key:
            line = line.replace(self.key, "[removed]")
        line = _SECRET.sub("[removed]", line)
        return line if len(line) <= limit else line[: limit - 1] + "…"


def of_status(source: Source, status: int, body: object, headers: Mapping[str, str]) -> Broken:
    """The failure behind an HTTP status other than 2xx. `body` is parsed JSON or text."""
    code, words = said(body)
    wait = retry_after(headers)
    if status in (401, 403):
        return Broken("auth", _auth(source, status, code), retry=False)
    if status == 402 or _QUOTA.search(code) or (status == 429 and _QUOTA.search(words)):
        return Broken("quota", _quota(source), retry=False)
    if _too_long(status, code, words):
        return Broken("overflow", "The conversation is longer than the model can read at once.", retry=False)
    if status == 429:
        return Broken("rate_limited", f"{source.host} is rate limiting us: it will be tried again.", True, wait)
    if status >= 500 or status in (408, 409, 425):
        text = f"The model's server ({source.host}) answered {status}: it is overloaded or broken right now."
        return Broken("overloaded", text, True, wait)
    if status == 404:
        return Broken("invalid", _missing(source, words), retry=False)
    if _REFUSED.search(code):
        return Broken("refused", f"The provider refused the request: {source.clean(words)}", retry=False)
    text = f"The model's server ({source.host}) did not accept the request ({status}): {source.clean(words)}"
    return Broken("invalid", text, retry=False)


def of_error(source: Source, code: str, words: str) -> Broken:
    """The failure in a `response.failed` or `error` event."""
    both = f"{code} {words}"
    if _QUOTA.search(code):
        return Broken("quota", _quota(source), retry=False)
    if _OVERFLOW.search(both):
        return Broken("overflow", "The conversation is longer than the model can read at once.", retry=False)
    if "rate_limit" in code:
        return Broken("rate_limited", f"{source.host} is rate limiting us: it will be tried again.", retry=True)
    if _REFUSED.search(code):
        return Broken("refused", f"The provider refused the request: {source.clean(words)}", retry=False)
    if code in ("invalid_api_key", "authentication_error", "permission_denied"):
        return Broken("auth", _auth(source, 401, code), retry=False)
    if code.startswith(("invalid_", "image_", "unsupported_")) or code == "bad_request":
        return Broken("invalid", f"The model's server could not use the request: {source.clean(words)}", retry=False)
    return Broken("overloaded", f"The model failed while answering: {source.clean(words or code)}", retry=True)


def incomplete(source: Source, reason: str) -> Broken:
    """The failure behind `response.incomplete`."""
    match reason:
        case "max_output_tokens" | "max_tokens" | "length":
            text = "The model's reply hit its output limit and was cut off. Ask for less at once, or raise the limit."
            return Broken("cut", text, retry=False)
        case "content_filter":
            return Broken("refused", "The provider's content filter stopped the reply. Word it differently.", False)
        case _:
            text = f"The model stopped before it had finished ({source.clean(reason) or 'no reason given'})."
            return Broken("cut", text, retry=True)


def said(body: object) -> tuple[str, str]:
    """(code, message) of an error body in the shapes servers use; ("", text) for anything else."""
    if not isinstance(body, dict):
        return "", str(body or "")
    data = cast("dict[str, Any]", body)
    inner = data.get("error", data)
    if isinstance(inner, str):
        return "", inner
    if not isinstance(inner, dict):
        return "", str(data)
    fields = cast("dict[str, Any]", inner)
    code = " ".join(str(fields[key]) for key in ("code", "type") if fields.get(key))
    return code, str(fields.get("message") or fields.get("detail") or fields)


def retry_after(headers: Mapping[str, str]) -> float | None:
    """Seconds the server asks us to wait, whichever way it says so."""
    for name, scale in (("retry-after-ms", 0.001), ("retry-after", 1.0)):
        value = headers.get(name, "")
        try:
            return max(0.0, float(value) * scale)
        except ValueError:
            pass
    try:
        when = parsedate_to_datetime(headers.get("retry-after", ""))
    except ValueError:
        return None
    when = when if when.tzinfo else when.replace(tzinfo=UTC)
    return max(0.0, (when - datetime.now(UTC)).total_seconds())


def _too_long(status: int, code: str, words: str) -> bool:
    if status == 413:
        return True
    if status == 429:
        return "too large" in words.lower()
    return bool(_OVERFLOW.search(code) or _OVERFLOW.search(words))


def _auth(source: Source, status: int, code: str) -> str:
    if "country" in code or "region" in code:
        return f"{source.host} does not serve this region. Use another provider through OPENAI_BASE_URL."
    what = "does not accept the API key" if status == 401 else f"does not let this key use {source.model}"
    return f"{source.host} {what}. Check OPENAI_API_KEY, and that its project may use the model."


def _quota(source: Source) -> str:
    return f"The account at {source.host} has no credit left. Add credit or raise its limit, then say 'go on'."


def _missing(source: Source, words: str) -> str:
    return (
        f"{source.host} knows no model {source.model!r} or has no Responses API there: check THREADHAND_MODEL and "
        f"OPENAI_BASE_URL. It said: {source.clean(words, 160)}"
    )
