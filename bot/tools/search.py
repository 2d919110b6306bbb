"""Web search by whoever the admin chose: providers are values, and all of them give the same hits.

What differs between them (address, where the key goes, names of fields) stays in this file. A hit is untrusted
text from the web: tags are removed and only web addresses are let through.
"""

from __future__ import annotations

import html
import json
import re
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, cast
from urllib.parse import urlsplit

import aiohttp

MOST_HITS = 10
MOST_BYTES = 4_000_000
TIMEOUT = aiohttp.ClientTimeout(total=30, connect=10)


class SearchError(Exception):
    """A search that brought nothing because it failed. The text says why and what to do, and holds no key."""


@dataclass(frozen=True, slots=True)
class Hit:
    """One result; plain text, an http(s) address, a snippet of at most 400 characters."""

    title: str
    url: str
    snippet: str


@dataclass(frozen=True, slots=True)
class Query:
    """One HTTP request to a provider."""

    method: str
    url: str
    headers: Mapping[str, str] = field(default_factory=dict[str, str], repr=False)
    params: Mapping[str, str] = field(default_factory=dict[str, str])
    body: Mapping[str, Any] | None = None


@dataclass(frozen=True, slots=True)
class Provider:
    """A search service. `ask` makes the request from base address, key and words; `path` leads to the results.

    `names` are the fields of title, address and snippet in one result. `url` is "" where admins run their own.
    """

    title: str
    url: str
    keyed: bool
    ask: Callable[[str, str, str], Query]
    path: tuple[str, ...]
    names: tuple[str, str, str]


@dataclass(frozen=True, slots=True)
class Access:
    """Which provider to use, with what key, at which address ("" for its own)."""

    provider: str
    key: str = field(default="", repr=False)
    url: str = ""


Search = Callable[[str], Awaitable[Sequence[Hit]]]
"""Words to hits, the best first. Raises SearchError."""


def _brave(base: str, key: str, words: str) -> Query:
    headers = {"X-Subscription-Token": key, "Accept": "application/json"}
    return Query("GET", f"{base}/res/v1/web/search", headers, {"q": words, "count": str(MOST_HITS)})


def _tavily(base: str, key: str, words: str) -> Query:
    body = {"query": words, "max_results": MOST_HITS}
    return Query("POST", f"{base}/search", {"Authorization": f"Bearer {key}"}, body=body)


def _serper(base: str, key: str, words: str) -> Query:
    return Query("POST", f"{base}/search", {"X-API-KEY": key}, body={"q": words, "num": MOST_HITS})


def _searxng(base: str, key: str, words: str) -> Query:
    headers = {"Authorization": f"Bearer {key}"} if key else {}
    return Query("GET", f"{base}/search", headers, {"q": words, "format": "json"})


PROVIDERS: Mapping[str, Provider] = {
    "brave": Provider(
        "Brave Search", "https://api.search.brave.com", True, _brave, ("web", "results"),
        ("title", "url", "description"),
    ),
    "tavily": Provider("Tavily", "https://api.tavily.com", True, _tavily, ("results",), ("title", "url", "content")),
    "serper": Provider(
        "Serper", "https://google.serper.dev", True, _serper, ("organic",), ("title", "link", "snippet")
    ),
    "searxng": Provider("SearXNG", "", False, _searxng, ("results",), ("title", "url", "content")),
}  # fmt: skip
"""By the name in THREADHAND_SEARCH; "off" is the absence of a provider."""


def searcher(session: aiohttp.ClientSession, access: Access) -> Search:
    """The search of a provider. Raises SearchError at once when it is unknown or lacks its key or address."""
    provider = PROVIDERS.get(access.provider)
    if provider is None:
        known = ", ".join(PROVIDERS)
        raise SearchError(f"There is no search provider {access.provider!r}. Set THREADHAND_SEARCH to one of: {known}.")
    base = (access.url or provider.url).rstrip("/")
    if not base:
        raise SearchError(f"{provider.title} has no address. Set THREADHAND_SEARCH_URL to where yours runs.")
    if provider.keyed and not access.key:
        raise SearchError(f"{provider.title} needs a key. Set THREADHAND_SEARCH_KEY.")

    async def search(words: str) -> Sequence[Hit]:
        answer = await _answer(session, provider, provider.ask(base, access.key, words))
        return _hits(provider, answer)

    return search


async def _answer(session: aiohttp.ClientSession, provider: Provider, query: Query) -> Any:
    """The provider's JSON. Redirects are not followed: the key is meant for this address alone."""
    try:
        async with session.request(
            query.method,
            query.url,
            headers=query.headers,
            params=query.params,
            json=query.body,
            timeout=TIMEOUT,
            allow_redirects=False,
        ) as response:
            body = await _body(response)
            status = response.status
    except (aiohttp.ClientError, TimeoutError, OSError) as error:
        host = urlsplit(query.url).hostname
        raise SearchError(f"{provider.title} ({host}) cannot be reached right now. Try again later.") from error
    if status != 200:
        raise SearchError(_refusal(provider, status, body))
    try:
        return json.loads(body)
    except ValueError as error:
        text = f"{provider.title} answered with something that isn't JSON. Check THREADHAND_SEARCH_URL."
        raise SearchError(text) from error


async def _body(response: aiohttp.ClientResponse) -> bytes:
    body = bytearray()
    async for chunk in response.content.iter_any():
        body += chunk
        if len(body) > MOST_BYTES:
            raise aiohttp.ClientPayloadError("the answer is too large")
    return bytes(body)


def _refusal(provider: Provider, status: int, body: bytes) -> str:
    name, words = provider.title, body[:4000].decode(errors="replace").casefold()
    if status in (402, 432, 433) or any(word in words for word in ("credit", "quota", "usage limit", "plan limit")):
        return f"The {name} account has used up its searches. Raise its plan, or wait until it starts anew."
    if status == 429:
        return f"{name} gets too many searches at once. Wait a little and try again."
    if provider.keyed and (status in (401, 403) or (status == 422 and "token" in words)):
        return f"{name} does not accept the key. Check THREADHAND_SEARCH_KEY."
    if status == 403:
        return f"{name} does not give out JSON. Add json to search.formats in its settings.yml, and allow this client."
    if status >= 500:
        return f"{name} is broken or overloaded right now ({status}). Try again later."
    return f"{name} did not take the search ({status}). Check THREADHAND_SEARCH_URL, and word the search differently."


def _hits(provider: Provider, answer: Any) -> list[Hit]:
    for name in provider.path:
        answer = cast("dict[str, Any]", answer).get(name) if isinstance(answer, dict) else None
    title, url, snippet = provider.names
    hits: dict[str, Hit] = {}
    for raw in cast("list[Any]", answer) if isinstance(answer, list) else []:
        if not isinstance(raw, dict):
            continue
        fields = cast("dict[str, Any]", raw)
        address = str(fields.get(url) or "").strip()
        if _is_web(address) and address not in hits:
            hits[address] = Hit(_plain(fields.get(title), 200) or address, address, _plain(fields.get(snippet), 400))
    return list(hits.values())[:MOST_HITS]


def _is_web(address: str) -> bool:
    try:
        parts = urlsplit(address)
    except ValueError:
        return False
    return parts.scheme in ("http", "https") and bool(parts.hostname) and not re.search(r"\s", address)


def _plain(value: Any, most: int) -> str:
    text = " ".join(html.unescape(re.sub(r"<[^<>]*>", "", str(value or ""))).split())
    return text if len(text) <= most else text[: most - 1].rstrip() + "…"
