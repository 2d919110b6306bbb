"""A session at work: from taking the lease's journal to letting it go, step by step as the journal says.

Beside each long step somebody listens: what is said is read at once, and a change of course cuts a model call short;
a stop cuts a running command too.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections.abc import Callable, Coroutine
from datetime import datetime, timedelta
from typing import Any, assert_never, cast

from bot import narrator
from bot.agent.actor import Actor
from bot.agent.book import Book
from bot.agent.bringer import bring
from bot.agent.parts import Parts
from bot.agent.speaker import Speaker
from bot.agent.thinker import Thinker
from bot.entries import Answered, Dropped, Failed
from bot.session.duties import answer_key
from bot.session.state import shorten
from bot.session.steps import (
    Act,
    Bring,
    Conclude,
    Drop,
    Exhausted,
    Expire,
    Judge,
    Recover,
    Rest,
    Step,
    Think,
    next_step,
)
from bot.store import Lease, StoreError
from bot.surface import Unavailable

log = logging.getLogger(__name__)

NAP_MOST = 20.0
"""Seconds that are waited out without letting the session go."""


class Loop:
    """One per lease: `work` returns when the session rests and its lease is released."""

    def __init__(self, lease: Lease, parts: Parts) -> None:
        self.lease, self.parts = lease, parts
        self.book = Book(lease, parts.rules, parts.clock, parts.observe)
        self.speaker = Speaker(self.book, parts)
        self.thinker = Thinker(self.book, parts, self.speaker)
        self.actor = Actor(self.book, parts)

    @property
    def bell(self) -> asyncio.Event:
        """Ring it when somebody may have spoken."""
        return self.book.bell

    async def work(self) -> None:
        """Work until the session rests. Raises Fenced or StoreDown when it cannot go on here."""
        await self.book.open()
        speaking = asyncio.create_task(self.speaker.run())
        try:
            while not await self._step():
                if speaking.done():
                    await speaking
        except Unavailable as error:
            log.warning("session %s rests until the chat product answers: %s", self.lease.session, error)
            await self._project(self.parts.clock() + timedelta(seconds=self.parts.patience.rest), unfinished=False)
            await self.lease.release(wake_at=self.parts.clock() + timedelta(seconds=self.parts.patience.rest))
        finally:
            speaking.cancel()
            await asyncio.gather(speaking, return_exceptions=True)

    async def _step(self) -> bool:
        """One step; True when the session was let go."""
        await self.book.drain()
        state = self.book.state
        step = next_step(state, self.book.now(), self.parts.allowance)
        if isinstance(step, Rest):
            return await self._rest(step)
        with self.parts.span(type(step).__name__.lower()):
            await self._take(step)
        return False

    async def _take(self, step: Step) -> None:
        state = self.book.state
        match step:
            case Rest():
                return
            case Think():
                seen = state.course
                await self._listening(self.thinker.think(), lambda: state.course > seen or not state.active)
            case Act():
                await self._acting(step)
            case Recover():
                await self._listening(self.actor.recover(step.call), lambda: not state.active)
            case Bring():
                await self._listening(bring(step.files, self.book, self.parts), lambda: not state.active)
            case Judge():
                await self.actor.judge(step.call)
            case Drop():
                await self._drop(step)
            case Expire():
                await self.actor.expire(step.ask)
            case Exhausted():
                await self.book.write(Failed(self.book.now(), "limit", step.why))
            case Conclude():
                await self._conclude()
            case _:
                assert_never(step)

    async def _listening(self, work: Coroutine[Any, Any, None], cut: Callable[[], bool]) -> None:
        """Do `work` while reading what is said; end it as soon as `cut` says so."""
        task = asyncio.create_task(self._caught(work))
        try:
            while not task.done():
                ringing = asyncio.create_task(self.book.bell.wait())
                await asyncio.wait({task, ringing}, return_when=asyncio.FIRST_COMPLETED)
                ringing.cancel()
                if task.done():
                    break
                await self.book.drain()
                if cut():
                    if not self.book.state.active:
                        await self.parts.computer(self.lease.thread).interrupt()
                    break
        finally:
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)
        if not task.cancelled() and (error := task.exception()) is not None:
            raise error

    async def _caught(self, work: Coroutine[Any, Any, None]) -> None:
        """A fault of our own in a step is tried again, then said; never a silent thread."""
        try:
            await work
        except (StoreError, Unavailable):
            raise
        except ExceptionGroup as group:
            known = group.subgroup((StoreError, Unavailable))
            if known is not None:
                raise _first(known) from group
            await self._fault(group)
        except Exception as error:  # noqa: BLE001
            await self._fault(error)

    async def _fault(self, error: Exception) -> None:
        reason = _first(error)
        log.exception("a step of session %s failed", self.lease.session, exc_info=error)
        run = self.book.state.runs[-1]
        running = [call for call in self.book.state.pending if call.phase == "running"]
        await self.actor.stopped(running, f"a fault in the bot ({type(reason).__name__})")
        now = self.book.now()
        text = f"I ran into a fault of my own ({type(reason).__name__}) at step {run.steps}. Nothing was lost."
        again = run.failures + 1 < self.parts.patience.model_tries // 2
        until = now + timedelta(seconds=self.parts.patience.model_first * 2**run.failures) if again else None
        await self.book.write(Failed(now, "fault", text, until))

    async def _acting(self, step: Act) -> None:
        state = self.book.state
        await self._listening(self.actor.act(step.calls), lambda: not state.active)
        if not state.active and state.runs[-1].stopped is not None:
            await self.actor.stopped(step.calls, state.runs[-1].stopped.why)

    async def _drop(self, step: Drop) -> None:
        run = self.book.state.runs[-1]
        if run.stopped is not None:
            why = run.stopped.why
        elif run.ended:
            why = "the work ended before it"
        else:
            why = f'the request changed: "{shorten(run.heard[-1].text, 200)}"'
        await self.actor.stopped(step.calls, why)
        if queued := tuple(call.id for call in step.calls if call.phase != "done"):
            await self.book.write(Dropped(self.book.now(), queued, why))

    async def _conclude(self) -> None:
        """Post the answer and its files, then write down that they stand."""
        await self.speaker.flush()
        await self.book.drain()
        state = self.book.state
        run, text = state.runs[-1], state.final_text
        message = state.posted.get(answer_key(run.number, run.steps))
        if text is not None and message is not None:
            await self.book.write(Answered(self.book.now(), message, text, tuple(run.files)))

    async def _rest(self, step: Rest) -> bool:
        """Say what is owed, then let go. False when somebody spoke meanwhile."""
        before = self.book.state.number
        await self.speaker.flush()
        await self.book.drain()
        if next_step(self.book.state, self.book.now(), self.parts.allowance) != step:
            return False
        if self.book.state.number != before and self.book.bell.is_set():
            return False
        if step.until is not None and not step.waiting and await self._nap(step.until):
            return False
        await self._project(step.until, unfinished=False)
        await self.parts.computer(self.lease.thread).rest()
        return await self.lease.release(wake_at=step.until)

    async def _nap(self, until: datetime) -> bool:
        """Wait out a short time here, ready to be spoken to; False when it is too long for that."""
        seconds = (until - self.book.now()).total_seconds()
        if seconds > NAP_MOST:
            return False
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(self.book.bell.wait(), max(seconds, 0.01))
        return True

    async def _project(self, wake_at: datetime | None, *, unfinished: bool) -> None:
        """What lists show and the sweep goes by."""
        state = self.book.state
        run = state.run
        await self.lease.settle(
            status=narrator.run_state(state) if run else "idle",
            title=shorten(state.plan.goal if state.plan else run.request.text, 150) if run else "",
            person=run.requester.id if run else "",
            waiting_for=narrator.waiting_for(state),
            wake_at=wake_at,
            unfinished=unfinished,
        )


def _first(error: Exception) -> Exception:
    """The innermost exception of a group."""
    while isinstance(error, ExceptionGroup):
        group = cast("ExceptionGroup[Exception]", error)
        error = group.exceptions[0]
    return error
