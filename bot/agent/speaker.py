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
from bot.session.closing import withdrawals
from bot.session.duties import Duty, answer_key, ask_key, owed
from bot.session.state import Ask, Run
from bot.session.values import files_in
from bot.store import StoreError
from bot.surface import AnswerStream, Gone, Mark, Refused, Unavailable

log = logging.getLogger(__name__)

WAIT_MOST = 30.0
"""Seconds between two tries, whatever the product asks for."""


class Speaker:
    """One per lease. `run` works until cancelled; `flush` returns when nothing is owed and the card is current."""

    def __init__(self, book: Book, parts: Parts) -> None:
        self.book, self.parts = book, parts
        self.surface = parts.surfaces[book.lease.thread.surface]
        self.streams: dict[str, AnswerStream] = {}
        """Answers being typed, by their duty's key."""
        self.typed: set[str] = set()
        """Keys of all answers that were begun to be typed under this lease: no crash left them behind."""
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
            except Unavailable as error:
                log.warning("the chat product does not answer: %s", error)
                await asyncio.sleep(min(error.retry_after, WAIT_MOST))
                news.set()

    async def flush(self) -> None:
        """Do everything owed now. Raises Unavailable when the chat product does not answer."""
        for attempt in range(1, self.parts.patience.surface_tries + 1):
            try:
                await self._all()
                return
            except Unavailable as error:
                if attempt == self.parts.patience.surface_tries:
                    raise
                await asyncio.sleep(min(error.retry_after, WAIT_MOST))

    async def _all(self) -> None:
        """One at a time: an older card must never overtake a newer one."""
        async with self._turn:
            await self._take_back()
            while duty := next(owed(self.book.state), None):
                await self._do(duty)
            await self._show()

    async def _take_back(self) -> None:
        """What was typed as the answer and is not: somebody spoke before it was finished."""
        state = self.book.state
        for key in list(self.streams):
            if not self._coming(key) and not self._final(key):
                self.book.lease.guard()
                await self.streams.pop(key).abandon()
                if key in state.answers:
                    await self.book.write(Posted(self.book.now(), key, ""))

    def _coming(self, key: str) -> bool:
        """Whether the reply typed under that key is about to be written down."""
        run = self.book.state.run
        return run is not None and not run.ended and key == answer_key(run.number, run.steps + 1)

    def _final(self, key: str) -> bool:
        """Whether the reply typed under that key is the answer."""
        run = self.book.state.run
        return run is not None and self.book.state.final_text is not None and key == answer_key(run.number, run.steps)

    async def _show(self) -> None:
        """Bring the card and the thread's mark up to date."""
        state, thread = self.book.state, self.book.lease.thread
        run = state.run
        if run is None or run.ended:
            return
        message = state.posted.get(f"card:{run.number}")
        if not message:
            return
        card = self._card(run)
        if card != self._shown:
            await self._update(message, card)
            self._shown = card
        mark: Mark = "waiting" if card.state == "waiting" else "working"
        if mark != self._mark:
            self._mark = mark
            await self.surface.mark(thread, mark, asked_in(run), card.goal)

    async def _do(self, duty: Duty) -> None:
        """One duty. What the product refuses for good is done with; so is everything in a thread that is gone."""
        self.book.lease.guard()
        try:
            await self._perform(duty)
        except Gone as error:
            log.warning("cannot post %s: %s", duty.key, error)
            await self._gone(duty)
        except Refused as error:
            log.error("the chat product refuses %s: %s", duty.key, error)
            await self._tell_refusal(duty, error)
        except (StoreError, Unavailable):
            raise
        except Exception as error:
            log.exception("%s of session %s could not be said", duty.key, self.book.lease.session)
            await self._tell_refusal(duty, error)

    async def _gone(self, duty: Duty) -> None:
        """Nothing more can be said there; without its thread a run has nobody to work for."""
        state, now = self.book.state, self.book.now()
        posted = Posted(now, duty.key, "")
        if state.active and duty.what in ("card", "ask", "answer", "files"):
            why = "The thread is not there any more"
            await self.book.write(posted, *withdrawals(state, now, f"gone:{duty.key}", why), Stopped(now, None, why))
        else:
            await self.book.write(posted)

    async def _tell_refusal(self, duty: Duty, error: Exception) -> None:
        """An answer that cannot be shown is said to be so; anything else is let go."""
        message = ""
        if duty.what in ("answer", "files", "ask", "report"):
            text = f"I could not post this here, the chat refused it: {error}"
            key = f"{duty.key}:refused"
            look = key in self.book.state.posting
            if not look:
                await self.book.write(Posting(self.book.now(), key, "refusal"))
            try:
                message = await self.surface.post(self.book.lease.thread, Reply(text), key, look=look)
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
            case "whisper" | "invite":
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
        stream = self.streams.pop(duty.key, None)
        look = duty.key in self.book.state.posting
        if not look:
            await self.book.write(Posting(self.book.now(), duty.key, duty.what))
        self.book.lease.guard()
        message = await self._finish(stream, content) if stream is not None else ""
        if not message:
            look = look or (isinstance(content, Reply) and bool(self._left_behind()))
            message = await self.surface.post(self.book.lease.thread, content, duty.key, look=look)
        await self.book.write(Posted(self.book.now(), duty.key, message))

    async def _finish(self, stream: AnswerStream, content: Outgoing) -> str:
        """End what was typed; empty when it is not there any more and has to be posted."""
        if not isinstance(content, Reply):
            return ""
        try:
            return await stream.finish(content)
        except (Gone, Refused) as error:
            log.warning("what was typed cannot be finished: %s", error)
            await stream.abandon()
            return ""

    def left(self) -> list[str]:
        """Answers that a worker which died had begun to type. The next one is not typed but posted in their place."""
        state = self.book.state
        begun = [key for key, what in state.posting.items() if what == "answer" and key not in state.posted]
        return [key for key in begun if key not in self.typed]

    def _left_behind(self) -> list[str]:
        """The same, for the reply that takes their place in the thread."""
        left = self.left()
        self.typed.update(left)
        return left

    async def _whisper(self, duty: Duty) -> None:
        """Told at most once: nobody can look whether a private word was heard."""
        to, text = self._private(duty)
        if duty.key not in self.book.state.posting:
            await self.book.write(Posting(self.book.now(), duty.key, duty.what))
            self.book.lease.guard()
            await self.surface.whisper(self.book.lease.thread, to, text)
        await self.book.write(Posted(self.book.now(), duty.key, ""))

    def _private(self, duty: Duty) -> tuple[Person, str]:
        """To whom a private word goes, and the word. A link is made as it is told; the journal never has it."""
        state, thread = self.book.state, self.book.lease.thread
        if duty.what == "whisper":
            refused = next(one for one in state.refused if one.key == duty.ref)
            return refused.author, refused.why
        person = next(one for one in state.invited if one.key == duty.ref).author
        link = self.parts.invite(thread, person)
        if not link:
            return person, "There is no live page here: the web server is not reachable (THREADHAND_PUBLIC_URL)."
        return person, f"My screen, for you alone; the link works for 12 hours: {link}"

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
        elif message:
            await self.surface.update(thread, message, content)
        await self.book.write(Posted(self.book.now(), duty.key, message))

    async def _settle(self, duty: Duty) -> None:
        """A run is over: its card says so, and nothing in the thread looks busy any more."""
        run = self._run(duty)
        card = self._card(run)
        if message := self.book.state.posted.get(f"card:{run.number}"):
            await self._update(message, card)
        mark: Mark = "stopped" if card.state == "stopped" else "failed" if card.state == "failed" else "done"
        await self.surface.mark(self.book.lease.thread, mark, asked_in(run), card.goal)
        self._mark, self._shown = mark, None
        await self.book.write(Posted(self.book.now(), duty.key, ""))

    async def _update(self, message: str, card: StatusCard) -> None:
        self.book.lease.guard()
        try:
            await self.surface.update(self.book.lease.thread, message, card)
        except (Gone, Refused) as error:
            log.warning("the card could not be updated: %s", error)

    def _run(self, duty: Duty) -> Run:
        """The run that a duty names."""
        return self.book.state.runs[int(duty.ref) - 1]

    def _card(self, run: Run) -> StatusCard:
        watch = self.parts.watch(self.book.lease.thread)
        return narrator.status_card(self.book.state, run, self.book.now(), self.parts.allowance.cost, watch)

    def _content(self, duty: Duty) -> Outgoing:
        """What a duty's post says."""
        state = self.book.state
        match duty.what:
            case "card":
                self._shown = self._card(self._run(duty))
                return self._shown
            case "ask":
                return self._ask(state.asks[duty.ref])
            case "report":
                return Reply(narrator.report(state, self._run(duty)), resume=True)
            case "answer":
                account = narrator.taken_into_account(state) if self._final(duty.key) else ""
                text = state.answers[duty.key].text or "Done."
                return Reply(f"{text}\n\n_{account}_" if account else text, feedback=True)
            case "files":
                run = self._run(duty)
                return Reply("", files=tuple(run.files[run.handed : files_in(duty.key, run.number)]))
            case _:
                return Reply(narrator.status_text(state, self.book.now()))

    def _ask(self, ask: Ask) -> Question | Confirmation:
        asked, requester = ask.asked, self._who(ask)
        if asked.card is not None:
            return Confirmation(asked.ask, asked.version, requester, card_from(asked.card), "only you can decide")
        deadline = ""
        if asked.deadline is not None:
            defaults = ", ".join(query.default for query in asked.questions)
            deadline = f"No answer by {asked.deadline.strftime('%H:%M UTC')}: {defaults}."
        link = self.parts.watch(self.book.lease.thread) if asked.purpose == "takeover" else ""
        return Question(asked.ask, asked.version, requester, asked.questions, deadline, link)

    def _who(self, ask: Ask) -> Person:
        """The person an ask is for."""
        people = [run.requester for run in reversed(self.book.state.runs)]
        return next((person for person in people if person.id in ask.asked.deciders), people[0])


def asked_in(run: Run) -> str:
    """The id of the message in the thread that a run is about."""
    return run.request.about or run.request.ts
