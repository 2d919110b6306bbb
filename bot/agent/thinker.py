"""One call of the model: context in, reply written down, text shown while it is written, failures survived.

Cancelling `think` cuts the call short: nothing of it is written, and what was shown is taken back.
"""

from __future__ import annotations

import time
from datetime import timedelta

from bot import compaction
from bot.agent.book import Book
from bot.agent.parts import Parts
from bot.agent.speaker import Speaker
from bot.context import INSTRUCTIONS, build
from bot.entries import Compacted, Entry, Failed, Item, Posted, Posting, Replied
from bot.models.types import Broken, CallBegun, Completed, ModelRequest, TextDelta
from bot.pictures import filled_in
from bot.session.duties import answer_key
from bot.session.state import reply_text
from bot.store import StoreError
from bot.store.rows import Spend
from bot.surface import AnswerStream, SurfaceError
from bot.wellformed import whole, wholly

SHOW_AFTER = 120
"""Characters of a reply that may still turn out to be no answer before it is shown."""
NEARLY_FULL = 0.8
BUDGET_SECONDS = 10.0


class Typing:
    """A reply being shown while it is written, once it looks like the answer."""

    def __init__(self, book: Book, speaker: Speaker) -> None:
        self._book, self._speaker = book, speaker
        self._stream: AnswerStream | None = None
        self._held_back, self._off = "", bool(speaker.left())
        run = book.state.runs[-1]
        self._to = run.requester
        self.key = answer_key(run.number, run.steps + 1)

    async def add(self, delta: TextDelta) -> None:
        """Show more, or wait until there is enough to be worth it."""
        if self._off or delta.phase == "commentary":
            return
        self._held_back += delta.text
        if self._stream is None:
            if delta.phase != "final_answer" and len(self._held_back) < SHOW_AFTER:
                return
            if not await self._begin():
                return
        text, self._held_back = self._held_back, ""
        try:
            self._book.lease.guard()
            if self._stream is not None:
                await self._stream.append(whole(text))
        except SurfaceError:
            self._off = True

    async def _begin(self) -> bool:
        """Announce the answer; what a worker that died may have shown of it is left to a post that looks first."""
        announced = self.key in self._book.state.posting
        if announced and self.key not in self._speaker.typed:
            self._off = True
            return False
        self._speaker.typed.add(self.key)
        if not announced:
            await self._book.write(Posting(self._book.now(), self.key, "answer"))
        self._stream = self._speaker.surface.stream(self._book.lease.thread, self.key, self._to)
        return True

    async def drop(self) -> None:
        """It is not the answer after all. A worker that lost the session leaves it to the one that has it."""
        self._off = True
        stream, self._stream = self._stream, None
        if stream is None:
            return
        try:
            self._book.lease.guard()
        except StoreError:
            return
        await stream.abandon()

    @property
    def begun(self) -> bool:
        """Whether it was shown at all under this lease."""
        return self.key in self._speaker.typed

    def hand_over(self) -> None:
        """It may be the answer: the speaker finishes it, or takes it back if somebody spoke before it stood."""
        stream, self._stream = self._stream, None
        if stream is not None:
            self._speaker.streams[self.key] = stream


