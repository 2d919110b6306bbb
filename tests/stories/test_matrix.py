"""What a message does, by what it is, by what the session is doing, and by who writes it: every cell of the table.

A cell is one thread of its own. In the first third of the cells every row and every column occurs; the rest is slow.
"""

from __future__ import annotations

import asyncio
from collections import defaultdict
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

import pytest

from bot.entries import Decided
from bot.heard import Delete, Edit, Message, Person, Thread
from bot.outgoing import Confirmation, Question
from bot.session.state import State
from sandbox.types import MachineSpec
from tests.support.machine import FakeBackend, FakeMachine
from tests.support.office import BEN, GUS, MARIA, OLGA, Office, Wishes, office
from tests.support.origin import Origin, origin
from tests.support.posting import posting
from tests.support.replies import Turn, calls, says
from tests.support.responses import Received

Act = Literal["constraint", "redirect", "stop", "status", "aside", "edit", "delete", "answer", "yes"]
Phase = Literal["streaming", "running", "question", "approval", "starting", "idle"]
Effect = Literal["steers", "answers", "replans", "approves", "stops", "reports", "anew", "told", "nothing"]

ACTS: tuple[Act, ...] = ("constraint", "redirect", "stop", "status", "aside", "edit", "delete", "answer", "yes")
PHASES: tuple[Phase, ...] = ("streaming", "running", "question", "approval", "starting", "idle")
WORDS: dict[Act, str] = {
    "constraint": "only blue ones, nothing else",
    "redirect": "do the deck instead of the workbook",
    "stop": "stop",
    "status": "status?",
    "aside": "@someone shall we have lunch at noon",
    "edit": "list the green chairs",
    "answer": "January, like every year",
    "yes": "yes, go ahead",
}


@dataclass(frozen=True, slots=True)
class Voice:
    """Who writes, and whether the bot is addressed."""

    person: Person
    addressed: bool


VOICES = {
    "requester": Voice(MARIA, False),
    "colleague among themselves": Voice(BEN, False),
    "colleague to the bot": Voice(BEN, True),
    "guest": Voice(GUS, True),
    "outsider": Voice(OLGA, True),
}

# What a message of somebody who may steer comes to, in the order of PHASES.
STEERING: dict[Act, tuple[Effect, ...]] = {
    "constraint": ("steers", "steers", "answers", "replans", "steers", "anew"),
    "redirect": ("steers", "steers", "answers", "replans", "steers", "anew"),
    "stop": ("stops", "stops", "stops", "stops", "stops", "told"),
    "status": ("reports", "reports", "reports", "reports", "reports", "reports"),
    "aside": ("nothing", "nothing", "nothing", "nothing", "nothing", "nothing"),
    "answer": ("steers", "steers", "answers", "replans", "steers", "anew"),
    "yes": ("steers", "steers", "answers", "approves", "steers", "anew"),
}
# The same for the author's own request.
OWN: dict[Act, tuple[Effect, ...]] = {
    "edit": ("steers", "steers", "replans", "replans", "steers", "anew"),
    "delete": ("stops", "stops", "stops", "stops", "stops", "nothing"),
}


def expected(act: Act, phase: Phase, name: str) -> Effect:
    """The cell of the table."""
    place = PHASES.index(phase)
    if act in OWN:  # nobody can change another's message: theirs is one that the session never acted on
        return OWN[act][place] if name == "requester" else "nothing"
    if act == "aside" or name == "colleague among themselves":
        return "nothing"
    if name in ("guest", "outsider"):
        return "told"
    if name == "colleague to the bot" and act == "yes" and phase == "approval":
        return "told"
    return STEERING[act][place]


