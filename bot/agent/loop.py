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
from typing import Any, Protocol, assert_never, cast

from bot import narrator
from bot.agent.actor import Actor
from bot.agent.book import Book, Fence
from bot.agent.bringer import bring
from bot.agent.parts import Parts
from bot.agent.speaker import Speaker
from bot.agent.thinker import Thinker
from bot.entries import Answered, Dropped, Failed
from bot.handover import GaveBack
from bot.session.closing import withdrawals
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
    Lapse,
    Recover,
    Rest,
    Step,
    Think,
    next_step,
)
from bot.store import Projection, StoreError
from bot.surface import Unavailable
from sandbox.types import MachineError

log = logging.getLogger(__name__)

NAP_MOST = 20.0
"""Seconds that are waited out without letting the session go."""
INTERRUPT_MOST = 5.0
"""Seconds for a machine to kill what runs in it; after them it is left to itself."""


class Hold(Fence, Protocol):
    """The store's lease as a session at work uses it, to its end. All methods raise bot.store.Fenced."""

    async def settle(self, shown: Projection, *, wake_at: datetime | None, unfinished: bool) -> None: ...

    async def release(self, *, wake_at: datetime | None) -> bool: ...

    async def hand_over(self) -> None: ...


class Loop:
    """One per lease: `work` returns when the session rests and its lease is released."""

    def __init__(self, lease: Hold, parts: Parts) -> None:
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
            while not await self._turn():
                if speaking.done():
                    await speaking
        except Unavailable as error:
            log.warning("session %s rests until the chat product answers: %s", self.lease.session, error)
            await self._retire()
        finally:
            speaking.cancel()
            await asyncio.gather(speaking, return_exceptions=True)

    async def _retire(self) -> None:
        """Let go for a while although something is owed."""
        until = self.parts.clock() + timedelta(seconds=self.parts.patience.rest)
        await self._project(until, unfinished=False)
        if not await self.lease.release(wake_at=until):
            await self.lease.hand_over()

    async def _turn(self) -> bool:
        """One step; True when the session was let go. Every append says whether somebody spoke, and rings."""
        if self.book.bell.is_set():
            await self.book.drain()
        step = next_step(self.book.state, self.book.now(), self.parts.allowance)
        await self._lend()
        if isinstance(step, Rest):
            return await self._rest(step)
        with self.parts.span(type(step).__name__.lower()):
            await self._caught(self._take(step))
        return False

    async def _lend(self) -> None:
        """Nothing of ours runs between two steps: now the machine is the holder's, or ours again."""
        hold = self.book.state.hold
        try:
            await self.parts.computer(self.lease.thread).lend(hold.by.id if hold else "")
        except MachineError as error:
            log.warning("the machine of session %s did not change hands cleanly: %s", self.lease.session, error)

    async def _take(self, step: Step) -> None:
        match step:
            case Think():
                await self._thinking()
            case Act():
                await self._acting(step)
            case Recover():
                await self._listening(self.actor.recover(step.call), self._over())
            case Bring():
                await self._listening(bring(step.files, self.book, self.parts), self._over())
            case Judge():
                await self.actor.judge(step.call)
            case Drop():
                await self._drop(step)
            case Expire():
                await self.actor.expire(step.ask)
            case Exhausted():
                await self.book.end(Failed(self.book.now(), "limit", step.why))
            case Conclude():
                await self._conclude()
            case Lapse():
                hold = self.book.state.hold
                await self.book.write(GaveBack(self.book.now(), f"lapsed:{hold.key if hold else ''}", None))
            case Rest():
                pass
            case _:
                assert_never(step)

    def _over(self) -> Callable[[], bool]:
        """Whether the run that is under way now has ended, though another may have begun since, or a person took
        the machine over."""
        state, run = self.book.state, self.book.state.runs[-1]
        return lambda: run.ended or state.hold is not None

    async def _thinking(self) -> None:
        state, over = self.book.state, self._over()
        if state.half_said:  # the model is to know what stands in the thread
            await self.speaker.flush()
            return
        seen = state.course
        await self._listening(self.thinker.think(), lambda: state.course > seen or over())

    async def _listening(self, work: Coroutine[Any, Any, None], cut: Callable[[], bool]) -> None:
        """Do `work` while reading what is said; end it as soon as `cut` says so."""
        task = asyncio.create_task(work)
        try:
            while not task.done():
                ringing = asyncio.create_task(self.book.bell.wait())
                await asyncio.wait({task, ringing}, return_when=asyncio.FIRST_COMPLETED)
                ringing.cancel()
                if task.done():
                    break
                await self.book.drain()
                if cut():
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
        seen, now = self.book.state.number, self.book.now()
        text = f"I ran into a fault of my own ({type(reason).__name__}) at step {run.steps}. Nothing was lost."
        again = run.failures + 1 < self.parts.patience.model_tries // 2
        until = now + timedelta(seconds=self.parts.patience.model_first * 2**run.failures) if again else None
        failed = Failed(now, "fault", text, until, seen)
        await (self.book.end(failed) if until is None else self.book.write(failed))

    async def _acting(self, step: Act) -> None:
        """Run calls; a stop or a takeover kills what runs, and what it was about to send is forgotten."""
        state, run = self.book.state, self.book.state.runs[-1]
        await self._listening(self.actor.act(step.calls), self._over())
        if run.stopped is not None:
            why = run.stopped.why
        elif state.hold is not None:
            why = f"{state.hold.by.name} took my screen over"
        else:
            return
        computer = self.parts.computer(self.lease.thread)
        try:
            async with asyncio.timeout(INTERRUPT_MOST):
                await computer.interrupt()
        except (MachineError, TimeoutError) as error:
            log.warning("the machine of session %s was not interrupted: %s", self.lease.session, error)
        for held in computer.take_held():
            computer.drop(held, why)
        await self.actor.stopped(step.calls, why)

    async def _drop(self, step: Drop) -> None:
        state, run = self.book.state, self.book.state.runs[-1]
        if run.stopped is not None:
            why = run.stopped.why
        elif run.ended:
            why = "the work ended before it"
        else:
            why = f'the request changed: "{shorten(state.turn, 200)}"'
        await self.actor.stopped(step.calls, why)
        for call in step.calls:
            if call.held is not None:
                self.parts.computer(self.lease.thread).drop(call.held, why)
        if queued := tuple(call.id for call in step.calls if call.phase != "done"):
            await self.book.write(Dropped(self.book.now(), queued, why))
        if run.ended and state.open_asks:
            await self.book.write(*withdrawals(state, self.book.now(), f"ended:{state.number}", why))

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
        try:
            if self.book.state.hold is None:
                await self.parts.computer(self.lease.thread).rest()
        except MachineError as error:
            log.warning("the machine of session %s could not rest: %s", self.lease.session, error)
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
        shown = Projection(
            narrator.run_state(state, run) if run else "idle",
            shorten(state.plan.goal if state.plan else run.request.text, 150) if run else "",
            run.requester.id if run else "",
            narrator.waiting_for(state),
        )
        await self.lease.settle(shown, wake_at=wake_at, unfinished=unfinished)


def _first(error: Exception) -> Exception:
    """The innermost exception of a group."""
    while isinstance(error, ExceptionGroup):
        group = cast("ExceptionGroup[Exception]", error)
        error = group.exceptions[0]
    return error
