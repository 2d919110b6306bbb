"""What a session does next: a pure function of its state and the time. The journal decides, nobody else."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from bot.heard import FileRef
from bot.session.state import Ask, Call, Run, State, plural

SIDE_BY_SIDE = frozenset({"read", "fetch"})
"""Effects of calls that may run at the same time."""


@dataclass(frozen=True, slots=True)
class Allowance:
    """How much one run may use before it stops and says so."""

    steps: int = 100
    minutes: float = 60
    tokens: int = 2_000_000
    cost: float = 5.0


@dataclass(frozen=True, slots=True)
class Bring:
    """Put these attached files into the machine."""

    files: tuple[FileRef, ...]


@dataclass(frozen=True, slots=True)
class Recover:
    """A worker died while this call ran."""

    call: Call


@dataclass(frozen=True, slots=True)
class Drop:
    """These queued calls were wanted before the person changed course, or before the run ended."""

    calls: tuple[Call, ...]


@dataclass(frozen=True, slots=True)
class Judge:
    """Ask the policy about this call."""

    call: Call


@dataclass(frozen=True, slots=True)
class Act:
    """Run these calls, side by side; each was judged, and approved where that was asked."""

    calls: tuple[Call, ...]


@dataclass(frozen=True, slots=True)
class Expire:
    """Nobody answered in time."""

    ask: Ask


@dataclass(frozen=True, slots=True)
class Think:
    """Call the model."""


@dataclass(frozen=True, slots=True)
class Exhausted:
    """The run has used what it may."""

    why: str


@dataclass(frozen=True, slots=True)
class Conclude:
    """The answer stands in the thread with its files: write that down."""


@dataclass(frozen=True, slots=True)
class Lapse:
    """Whoever took the machine over has given no sign of life for long: it is the session's again."""


@dataclass(frozen=True, slots=True)
class Rest:
    """Let go until someone speaks, or until `until`."""

    until: datetime | None = None
    waiting: bool = False


Step = Bring | Recover | Drop | Judge | Act | Expire | Think | Exhausted | Conclude | Lapse | Rest


def next_step(state: State, now: datetime, allowance: Allowance) -> Step:
    """The step this state calls for. Deterministic; calling it twice changes nothing."""
    run = state.run
    if run is not None and run.ended and (state.pending or state.open_asks):
        return Drop(tuple(state.pending))
    if state.hold is not None:
        return Rest(state.hold.until, waiting=True) if now < state.hold.until else Lapse()
    if run is None or run.ended:
        return Rest()
    if files := _to_bring(state, run):
        return Bring(files)
    pending = state.pending
    for call in pending:
        if call.phase == "running":
            return Recover(call)
    if state.reply is not None and state.course > state.reply.seen:
        stale = tuple(call for call in pending if call.phase in ("proposed", "ready") and not _told(state, call))
        if stale:
            return Drop(stale)
    for call in pending:
        if call.phase == "proposed":
            return Judge(call)
    if batch := _batch(pending):
        return Act(batch)
    return _wait_or_think(state, run, now, allowance)


def _told(state: State, call: Call) -> bool:
    """Whether all that is left of the call is to tell the model what a person said to it."""
    ask = state.asks.get(call.ask)
    return ask is not None and ask.decided is not None and ask.decided.verdict not in ("yes", "withdrawn")


def _wait_or_think(state: State, run: Run, now: datetime, allowance: Allowance) -> Step:
    """What to do when nothing is left to run at once."""
    asks = state.open_asks
    for ask in asks:
        if ask.asked.deadline is not None and ask.asked.deadline <= now:
            return Expire(ask)
    deadline = min((ask.asked.deadline for ask in asks if ask.asked.deadline is not None), default=None)
    if any(call.phase == "asking" for call in state.pending):
        return Rest(deadline, waiting=True)
    if run.failed is not None and run.failed.retry_at is not None and run.failed.retry_at > now:
        return Rest(run.failed.retry_at)
    if state.unread:
        why = exhausted(run, allowance)
        return Exhausted(why) if why else Think()
    if asks:
        return Rest(deadline, waiting=True)
    return Conclude()


def _to_bring(state: State, run: Run) -> tuple[FileRef, ...]:
    """Files of this run's messages that are not in the machine yet."""
    return tuple(
        file
        for said in run.heard
        if said.ts not in state.withdrawn
        for file in said.files
        if file.id not in state.brought
    )


def _batch(pending: list[Call]) -> tuple[Call, ...]:
    """The next calls to run: reads side by side, anything else alone and in order."""
    batch: list[Call] = []
    for call in pending:
        if call.phase != "ready":
            continue
        if call.judged is not None and call.judged.effect in SIDE_BY_SIDE:
            batch.append(call)
            continue
        return tuple(batch) if batch else (call,)
    return tuple(batch)


def exhausted(run: Run, allowance: Allowance) -> str:
    """Why this run may not go on by itself, or an empty string."""
    if run.steps >= allowance.steps:
        return f"I have used the {plural(allowance.steps, 'step')} one request may take."
    if run.busy >= allowance.minutes * 60:
        return f"I have worked for {allowance.minutes:g} minutes, the most one request may take."
    if run.tokens >= allowance.tokens:
        return f"I have used {run.tokens:,} tokens; one request may take {allowance.tokens:,}."
    if run.cost is not None and run.cost >= allowance.cost:
        return f"This has cost {run.cost:.2f} USD; one request may cost {allowance.cost:.2f}."
    return ""
