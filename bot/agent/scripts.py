"""Answers programs in the machine while a command runs: their requests become calls, judged like the model's own.

They run beside the command that made them, so that a script may ask a person and wait for the answer. What is left of
them when the command ends is closed.
"""

from __future__ import annotations

import asyncio
import json
import secrets
from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

from bot import narrator
from bot.agent.book import Book
from bot.broker import Answer, Said
from bot.entries import Decided, Entry, Finished
from bot.scripted import HAND_TOOLS, Requested
from bot.session.state import Call

MOST = 100
"""Requests of one run: a program in a loop must not fill the journal."""


@dataclass(frozen=True, slots=True)
class Scripts:
    """One session's. `judge` and `act` are the actor's own."""

    book: Book
    judge: Callable[[Call], Awaitable[None]]
    act: Callable[[Call], Awaitable[None]]

    @asynccontextmanager
    async def answering(self, attach: Callable[[Answer | None], None]) -> AsyncGenerator[None]:
        """Answer for as long as this is open."""
        open_: set[asyncio.Task[Said]] = set()

        async def answer(word: str, arguments: dict[str, Any]) -> Said:
            task = asyncio.create_task(self._answer(word, arguments))
            open_.add(task)
            try:
                return await task
            finally:
                open_.discard(task)

        attach(answer)
        try:
            yield
        finally:
            attach(None)
            tasks = list(open_)
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)

    async def _answer(self, word: str, arguments: dict[str, Any]) -> Said:
        if word == "status":
            return Said(True, self._status())
        name = HAND_TOOLS.get(word)
        if name is None:
            return Said(False, f"hand cannot {word!r}. It can: {', '.join([*HAND_TOOLS, 'status'])}.")
        run = self.book.state.runs[-1]
        asked = [e for _, e in self.book.state.entries if isinstance(e, Requested) and e.at >= run.since]
        if len(asked) >= MOST:
            return Said(False, f"hand was used {MOST} times in this run, which is the most.")
        id_ = f"h{secrets.token_hex(6)}"
        await self.book.write(Requested(self.book.now(), id_, name, json.dumps(arguments)))
        call = self.book.state.calls[id_]
        try:
            return await self._call(call)
        except asyncio.CancelledError:
            await self._close(call)
            raise

    async def _call(self, call: Call) -> Said:
        """Judge, wait for a person where that is needed, act."""
        changed = asyncio.Event()
        self.book.watchers.append(changed)
        try:
            await self.judge(call)
            while not _over(call):
                changed.clear()
                if call.phase == "ready":
                    await self.act(call)
                if not _over(call):
                    await changed.wait()
        finally:
            self.book.watchers.remove(changed)
        finished = call.finished
        return Said(finished is not None and finished.ok, finished.output if finished else call.dropped)

    async def _close(self, call: Call) -> None:
        """The program has gone, or its command was ended: nobody waits for this any more."""
        if call.phase == "done" or self.book.state.runs[-1].ended:
            return
        now, ends = self.book.now(), list[Entry]()
        ask = self.book.state.asks.get(call.ask)
        if ask is not None and ask.open:
            why = "the program that asked has ended"
            ends.append(Decided(now, f"left:{call.id}", ask.asked.ask, "withdrawn", None, why))
        output = "[The program that asked for this has ended.]"
        await self.book.write(*ends, Finished(now, call.id, False, output, unknown=call.unsure))

    def _status(self) -> str:
        state = self.book.state
        run = state.runs[-1]
        plan = narrator.plan_of(state, run)
        return json.dumps(
            {
                "goal": plan.goal if plan else narrator.goal_of(state, run),
                "state": narrator.run_state(state, run),
                "plan": [{"text": step.text, "state": step.state} for step in plan.steps] if plan else [],
                "waiting_for": narrator.waiting_for(state),
                "files": [file.name for file in run.files],
            },
            indent=1,
        )


def _over(call: Call) -> bool:
    return call.phase == "done"
