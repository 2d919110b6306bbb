"""One HTTP request for the doctor: an answer or one sentence why there is none."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import aiohttp

LIMIT = 20.0
_MOST = 1024 * 1024


@dataclass(frozen=True, slots=True)
class Answer:
    """`status` 0: there was no answer, and `error` says why. `body` is the JSON object, or empty."""

    status: int
    body: dict[str, Any] = field(default_factory=dict[str, Any])
    headers: Mapping[str, str] = field(default_factory=dict[str, str])
    error: str = ""


async def ask(method: str, url: str, token: str, body: dict[str, Any] | None = None) -> Answer:
    """Send one request with a bearer token. Never raises for what a server or network does."""
    headers = {"Authorization": f"Bearer {token}"} if token else {}
    limit = aiohttp.ClientTimeout(total=LIMIT)
    try:
        async with (
            aiohttp.ClientSession(timeout=limit, trust_env=True) as session,
            session.request(method, url, headers=headers, json=body) as response,
        ):
            raw = await response.content.read(_MOST)
            return Answer(
                response.status, _object(raw), {key.lower(): value for key, value in response.headers.items()}
            )
    except TimeoutError:
        return Answer(0, error=f"no answer within {LIMIT:.0f} s")
    except (aiohttp.ClientError, OSError, ValueError) as error:
        return Answer(0, error=f"{type(error).__name__}: {error}")


def _object(raw: bytes) -> dict[str, Any]:
    try:
        value = json.loads(raw)
    except ValueError:
        return {}
    return value if isinstance(value, dict) else {}  # pyright: ignore[reportUnknownVariableType]
