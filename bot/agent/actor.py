"""Judging and running calls: the only place where the bot acts, and never without a decision written before.

A call's intent is written before it acts and its outcome after. What a worker that died had begun is repeated
only where that is harmless; otherwise its outcome is said to be unknown, and a person decides.
"""

from __future__ import annotations

import asyncio
import logging
import secrets
import time
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta

from bot.agent.book import Book
from bot.agent.parts import Parts, Sent
from bot.agent.scripts import Scripts
from bot.context import answer_text
from bot.entries import Asked, Decided, Entry, Failed, Finished, HeldWrite, Judged, Query, Started
from bot.judge import Ruling, card_from, card_json, digest_of, repeats, rule, unknown_card
from bot.session.state import SENT, Ask, Call, shorten
from bot.spent import Spent
from bot.store import BlobError, StoreError
from bot.store.rows import Spend
from bot.surface import Line
from bot.tools.machine import clip
from bot.tools.takeover import RequestTakeover, sentence
from bot.tools.thread import ASK_NAME, AskPeople
from bot.tools.types import Outcome
from bot.wellformed import whole
from sandbox.egress.types import EgressResponse
from sandbox.types import Machine

log = logging.getLogger(__name__)

LOOP_MOST = 6
"""The same call so often in a row ends the run."""
APPROVAL_DAYS = 7


@dataclass(frozen=True, slots=True)
class SessionBench:
    """What a running tool may touch."""

    key: str
    book: Book
    parts: Parts

    async def machine(self) -> Machine:
        return await self.parts.computer(self.book.lease.thread).machine()

    async def keep(self, data: bytes) -> str:
        sha, _ = await self.parts.keep.put(data)
        return sha

    async def fetch(self, url: str) -> EgressResponse:
        return await self.parts.computer(self.book.lease.thread).fetch(url)

    async def render(self, url: str) -> EgressResponse:
        return await self.parts.computer(self.book.lease.thread).render(url)

    async def thread(self) -> Sequence[Line]:
        thread = self.book.lease.thread
        return await self.parts.surfaces[thread.surface].history(thread)

    def held(self) -> tuple[HeldWrite, ...]:
        return self.parts.computer(self.book.lease.thread).take_held()


