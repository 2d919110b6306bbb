"""Does what a session owes its thread: the outbox of `bot.session.duties`, each duty at most once.

It works beside the loop, so that a status is told and a click refused while the model thinks. A post is announced
in the journal before and recorded after; one that was announced by a worker that died is looked for first.
"""

from __future__ import annotations

import asyncio
import logging

from bot import narrator
from bot.agent.book import Book
from bot.agent.parts import Parts
from bot.entries import Posted, Posting, Stopped
from bot.heard import Person
from bot.judge import card_from
from bot.outgoing import Confirmation, Outgoing, Question, Reply, StatusCard
from bot.session.duties import Duty, ask_key, owed
from bot.session.state import Ask
from bot.surface import AnswerStream, Gone, Mark, Refused, Unavailable

log = logging.getLogger(__name__)


class Speaker:
    """One per lease. `run` works until cancelled; `flush` returns when nothing is owed and the card is current."""

    def __init__(self, book: Book, parts: Parts) -> None:
        self.book, self.parts = book, parts
        self.surface = parts.surfaces[book.lease.thread.surface]
        self.streams: dict[str, AnswerStream] = {}
        """Answers being typed, by their duty's key."""
        self._turn = asyncio.Lock()
        self._shown: StatusCard | None = None
        self._mark = ""

    async def run(self) -> None:
        """Do duties as they arise and keep the card current. Leaves what the product refuses for now to `flush`."""
        news = asyncio.Event()
        news.set()
        self.book.watchers.append(news)
        while True:
            await news.wait()
            news.clear()
            try:
                await self._all()
                await self.show()
            except Unavailable as error:
                log.warning("the chat product does not answer: %s", error)
                await asyncio.sleep(error.retry_after)
                news.set()

    async def flush(self) -> None:
        """Do everything owed now. Raises Unavailable when the chat product does not answer."""
        for attempt in range(1, self.parts.patience.surface_tries + 1):
            try:
                await self._all()
                await self.show()
                return
            except Unavailable as error:
                if attempt == self.parts.patience.surface_tries:
                    raise
                await asyncio.sleep(min(error.retry_after, 30))

    async def _all(self) -> None:
        async with self._turn:
            while duty := next(owed(self.book.state), None):
                await self._do(duty)

    async def show(self) -> None:
        """Bring the card and the thread's mark up to date."""
        state, thread = self.book.state, self.book.lease.thread
        run = state.run
        if run is None or run.ended:
            return
        message = state.posted.get(f"card:{run.number}")
        if not message:
            return
        card = self._card()
        if card != self._shown:
            self._shown = card
            await self._update(message, card)
        mark: Mark = "waiting" if card.state == "waiting" else "working"
        if mark != self._mark:
            self._mark = mark
            await self.surface.mark(thread, mark, run.request.ts, card.goal)

    async def _do(self, duty: Duty) -> None:
        """One duty. What the product refuses for good is done with; so is everything in a thread that is gone."""
        try:
            await self._perform(duty)
        except Gone as error:
            log.warning("cannot post %s: %s", duty.key, error)
            entries = [Posted(self.book.now(), duty.key, "")]
            if self.book.state.active:
                why = "The thread is not there any more"
                await self.book.write(*entries, Stopped(self.book.now(), None, why))
            else:
                await self.book.write(*entries)
        except Refused as error:
            log.error("the chat product refuses %s: %s", duty.key, error)
            await self._tell_refusal(duty, error)

    async def _tell_refusal(self, duty: Duty, error: Refused) -> None:
        """An answer that cannot be shown is said to be so; anything else is let go."""
        message = ""
        if duty.what in ("answer", "files", "ask", "report"):
            text = f"I could not post this here, the chat refused it: {error}"
            try:
                message = await self.surface.post(self.book.lease.thread, Reply(text), f"{duty.key}:refused")
            except (Refused, Gone) as again:
                log.error("nor can its refusal be told: %s", again)
        await self.book.write(Posted(self.book.now(), duty.key, message))

    async def _perform(self, duty: Duty) -> None:
        thread = self.book.lease.thread
        match duty.what:
            case "receipt":
                mark: Mark = "seen" if duty.key.startswith("seen:") else "applied"
                await self.surface.mark(thread, mark, duty.ref)
                await self.book.write(Posted(self.book.now(), duty.key, ""))
            case "whisper":
                await self._whisper(duty)
            case "record":
                await self._record(duty)
            case "settle":
                await self._settle(duty)
            case _:
                await self._post(duty)

    async def _post(self, duty: Duty) -> None:
        """Post under a key, once."""
        content = self._content(duty)
        look = duty.key in self.book.state.posting
        stream = self.streams.pop(duty.key, None)
        if not look:
            await self.book.write(Posting(self.book.now(), duty.key, duty.what))
        self.book.lease.guard()
        if stream is not None and isinstance(content, Reply):
            message = await stream.finish(content)
        else:
            message = await self.surface.post(self.book.lease.thread, content, duty.key, look=look)
        await self.book.write(Posted(self.book.now(), duty.key, message))

    async def _whisper(self, duty: Duty) -> None:
        """Told at most once: nobody can look whether a private word was heard."""
        refused = next(one for one in self.book.state.refused if one.key == duty.ref)
        if duty.key not in self.book.state.posting:
            await self.book.write(Posting(self.book.now(), duty.key, duty.what))
            self.book.lease.guard()
            await self.surface.whisper(self.book.lease.thread, refused.author, refused.why)
        await self.book.write(Posted(self.book.now(), duty.key, ""))

    async def _record(self, duty: Duty) -> None:
        """Turn an ended ask's card into the record of how it ended."""
        state, thread = self.book.state, self.book.lease.thread
        ask = state.asks[duty.ref]
        content = narrator.record(state, ask)
        key = ask_key(duty.ref, ask.asked.version)
        message = state.posted.get(key)
        if message is None:
            message = await self.surface.post(thread, content, key, look=True)
            await self.book.write(Posted(self.book.now(), key, message))
        if message:
            await self.surface.update(thread, message, content)
        await self.book.write(Posted(self.book.now(), duty.key, message))

    async def _settle(self, duty: Duty) -> None:
        """The run is over: its card says so, and nothing in the thread looks busy any more."""
        run = self.book.state.runs[-1]
        card = self._card()
        if message := self.book.state.posted.get(f"card:{run.number}"):
            await self._update(message, card)
        mark: Mark = "stopped" if card.state == "stopped" else "failed" if card.state == "failed" else "done"
        await self.surface.mark(self.book.lease.thread, mark, run.request.ts, card.goal)
        self._mark, self._shown = mark, None
        await self.book.write(Posted(self.book.now(), duty.key, ""))

    async def _update(self, message: str, card: StatusCard) -> None:
        try:
            await self.surface.update(self.book.lease.thread, message, card)
        except (Gone, Refused) as error:
            log.warning("the card could not be updated: %s", error)

    def _card(self) -> StatusCard:
        thread = self.book.lease.thread
        return narrator.status_card(
            self.book.state, self.book.now(), self.parts.allowance.cost, self.parts.watch(thread)
        )

    def _content(self, duty: Duty) -> Outgoing:
        """What a duty's post says."""
        state = self.book.state
        run = state.runs[-1] if state.runs else None
        match duty.what:
            case "card":
                self._shown = self._card()
                return self._shown
            case "ask":
                return self._ask(state.asks[duty.ref])
            case "report":
                return Reply(narrator.report(state), resume=True)
            case "answer":
                account = narrator.taken_into_account(state)
                text = state.final_text or "Done."
                return Reply(f"{text}\n\n_{account}_" if account else text, feedback=True)
            case "files":
                return Reply("", files=tuple(run.files) if run else ())
            case _:
                return Reply(narrator.status_text(state, self.book.now()))

    def _ask(self, ask: Ask) -> Question | Confirmation:
        asked, requester = ask.asked, self._who(ask)
        if asked.card is not None:
            only = f"only {requester.name} can decide"
            return Confirmation(asked.ask, asked.version, requester, card_from(asked.card), only)
        deadline = ""
        if asked.deadline is not None:
            defaults = ", ".join(query.default for query in asked.questions)
            deadline = f"No answer by {asked.deadline.strftime('%H:%M UTC')}: {defaults}."
        return Question(asked.ask, asked.version, requester, asked.questions, deadline)

    def _who(self, ask: Ask) -> Person:
        """The person an ask is for."""
        people = [run.requester for run in reversed(self.book.state.runs)]
        return next((person for person in people if person.id in ask.asked.deciders), people[0])
