"""Whether there is a language model, and whether it answers us."""

from __future__ import annotations

from typing import Any, cast

from bot.config import Settings
from bot.doctor.finding import Finding, missing, ok, warn
from bot.doctor.http import Answer, ask

OPENAI = "https://api.openai.com/v1"


async def model(settings: Settings) -> list[Finding]:
    """The model: listed by its server, or else proven by one tiny call."""
    chosen = settings.model
    if not chosen.configured:
        fix = "Set OPENAI_API_KEY, or OPENAI_BASE_URL for another server with the Responses API."
        return [warn("model", "none: the built-in rehearsal model stands in", fix)]
    base = chosen.base_url or OPENAI
    key = chosen.api_key.get_secret_value() if chosen.api_key else ""
    listed = await ask("GET", f"{base}/models", key)
    if listed.status in (401, 403):
        return [missing("model", f"{base} does not accept the key: {_why(listed)}", "Check OPENAI_API_KEY.")]
    if listed.status == 0:
        return [missing("model", f"{base} does not answer: {listed.error}", "Check OPENAI_BASE_URL and the network.")]
    if chosen.name in _names(listed):
        return [ok("model", f"{chosen.name} at {base}")]
    body = {"model": chosen.name, "input": "ping", "max_output_tokens": 16, "store": False}
    called = await ask("POST", f"{base}/responses", key, body)
    if called.status == 200:
        return [ok("model", f"{chosen.name} at {base} answered")]
    why = called.error or _why(called)
    return [
        missing(
            "model", f"{chosen.name} at {base} did not answer: {why}", "Check THREADHAND_MODEL and OPENAI_BASE_URL."
        )
    ]


def _names(answer: Answer) -> set[str]:
    """The models a server lists."""
    found = answer.body.get("data")
    entries = cast("list[Any]", found) if isinstance(found, list) else []
    return {str(cast("dict[str, Any]", entry).get("id")) for entry in entries if isinstance(entry, dict)}


def _why(answer: Answer) -> str:
    """The server's own words for an error."""
    error = answer.body.get("error")
    text = cast("dict[str, Any]", error).get("message") if isinstance(error, dict) else error
    return str(text)[:200] if text else f"HTTP {answer.status}"