class Actor:
    """Acts for one session."""

    def __init__(self, book: Book, parts: Parts) -> None:
        self.book, self.parts = book, parts
        self._scripts = Scripts(book, self.judge, self._one)

    async def judge(self, call: Call) -> None:
        """Write down what the policy says of a call, and ask a person where it says so."""
        try:
            ruling = self._rule(call)
        except Exception as error:  # noqa: BLE001 (no call may keep the session from going on)
            await self._unjudged(call, error)
            return
        decision = ruling.decision
        now = self.book.now()
        judged = Judged(now, call.id, decision.verdict, decision.rule, decision.why, ruling.effect, ruling.digest)
        if decision.rule == "loop" and repeats(call, self.book.state) >= LOOP_MOST:
            text = f"I was going in circles: the same step ({call.name}) again and again. I stopped instead."
            await self.book.write(judged)
            await self.book.end(Failed(now, "loop", text))
        elif decision.verdict == "ask" and ruling.card is not None:
            await self.book.write(judged, self._approval(call, ruling))
        elif decision.verdict == "auto" and isinstance(ruling.arguments, AskPeople):
            await self._ask(call, judged, ruling.arguments)
        elif decision.verdict == "auto" and isinstance(ruling.arguments, RequestTakeover):
            await self.book.write(judged, self._screen(call, ruling.arguments))
        else:
            await self.book.later(judged)

    async def act(self, calls: Sequence[Call]) -> None:
        """Run judged calls side by side. Cancelling leaves those that had begun without an outcome."""
        computer = self.parts.computer(self.book.lease.thread)
        async with self._scripts.answering(computer.answer), asyncio.TaskGroup() as group:
            for call in calls:
                group.create_task(self._one(call))

    async def recover(self, call: Call) -> None:
        """A call was begun and its worker died."""
        started = call.started
        if started is None:
            return
        if started.repeat in ("safe", "keyed"):
            await self._run(call, self._rule(call))
        elif call.name == SENT:
            ruling = self._rule(call)
            asked = self._approval(call, ruling)
            await self.book.write(asked)
        else:
            output = (
                "[Interrupted: I was restarted while this ran, so its outcome is unknown. It may have done all, part "
                "or nothing of its work. Look before you do anything again.]"
            )
            await self.book.write(Finished(self.book.now(), call.id, False, output, unknown=True))

    async def expire(self, ask: Ask) -> None:
        """Nobody decided in time: defaults for a question, no for an approval."""
        asked = ask.asked
        await self.book.write(Decided(self.book.now(), f"expired:{asked.ask}", asked.ask, "expired"))

    async def stopped(self, calls: Sequence[Call], why: str) -> None:
        """Close calls that a stop cut off."""
        now = self.book.now()
        entries = [
            Finished(now, call.id, False, f"[Cut off: {why}. It may be half done.]", unknown=True)
            for call in calls
            if call.unsure
        ]
        if entries:
            await self.book.write(*entries)

    def _rule(self, call: Call) -> Ruling:
        return rule(call, self.book.state.runs[-1], self.book.state, self.parts.toolbox)

    def _approval(self, call: Call, ruling: Ruling) -> Asked:
        """The confirmation for a call, bound to its exact arguments and to the person whose run it is."""
        card = ruling.card or card_from({"heading": call.name})
        if call.started is not None:
            card = unknown_card(card)
        now = self.book.now()
        return Asked(
            now,
            secrets.token_urlsafe(9),
            "approval",
            call.id,
            (self.book.state.runs[-1].requester.id,),
            card=card_json(card),
            digest=ruling.digest,
            deadline=now + timedelta(days=APPROVAL_DAYS),
        )

    def _screen(self, call: Call, arguments: RequestTakeover) -> Asked:
        """The request that somebody act on the screen themselves; it waits as long as it takes."""
        requester = self.book.state.runs[-1].requester.id
        queries = (Query(sentence(arguments)),)
        return Asked(self.book.now(), secrets.token_urlsafe(9), "takeover", call.id, (requester,), queries)

    async def _ask(self, call: Call, judged: Judged, arguments: AskPeople) -> None:
        questions = tuple(Query(line.text, tuple(line.options), line.default) for line in arguments.questions)
        now = self.book.now()
        silence = all(query.default for query in questions)
        deadline = now + timedelta(minutes=self.parts.ask_minutes) if silence else None
        requester = self.book.state.runs[-1].requester.id
        ask = secrets.token_urlsafe(9)
        asked = Asked(now, ask, "question", call.id, (requester,), questions, deadline=deadline)
        if arguments.meanwhile:
            told = "The question is in the thread. Go on with what does not depend on it; the answer comes by itself."
            await self.book.write(judged, Finished(now, call.id, True, told), asked)
        else:
            await self.book.write(judged, asked)

    async def _one(self, call: Call) -> None:
        """One call that was judged: what was decided about it, then the policy once more, then the deed."""
        ask = self.book.state.asks.get(call.ask)
        if call.judged is not None and call.judged.verdict == "deny":
            await self._finish(call, Outcome(call.judged.why, ok=False))
            return
        if ask is not None and ask.decided is not None:
            if ask.asked.purpose != "approval":
                await self._finish(call, Outcome(answer_text(self.book.state, ask.decided)))
                return
            if ask.decided.verdict != "yes":
                outcome = Outcome(_not_approved(call, ask.decided), ok=False, unknown=call.unsure)
                await self._finish(call, outcome)
                return
        ruling = self._rule(call)
        if ruling.decision.verdict == "deny" or (ruling.decision.verdict == "ask" and not _covers(ask, ruling)):
            await self._finish(call, Outcome(f"Not done, it is no longer allowed: {ruling.decision.why}", ok=False))
            return
        await self._run(call, ruling)

    async def _run(self, call: Call, ruling: Ruling) -> None:
        """Write the intent, act, write the outcome. While a person has the machine nothing is begun."""
        if self.book.state.hold is not None:
            return
        key = f"{self.book.lease.session}:{call.id}"
        tool = ruling.tool
        title = tool.title(ruling.arguments) if tool else _sending(call)
        self.book.lease.guard()
        await self.book.write(
            Started(self.book.now(), call.id, call.name, key, title, tool.repeat if tool else "unknown")
        )
        self.book.lease.guard()
        began = time.monotonic()
        if tool is not None:
            outcome = await self._tool(ruling, key)
        else:
            outcome = await self._send(call)
        await self._finish(call, outcome, time.monotonic() - began)

    async def _tool(self, ruling: Ruling, key: str) -> Outcome:
        """The tool's outcome; a fault in the tool is an outcome too."""
        if ruling.tool is None:
            return Outcome("There is no such tool.", ok=False)
        try:
            return await ruling.tool.run(SessionBench(key, self.book, self.parts), ruling.arguments)
        except StoreError:
            raise
        except Exception as error:
            log.exception("the tool %s failed", ruling.tool.name)
            return Outcome(f"The tool failed: {type(error).__name__}: {error}", ok=False)

    async def _send(self, call: Call) -> Outcome:
        if call.held is None:
            return Outcome("There is nothing to send.", ok=False)
        try:
            sent: Sent = await self.parts.computer(self.book.lease.thread).send(call.held)
        except BlobError as error:
            return Outcome(f"was approved; it could not be sent: {error}", ok=False)
        if sent.error:
            how = "may have been sent, but no answer came" if sent.unknown else "could not be sent"
            return Outcome(f"was approved; it {how}: {sent.error}", ok=False, unknown=sent.unknown)
        if sent.status >= 400:
            text = f"was approved; it was sent once and refused with HTTP {sent.status}\n{clip(sent.text)}"
            return Outcome(text, ok=False, unknown=sent.status >= 500)
        return Outcome(f"was approved and sent once. Answer: HTTP {sent.status}\n{clip(sent.text)}")

    async def _finish(self, call: Call, outcome: Outcome, seconds: float = 0.0) -> None:
        if call.held is not None:
            self.parts.computer(self.book.lease.thread).drop(call.held, clip(outcome.output))
        image = (await self.parts.keep.put(outcome.image))[0] if outcome.image else ""
        finished = Finished(
            self.book.now(),
            call.id,
            outcome.ok,
            clip(whole(outcome.output)),
            seconds,
            outcome.held,
            outcome.files,
            outcome.unknown,
            image,
        )
        news = self._news()
        bought = sum(entry.cost or 0.0 for entry in outcome.entries if isinstance(entry, Spent))
        spend = Spend(bought, 0, self.book.state.runs[-1].requester.id) if bought else None
        await self.book.write(*news, *outcome.entries, finished, spend=spend)
        if news:
            await self.parts.computer(self.book.lease.thread).told()

    def _news(self) -> list[Entry]:
        """What the computer has to say of itself, without what a crash kept it from noting as told."""
        known = [entry for _, entry in self.book.state.entries if entry.kind in ("lost", "unsaved")]
        return [entry for entry in self.parts.computer(self.book.lease.thread).news() if entry not in known]

    async def _unjudged(self, call: Call, error: Exception) -> None:
        """A call that not even the policy could look at is refused."""
        log.error("call %s of session %s could not be judged", call.id, self.book.lease.session, exc_info=error)
        why = f"The call could not be judged ({type(error).__name__}). Make it in another way."
        digest = digest_of(call.name, call.arguments)
        await self.book.write(Judged(self.book.now(), call.id, "deny", "unreadable", why, "run", digest))


def is_ask(call: Call) -> bool:
    """Whether the call is a question to people."""
    return call.name == ASK_NAME


def _covers(ask: Ask | None, ruling: Ruling) -> bool:
    """Whether a person's yes stands for exactly this."""
    return (
        ask is not None
        and ask.decided is not None
        and ask.decided.verdict == "yes"
        and ask.asked.digest == ruling.digest
    )


def _not_approved(call: Call, decided: Decided) -> str:
    who = decided.by.name if decided.by else "nobody"
    if call.unsure:
        again = "nobody agreed" if decided.by is None else f"{who} did not agree"
        return f"may have been sent before I was interrupted; {again} to send it again. {decided.text}".strip()
    match decided.verdict:
        case "no":
            said = f"was not sent: {who} said no. {decided.text}"
        case "change":
            said = f"was not sent: {who} wants it changed: {decided.text}"
        case "expired":
            said = "was not sent: nobody decided in time"
        case _:
            said = f"was not sent: withdrawn. {decided.text}"
    return said if call.held is not None else f"This {said}"


def _sending(call: Call) -> str:
    return f"Sent {call.held.method} {shorten(call.held.url, 100)}" if call.held else call.name
