"""What must be true when all is quiet again, whatever happened: read from the threads and from the journals."""

from __future__ import annotations

import asyncio
from collections import Counter
from dataclasses import dataclass

from bot.heard import Thread
from bot.playground import Driver
from bot.playground.shapes import Obj
from bot.session.state import State, fold
from bot.store import Store
from tests.chaos.talk import Conversation, Talk, key_of, marks_of
from tests.support.waiting import until_true


@dataclass(frozen=True, slots=True)
class Ledger:
    """Compares what was said with what stands in the threads and in the store."""

    talk: Talk
    driver: Driver
    store: Store

    async def settle(self, seconds: float) -> None:
        """Wait until all is quiet, then assert everything there is to assert."""
        async with self.talk.watched():
            await self.quiet(seconds)
        await self.check()

    async def quiet(self, seconds: float) -> None:
        """Return once every message was answered and nobody has anything left to do."""
        try:
            await until_true(self._is_quiet, seconds)
        except TimeoutError:
            raise AssertionError(await self._why_not_quiet()) from None

    async def _is_quiet(self) -> bool:
        await asyncio.sleep(0.3)
        return len(self.talk.answered) == self.talk.total and not await self._busy()

    async def _busy(self) -> list[str]:
        """Who still works, in words."""
        status = await self.driver.status()
        found = [f"{status['pending']} events on their way"] if status["pending"] else []
        found += [f"{one['thread_ts']} looks busy" for one in status["sessions"] if one["status"] == "processing"]
        due = {session for session, _ in await self.store.due(1000)}
        found += [f"{session} is due" for session in due]
        rows = await self.store.sessions(limit=1000)
        return found + [f"{row.id} is {row.status}" for row in rows if row.status not in ("done", "stopped", "failed")]

    async def _why_not_quiet(self) -> str:
        waiting = [one for one in self.talk.threads if not self.talk.answered.issuperset(one.marks)]
        status = await self.driver.status()
        stories = [await self._story(thread) for thread in waiting[:8]]
        return (
            f"said {self.talk.said}, answered {len(self.talk.answered)}, {len(waiting)} threads wait; "
            f"busy: {await self._busy()}; events given up: {status['abandoned']}\n" + "\n".join(stories)
        )

    async def _story(self, thread: Conversation) -> str:
        """A thread's journal in short."""
        missing = [mark for mark in thread.marks if mark not in self.talk.answered]
        rows = await self.store.sessions(limit=1000)
        session = next((row.id for row in rows if row.thread.root == thread.ts), "")
        entries = [row.entry for row in await self.store.journal(session)]
        told = [f"{e.at:%M:%S.%f} {e.kind} {getattr(e, 'text', '') or getattr(e, 'key', '')}".strip() for e in entries]
        return f"{thread.channel} {thread.ts} ({session or 'no session'}), missing {missing}: {'; '.join(told)}"

    async def check(self) -> None:
        """Assert all of it."""
        status = await self.driver.status()
        assert status["abandoned"] == 0, "the workspace gave up on events: the storm was too long, not the product bad"
        rows = await self.store.sessions(limit=1000)
        sessions = {row.thread.root: row.thread for row in rows}
        assert len(sessions) == len(rows) == len(self.talk.threads)
        faults = [fault for thread in self.talk.threads for fault in await self._faults(thread, sessions[thread.ts])]
        assert not faults, "\n".join(faults)

    async def _faults(self, thread: Conversation, where: Thread) -> list[str]:
        """What is wrong with one thread, in words."""
        messages = [m for m in await self.driver.messages(thread.channel, thread.ts) if m.get("bot_id")]
        state = fold(where, [(row.number, row.entry) for row in await self.store.journal(where.session)])
        found = [*_answers(thread, messages, state), *_posts(messages, state), *_deeds(state)]
        if (broken := await self.store.verify(where.session)) is not None:
            found.append(f"the journal is broken at entry {broken}")
        if not found:
            return []
        stands = "; ".join(f"{m['ts']} {key_of(m)} {str(m.get('text'))[:40]!r}" for m in messages)
        return [*found, f"    {await self._story(thread)}", f"    stands: {stands}"]


def _answers(thread: Conversation, messages: list[Obj], state: State) -> list[str]:
    """Every mark is answered once, in the order in which the messages were read."""
    answered = [mark for message in messages for mark in marks_of(message)]
    read = [mark for said in state.said.values() for mark in thread.marks if mark in said.text.replace("?", "").split()]
    found: list[str] = []
    if sorted(read) != sorted(thread.marks):
        found.append(f"said {thread.marks}, read {read}")
    if answered != read:
        found.append(f"read {read}, answered {answered}")
    return found


def _posts(messages: list[Obj], state: State) -> list[str]:
    """No post stands twice, none was left half-made, and every card says that its run is over."""
    keys = Counter(key_of(message) for message in messages)
    found = [f"{count} messages under {key!r}" for key, count in keys.items() if count > 1 and key]
    found += [f"a message without a key: {str(m.get('text'))[:80]!r}" for m in messages if not key_of(m)]
    cards = [message for message in messages if key_of(message).startswith("card:")]
    if len(cards) != len(state.runs):
        found.append(f"{len(cards)} cards for {len(state.runs)} runs")
    found += [f"an open card: {card['text']!r}" for card in cards if not str(card["text"]).startswith("Done")]
    texts = Counter(" ".join(marks_of(message)) for message in messages if marks_of(message))
    return found + [f"answered twice: {text}" for text, count in texts.items() if count > 1]


def _deeds(state: State) -> list[str]:
    """Every call came to one end, and every run to an answer."""
    ends = Counter(entry.call for _, entry in state.entries if entry.kind == "finished")
    found = [f"call {call} ended {count} times" for call, count in ends.items() if count > 1]
    found += [f"call {call.id} is still {call.phase}" for call in state.pending]
    return found + [f"run {run.number} has no answer" for run in state.runs if run.answered is None]