class Thinker:
    """Calls the model for one session."""

    def __init__(self, book: Book, parts: Parts, speaker: Speaker) -> None:
        self.book, self.parts, self.speaker = book, parts, speaker
        self._paid, self._paid_at = 0, 0.0
        """The run that was found within its budget, and when."""

    async def think(self) -> None:
        """One step of the model, written down as Replied or Failed."""
        if why := await self._over_budget():
            await self.book.end(Failed(self.book.now(), "limit", why))
            return
        if self._nearly_full() and await self._compact(tight=False):
            return
        seen = self.book.state.number
        typing = Typing(self.book, self.speaker)
        began = time.monotonic()
        try:
            last = await self._stream(await self._request(), typing)
        except BaseException:
            await typing.drop()
            raise
        if isinstance(last, Completed):
            await self._replied(last, seen, time.monotonic() - began, typing)
        else:
            await typing.drop()
            await self._broken(last, seen)

    async def _stream(self, request: ModelRequest, typing: Typing) -> Completed | Broken:
        last: Completed | Broken = Broken("cut", "The model's answer broke off.", retry=True)
        stream = self.parts.model.stream(request)
        try:
            async for event in stream:
                match event:
                    case TextDelta():
                        await typing.add(event)
                    case CallBegun():
                        await typing.drop()
                    case Completed() | Broken():
                        last = event
        finally:
            if (close := getattr(stream, "aclose", None)) is not None:
                await close()
        return last

    async def _replied(self, reply: Completed, seen: int, seconds: float, typing: Typing) -> None:
        entry = Replied(self.book.now(), wholly(reply.items), seen, reply.usage, reply.model, seconds)
        calls = any(item.get("type") == "function_call" for item in reply.items)
        if not calls and not reply_text(entry).strip():
            await typing.drop()
            await self._broken(Broken("empty", "The model answered nothing.", retry=True), seen)
            return
        entries: tuple[Entry, ...] = (entry,)
        if calls or self.book.state.news > seen or self.book.state.open_asks:
            await typing.drop()
            if typing.begun and not calls:
                entries = (entry, Posted(entry.at, typing.key, ""))
        else:
            typing.hand_over()
        usage = reply.usage
        spend = Spend(usage.cost or 0.0, usage.input + usage.output, self.book.state.runs[-1].requester.id)
        await self.book.write(*entries, spend=spend)

    async def _broken(self, broken: Broken, seen: int) -> None:
        """A failure: wait and try again, make room, or say it honestly."""
        if broken.code == "overflow" and await self._compact(tight=True):
            return
        patience = self.parts.patience
        failures = self.book.state.runs[-1].failures
        now = self.book.now()
        if broken.retry and failures + 1 < patience.model_tries:
            wait = max(patience.model_first * 2**failures, broken.retry_after or 0.0)
            until = now + timedelta(seconds=min(wait, max(patience.model_most, broken.retry_after or 0.0)))
            await self.book.write(Failed(now, broken.code, broken.text, until, seen))
            return
        tried = f" I tried {failures + 1} times." if broken.retry else ""
        await self.book.end(Failed(now, broken.code, f"{broken.text}{tried}", seen=seen))

    async def _request(self, *more: Item) -> ModelRequest:
        items = await filled_in((*build(self.book.state), *more), self.parts.keep.read)
        return ModelRequest(INSTRUCTIONS, items, self.parts.toolbox.schemas, self.book.lease.session)

    async def _over_budget(self) -> str:
        """Why no more money may be spent today, or an empty string. Looked up every few seconds at most."""
        run = self.book.state.runs[-1]
        if self._paid == run.number and time.monotonic() - self._paid_at < BUDGET_SECONDS:
            return ""
        why = await self._overspent()
        self._paid, self._paid_at = (0 if why else run.number), time.monotonic()
        return why

    async def _overspent(self) -> str:
        run, workspace = self.book.state.runs[-1], self.book.lease.thread.workspace
        person = await self.parts.spent_today(workspace, run.requester.id)
        if person >= self.parts.tariff.person:
            return f"{run.requester.name} has used the {self.parts.tariff.person:g} USD a person may spend in a day."
        if await self.parts.spent_today(workspace, None) >= self.parts.tariff.workspace:
            return f"This workspace has used the {self.parts.tariff.workspace:g} USD it may spend in a day."
        return ""

    def _nearly_full(self) -> bool:
        state = self.book.state
        if state.reply is None or state.compacted_number > state.reply_number:
            return False
        return state.reply.usage.input >= self.parts.context_tokens * NEARLY_FULL

    async def _compact(self, *, tight: bool) -> bool:
        """Replace older context by what must be kept and a summary; False when nothing can be gained."""
        state = self.book.state
        upto = compaction.tightest_boundary(state) if tight else compaction.boundary(state)
        if upto is None:
            return False
        summary = "" if tight else await self._summary()
        text = compaction.carried_over(state, upto, summary)
        await self.book.write(Compacted(self.book.now(), upto, text))
        return True

    async def _summary(self) -> str:
        """The model's own summary; without one, what is kept by rule has to do."""
        ask: Item = {"role": "user", "content": [{"type": "input_text", "text": compaction.SUMMARY_REQUEST}]}
        request = await self._request(ask)
        async for event in self.parts.model.stream(request):
            if isinstance(event, Completed):
                made = Replied(self.book.now(), event.items, 0, event.usage, event.model)
                usage = event.usage
                person = self.book.state.runs[-1].requester.id
                await self.book.write(spend=Spend(usage.cost or 0.0, usage.input + usage.output, person))
                return reply_text(made)
        return ""
