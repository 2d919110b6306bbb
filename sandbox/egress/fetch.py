"""Fetching a page for the agent, through the same judgement and address checks as the machine's own traffic.

Hides redirects: each hop is a request of its own, judged and checked like the first.
"""

from __future__ import annotations

import dataclasses
import time
from urllib.parse import urljoin

from . import urls
from .gate import HELD, Rules
from .types import (
    AddressRefused,
    Allow,
    EgressError,
    EgressRecord,
    EgressRequest,
    EgressResponse,
    Hold,
    Refuse,
    RequestRefused,
    Unreachable,
)
from .upstream import RESPONSE_MAX, Upstream

HOPS_MAX = 8
REDIRECTS = frozenset({301, 302, 303, 307, 308})
HEADERS = (
    ("user-agent", "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Threadhand/1.0"),
    ("accept", "text/html,application/xhtml+xml,application/pdf,text/*;q=0.9,*/*;q=0.8"),
    ("accept-language", "en;q=0.9,*;q=0.5"),
    ("accept-encoding", "gzip, deflate"),
)


class Fetcher:
    """Gets pages for one session. Only GET: what changes something goes through the gate."""

    def __init__(self, upstream: Upstream, rules: Rules) -> None:
        self._upstream = upstream
        self._rules = rules

    async def fetch(self, url: str, *, limit: int = RESPONSE_MAX) -> EgressResponse:
        """The page at `url` after redirects, at most `limit` bytes; its `url` says where it was found.

        AddressRefused, RequestRefused, Unreachable.
        """
        request = urls.request("GET", url, HEADERS)
        for _ in range(HOPS_MAX):
            response = await self._hop(request, limit)
            target = response.header("location") if response.status in REDIRECTS else None
            if not target:
                return response
            request = urls.request("GET", urljoin(request.url, target), HEADERS)
        raise Unreachable(f"{url} redirects more than {HOPS_MAX} times. Try another address.")

    async def _hop(self, request: EgressRequest, limit: int) -> EgressResponse:
        log = EgressRecord(self._rules.session_id, time.time(), request.method, request.url, "failed")
        begun = time.monotonic()
        try:
            match await self._rules.judge(request):
                case Allow():
                    response = await self._upstream.send(request, limit=limit)
                case Refuse(reason):
                    raise RequestRefused(f"{request.url} was refused: {reason}")
                case Hold(hold, reason):
                    raise RequestRefused(f"{HELD} ({reason})", hold)
            log = dataclasses.replace(log, outcome="sent", status=response.status, received=len(response.body))
        except EgressError as error:
            outcome = "refused" if isinstance(error, AddressRefused | RequestRefused) else "failed"
            log = dataclasses.replace(log, outcome=outcome, reason=str(error))
            raise
        finally:
            await self._rules.record(dataclasses.replace(log, seconds=time.monotonic() - begun))
        return response
