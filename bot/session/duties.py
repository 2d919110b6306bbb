"""What a session owes its thread: an outbox computed from the journal, so that nothing owed can be forgotten.

Each duty has a key. `Posting` is written before it is done and `Posted` after; a duty whose `Posting` stands
alone may have been done by a worker that died, so the surface looks before it posts again.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

from bot.session.state import Run, State, answer_key
from bot.session.values import files_key

What = Literal["receipt", "whisper", "status", "card", "ask", "record", "report", "answer", "files", "settle", "invite"]


@dataclass(frozen=True, slots=True)
class Duty:
    """Something to post, update or mark. `ref` names what it is about (a ts, an ask, a run's number)."""

    what: What
    key: str
    ref: str


def owed(state: State) -> Iterator[Duty]:
    """Everything owed now, the most urgent first."""
    for duty in _all(state):
        if duty.key not in state.posted:
            yield duty


def _all(state: State) -> Iterator[Duty]:
    for mark, ts in state.receipts:
        yield Duty("receipt", f"{mark}:{ts}", ts)
    for refused in state.refused:
        yield Duty("whisper", f"whisper:{refused.key}", refused.key)
    for invited in state.invited:
        yield Duty("invite", f"invite:{invited.key}", invited.key)
    for said in state.asked_status:
        yield Duty("status", f"status:{said.ts}", said.ts)
    for run in state.runs:
        if run is not state.run:
            yield from _ended(state, run)
    if state.run is not None:
        yield from _current(state, state.run)


def _current(state: State, run: Run) -> Iterator[Duty]:
    """What the newest run owes."""
    if not run.ended:
        yield Duty("card", f"card:{run.number}", str(run.number))
    for key in state.half_said:
        yield Duty("answer", key, str(run.number))
    yield from _asks(state)
    if state.final_text is not None and not state.open_asks:
        yield Duty("answer", answer_key(run.number, run.steps), str(run.number))
        if len(run.files) > run.handed or run.handing:
            yield Duty("files", files_key(run), str(run.number))
    if run.ended and not state.open_asks:
        yield from _ended(state, run)


def _ended(state: State, run: Run) -> Iterator[Duty]:
    """What a run owes at its end, once every call of it has its own end."""
    if any(call.run == run.number for call in state.pending):
        return
    if run.answered is None:
        yield Duty("report", f"report:{run.number}", str(run.number))
    yield Duty("settle", f"settled:{run.number}", str(run.number))


def _asks(state: State) -> Iterator[Duty]:
    for ask in state.asks.values():
        key = ask_key(ask.asked.ask, ask.asked.version)
        if ask.open:
            yield Duty("ask", key, ask.asked.ask)
        elif key in state.posting:
            yield Duty("record", f"record:{ask.asked.ask}", ask.asked.ask)
            call = state.calls.get(ask.asked.call)
            if ask.decided is not None and ask.decided.verdict == "yes" and call is not None and call.finished:
                yield Duty("record", f"record:{ask.asked.ask}:sent", ask.asked.ask)


def ask_key(ask: str, version: int) -> str:
    """The key under which an ask's card is posted."""
    return f"ask:{ask}:{version}"