class Slow(FakeBackend):
    """Machines that wait to start, and commands that wait to end, until the test says so."""

    def __init__(self, phase: Phase) -> None:
        super().__init__(self._play)
        self.phase = phase
        self.go: defaultdict[str, asyncio.Event] = defaultdict(asyncio.Event)
        self.waiting: set[str] = set()
        self.cut: set[str] = set()

    async def start(self, spec: MachineSpec) -> FakeMachine:
        if self.phase == "starting":
            self.waiting.add(spec.session_id)
            await self.go[spec.session_id].wait()
        return await super().start(spec)

    async def _play(self, machine: FakeMachine, command: str) -> tuple[int, bytes]:
        if command != "wait":
            return await posting(machine, command)
        self.waiting.add(machine.session_id)
        try:
            await self.go[machine.session_id].wait()
        except asyncio.CancelledError:
            self.cut.add(machine.session_id)
            raise
        return 0, b"waited"


@dataclass
class Stage:
    """An office in which every new thread is brought to the same phase."""

    phase: Phase
    backend: Slow
    site: Origin
    work: Office = field(init=False)
    held: dict[str, Turn] = field(default_factory=dict[str, Turn])
    asked: dict[str, list[str]] = field(default_factory=dict[str, list[str]])
    """The inputs of each session's model calls, as text."""

    def brain(self, received: Received) -> Turn:
        """The first call leads to the phase, any later one is answered."""
        session = str(received.body["prompt_cache_key"])
        before = self.asked.setdefault(session, [])
        before.append(str(received.body["input"]))
        if len(before) > 1:
            return says(f"Done, answer {len(before)}.")
        match self.phase:
            case "streaming":
                turn = self.held[session] = says("word " * 80, "final_answer").hold(3)
                return turn
            case "running" | "starting":
                return calls("shell", command="wait" if self.phase == "running" else "echo started")
            case "question":
                return calls("ask", questions=[{"text": "Fiscal year from?", "options": ["January", "April"]}])
            case "approval":
                return calls("shell", command=f"post {self.site.url('/orders')} chairs")
            case "idle":
                return says("Here they are.")

    async def reach(self) -> tuple[Thread, Message]:
        """A thread in the phase."""
        thread, request = await self.work.say(MARIA, "list the chairs")
        session = thread.session
        match self.phase:
            case "streaming":
                await self.work.surface.until(lambda: any(one.streaming for one in self.work.surface.seen(thread)))
            case "running" | "starting":
                await self.work.until(thread, lambda _: session in self.backend.waiting)
            case "question":
                await self.work.question(thread)
            case "approval":
                await self.work.confirmation(thread)
            case "idle":
                await self.work.settled(thread)
        return thread, request

    async def finish(self, thread: Thread) -> State:
        """Let everything go on, and end what a person has to end."""
        self.backend.go[thread.session].set()
        if (turn := self.held.get(thread.session)) is not None:
            turn.release()
        state = await self.work.state(thread)
        for ask in state.open_asks:
            cards = self.work.shown(thread, Confirmation) + self.work.shown(thread, Question)
            card = next(card for card in cards if card.ask == ask.asked.ask)
            await self.work.press(thread, MARIA, card, "no" if isinstance(card, Confirmation) else "April")
        return await self.work.until(thread, lambda s: s.runs and f"settled:{len(s.runs)}" in s.posted)


@asynccontextmanager
async def stage(folder: Path, phase: Phase) -> AsyncGenerator[Stage]:
    async with origin("127.0.0.1") as site:
        made = Stage(phase, Slow(phase), site)
        wishes = Wishes(backend=made.backend, allow=frozenset({f"127.0.0.1:{site.port}"}))
        async with office(folder, made.brain, wishes) as work:
            made.work = work
            yield made


