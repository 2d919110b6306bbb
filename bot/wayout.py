"""What a session's machine sends, and what becomes of it: judged, kept for a person's yes, sent once, on the record.

Hides the gate and the policy's part in it. A fetch that is allowed passes; a write is kept whole and becomes a call of
the session, which a person decides. A browser that sent one is left waiting for a while, so that its page goes on by
itself; any other program is answered at once.
"""

from __future__ import annotations

import secrets
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from urllib.parse import urlsplit

from bot.agent.parts import Keep, Sent
from bot.answers import Answers, from_page
from bot.entries import HeldWrite
from bot.floor import Floor
from bot.forms import readable
from bot.store.rows import EgressRow
from policies.builtin import decide
from policies.types import Effect, Request
from sandbox.egress.authority import Authority
from sandbox.egress.fetch import Fetcher
from sandbox.egress.gate import Gate, Rules
from sandbox.egress.types import (
    AddressRefused,
    Allow,
    EgressRecord,
    EgressRequest,
    EgressResponse,
    Hold,
    Refuse,
    Unreachable,
    Verdict,
)
from sandbox.egress.upstream import Upstream

SHOWN_MOST = 2000
"""Characters of a held body that its card shows."""
HELD_MOST = 20
"""Writes of one session that may wait at a time."""

THEIRS = (
    "a person has the machine, or has just left it; nothing of theirs is sent unasked or kept. "
    "Once they have left, try again in a few seconds"
)

RecordEgress = Callable[[str, EgressRow], Awaitable[None]]


@dataclass(frozen=True, slots=True)
class Outside:
    """How the world is reached, and where what was sent is kept and written down."""

    upstream: Upstream
    authority: Authority
    keep: Keep
    record: RecordEgress


class WayOut:
    """One session's. `open` before a machine starts, `close` after it."""

    def __init__(self, session: str, outside: Outside, socket: Path, floor: Floor) -> None:
        self._session, self._outside, self._floor = session, outside, floor
        self._rules = Rules(session, self._judge, self._record)
        self._gate: Gate | None = None
        self._held: list[HeldWrite] = []
        self._answers = Answers()
        self.socket = socket
        self.theirs_alone = True
        """Whether what is sent while a person has the machine can only be theirs."""

    async def open(self) -> bool:
        """Listen; whether it did not before."""
        if self._gate is not None:
            return False
        gate = Gate(self.socket, self._outside.authority, self._outside.upstream, self._rules)
        await gate.start()
        self._gate = gate
        return True

    async def close(self) -> bool:
        """End it and what goes through it; whether it was open."""
        self._answers.close()
        gate, self._gate = self._gate, None
        if gate is not None:
            await gate.close()
        return gate is not None

    async def fetch(self, url: str) -> EgressResponse:
        """GET a page through the same judgement as the machine's own requests. Raises EgressError."""
        return await Fetcher(self._outside.upstream, self._rules).fetch(url)

    def take_held(self) -> tuple[HeldWrite, ...]:
        """Writes kept since the last call."""
        held, self._held = tuple(self._held), []
        return held

    async def send(self, held: HeldWrite) -> Sent:
        """Send an approved write once, byte for byte as it was kept."""
        parts = urlsplit(held.url)
        port = parts.port or (443 if parts.scheme == "https" else 80)
        body = await self._outside.keep.read(held.blob)
        request = EgressRequest(held.method, held.url, parts.hostname or "", port, held.headers, body)
        record = EgressRecord(self._session, time.time(), held.method, held.url, "failed", "approved", sent=len(body))
        try:
            answer = await self._outside.upstream.send(request)
        except Unreachable as error:
            await self._record(record)
            self._answers.give(held.id, Refuse(str(error)))
            return Sent(error=str(error), unknown=error.maybe_sent)
        except AddressRefused as error:
            self._answers.give(held.id, Refuse(str(error)))
            return Sent(error=str(error))
        sent = EgressRecord(
            self._session, record.at, held.method, held.url, "sent", "approved", status=answer.status, sent=len(body)
        )
        await self._record(sent)
        self._answers.give(held.id, answer)
        return Sent(answer.status, answer.body.decode("utf-8", "replace"))

    def drop(self, held: HeldWrite, why: str) -> None:
        """It will not be sent: a page that waits for its answer is told so."""
        self._answers.give(held.id, Refuse(why))

    async def _judge(self, request: EgressRequest) -> Verdict:
        """The policy on one request of the machine's programs. A person who has the machine acts for themselves."""
        if self._floor.holder and (self.theirs_alone or not request.writes):
            return Allow()
        if self._floor.private and request.writes:
            return Refuse(THEIRS)
        effect = Effect.SEND if request.writes else Effect.FETCH
        wanted = Request("egress", effect, {"url": request.url}, "", "member", outside=True, target=request.host)
        decision = decide(wanted)
        match decision.verdict:
            case "auto":
                return Allow()
            case "deny":
                return Refuse(decision.why)
            case "ask":
                return await self._hold(request, decision.why)

    async def _hold(self, request: EgressRequest, why: str) -> Verdict:
        same = [held for held in self._held if (held.method, held.url) == (request.method, request.url)]
        if any(held.blob == request.body_sha256 for held in same):
            return Refuse("the same request waits already for a person's yes; do not repeat it")
        if len(self._held) >= HELD_MOST:
            return Refuse(f"{HELD_MOST} requests wait already; send less at a time")
        blob, size = await self._outside.keep.put(request.body)
        shown = readable(request.body, request.header("content-type") or "", SHOWN_MOST)
        id_ = f"w{secrets.token_hex(8)}"
        self._held.append(
            HeldWrite(id_, request.method, request.url, request.headers, blob, size, shown.text, shown.whole)
        )
        return Hold(id_, why, self._answers.expect(id_) if from_page(request) else None)

    async def _record(self, record: EgressRecord) -> None:
        row = EgressRow(
            datetime.fromtimestamp(record.at, UTC),
            record.method,
            without_query_values(record.url),
            record.outcome,
            record.reason,
            record.address,
            record.status,
            record.sent,
            record.received,
            "" if self._floor.private else record.body_sha256,
            record.seconds,
        )
        await self._outside.record(self._session, row)


def without_query_values(url: str) -> str:
    """The URL for the record: values in a query may be secrets."""
    parts = urlsplit(url)
    if not parts.query:
        return url
    names = "&".join(f"{pair.partition('=')[0]}=…" for pair in parts.query.split("&"))
    return parts._replace(query=names).geturl()