async def cell(on: Stage, act: Act, name: str) -> None:
    """One cell, from the request to the end of all work in its thread."""
    voice, work = VOICES[name], on.work
    thread, request = await on.reach()
    before = len(on.asked[thread.session])
    key = f"act:{thread.session}"
    words = WORDS.get(act, "")
    if act == "edit":
        ts = request.ts if voice.person == request.author else "0000000001"
        await work.hear(thread, Edit(voice.person, ts, words, "v1"), key)
    elif act == "delete" and voice.person == request.author:
        await work.hear(thread, Delete(request.ts), key)
    elif act != "delete":
        addressed = voice.addressed and act != "aside"
        message = work.surface.say(thread, voice.person, words, addressed=addressed)
        await work.hear(thread, message, key)
    effect = expected(act, on.phase, name)
    if effect != "nothing":
        await work.until(thread, lambda state: key in state.keys)
    await _happens(on, thread, effect)
    state = await on.finish(thread)
    await _holds(on, thread, state, (effect, words, before))


async def _happens(on: Stage, thread: Thread, effect: Effect) -> None:
    """What must happen while nothing else moves: the model held, the command running, the machine starting."""
    work, session = on.work, thread.session
    match effect:
        case "told":
            await work.surface.until(lambda: any(one.thread == thread for one in work.surface.whispers))
        case "reports":
            await work.surface.until(lambda: len(work.replies(thread)) > len(on.asked[session]) - (on.phase != "idle"))
        case "stops":
            await work.until(thread, lambda s: s.run and s.run.stopped and f"settled:{s.run.number}" in s.posted)
            assert on.phase != "running" or session in on.backend.cut
            assert work.card(thread).state == "stopped"
        case "steers" if on.phase == "streaming":
            await on.held[session].gone()
        case "replans" | "approves":
            await work.until(thread, lambda s: not s.open_asks)
        case "anew":
            await work.until(thread, lambda s: len(s.runs) == 2)
        case _:
            pass
    if effect in ("nothing", "told", "reports") and on.phase != "idle":
        state = await work.state(thread)
        assert state.active
        assert len(on.asked[session]) == 1


async def _holds(on: Stage, thread: Thread, state: State, what: tuple[Effect, str, int]) -> None:
    """What must be true in the end."""
    effect, words, before = what
    later = on.asked[thread.session][before:]
    verdicts = [entry.verdict for _, entry in state.entries if isinstance(entry, Decided)]
    writes = [visit for visit in on.site.writes() if visit.path == "/orders"]
    run = state.runs[-1]
    match effect:
        case "steers" | "answers" | "replans" | "anew":
            assert later, "the model must hear of it"
            assert all(words in text for text in later), "and never act without it"
            assert run.answered
            assert len(state.runs) == (2 if effect == "anew" else 1)
            assert ("withdrawn" in verdicts) == (effect == "replans")
        case "approves":
            assert verdicts == ["yes"]
            assert run.answered
        case "stops":
            assert later == []
            assert run.stopped
            assert not run.answered
        case "told" | "nothing" | "reports":
            assert not any(words and words in text for text in later)
            assert run.answered
            assert len(state.runs) == 1
    assert len(writes) == sum(verdict == "yes" for verdict in verdicts) or effect != "approves"
    assert not any(one.streaming for one in on.work.surface.seen(thread))
    assert on.work.card(thread).state in ("done", "stopped")
    assert not state.pending
    assert not state.open_asks


FIRST = [(act, phase) for a, act in enumerate(ACTS) for p, phase in enumerate(PHASES) if (a + p) % 3 == 0]
REST = [(act, phase) for act in ACTS for phase in PHASES if (act, phase) not in FIRST]


async def _row(folder: Path, act: Act, phase: Phase) -> None:
    async with stage(folder, phase) as on, asyncio.TaskGroup() as group:
        for name in VOICES:
            group.create_task(cell(on, act, name))


@pytest.mark.parametrize(("act", "phase"), FIRST)
async def test_a_message_does_what_the_table_says(tmp_path: Path, act: Act, phase: Phase) -> None:
    await _row(tmp_path, act, phase)


@pytest.mark.slow
@pytest.mark.parametrize(("act", "phase"), REST)
async def test_a_message_does_what_the_table_says_in_every_other_cell(tmp_path: Path, act: Act, phase: Phase) -> None:
    await _row(tmp_path, act, phase)
