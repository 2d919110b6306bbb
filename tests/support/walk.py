"""A session walked through by chance, without any machinery: what happens is drawn, what follows is the code's.

The walk does what the loop does (it takes the step that the state calls for and writes down an outcome of it), so
that every journal it makes is one that a real session could have written.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta

from bot.context import answer_text
from bot.entries import (
    Answered,
    Asked,
    Brought,
    Decided,
    Dropped,
    Entry,
    Failed,
    Finished,
    HeldWrite,
    Item,
    Judged,
    Noted,
    Query,
    Replied,
    Started,
    Usage,
)
from bot.heard import Delete, Edit, FileRef, Halt, Heard, Message, Person, Press, Thread
from bot.session.closing import withdrawals
from bot.session.state import Call, State
from bot.session.steps import (
    Act,
    Allowance,
    Bring,
    Conclude,
    Drop,
    Expire,
    Judge,
    Recover,
    Rest,
    Step,
    Think,
    next_step,
)
from bot.steering import Reading, Rules, interpret

MARIA, BEN = Person("fake/maria", "Maria"), Person("fake/ben", "Ben")
Draw = Callable[[int], int]
"""A number from 0 up to, not including, the given one."""


class Walk:
    """`go` takes steps; `think` is told of the state at each call of the model, before its reply."""

    def __init__(self, draw: Draw, think: Callable[[State], None]) -> None:
        self.state = State(Thread("fake", "w", "c", "1"))
        self._draw, self._think = draw, think
        self._now = datetime(2026, 11, 30, tzinfo=UTC)
        self._count = 0

    def write(self, *entries: Entry) -> None:
        """Append to the journal."""
        for entry in entries:
            self.state.apply(self.state.number + 1, entry)

    def hear(self, heard: Heard) -> None:
        """Somebody does something."""
        self._count += 1
        self.write(*interpret(Reading(self.state, Rules(), self._now, f"k{self._count}"), heard))

    def go(self, steps: int) -> State:
        """Take that many steps."""
        self._speak(Message(MARIA, "1", "request 1", True))
        for _ in range(steps):
            self._now += timedelta(minutes=1)
            self._take(next_step(self.state, self._now, Allowance(steps=12)))
        return self.state

    def _speak(self, heard: Heard | None = None) -> None:
        """Something is said, or not."""
        self._count += 1
        kind, ts = self._draw(12), str(self._count + 1)
        known = sorted(self.state.said)
        if heard is None and kind < 5:
            file = FileRef(f"F{ts}", "a.csv", "text/csv", 10, "x") if kind == 0 else None
            heard = Message((MARIA, BEN)[kind % 2], ts, f"wish {ts}", kind < 4, files=(file,) if file else ())
        elif heard is None and kind < 7 and known:
            ts = known[self._draw(len(known))]
            heard = Edit(self.state.said[ts].author, ts, f"reworded {self._count}", f"v{self._count}")
        elif heard is None and kind == 7 and known:
            heard = Delete(known[self._draw(len(known))])
        elif heard is None and kind == 8:
            heard = Halt(MARIA)
        elif heard is None and kind < 11 and self.state.open_asks:
            asked = self.state.open_asks[0].asked
            heard = Press(MARIA, asked.ask, 1, ("yes", "no")[kind % 2])
        if heard is not None:
            self.hear(heard)

    def _take(self, step: Step) -> None:
        now, state = self._now, self.state
        match step:
            case Think():
                self._reply()
            case Judge():
                self._judge(step.call)
            case Act():
                for call in step.calls:
                    self._act(call)
            case Recover():
                self.write(Finished(now, step.call.id, False, "unknown", unknown=True))
            case Drop():
                ended = [Finished(now, call.id, False, "cut", unknown=True) for call in step.calls if call.unsure]
                self.write(*ended)
                if left := tuple(call.id for call in step.calls if call.phase != "done"):
                    self.write(Dropped(now, left, "the request changed"))
                if state.run and state.run.ended:
                    self.write(*withdrawals(state, now, f"ended:{state.number}", "the work ended"))
            case Bring():
                self.write(*(Brought(now, file.id, f"/home/{file.id}", file.size) for file in step.files))
            case Expire():
                self.write(Decided(now, f"expired:{step.ask.asked.ask}", step.ask.asked.ask, "expired"))
            case Conclude():
                self.write(Answered(now, "m", "the answer"))
            case Rest():
                self._speak()
            case _:
                self.write(*withdrawals(state, now, f"ended:{state.number}", "limit"), Failed(now, "limit", "enough"))

    def _reply(self) -> None:
        self._think(self.state)
        seen, fate = self.state.number, self._draw(8)
        if fate == 0:
            self._speak()
        if fate == 1:
            self.write(Failed(self._now, "cut", "cut off", None if self._draw(2) else self._now, seen))
            return
        calls = self._draw(4)
        items: list[Item] = [
            {
                "type": "function_call",
                "call_id": f"call_{n}",
                "name": "shell",
                "arguments": f'{{"n": {self._draw(99)}}}',
            }
            for n in range(calls)
        ]
        text: Item = {"type": "message", "role": "assistant", "content": [{"type": "output_text", "text": "text"}]}
        if self.state.runs:
            self.write(Replied(self._now, tuple([text, *items] if calls < 3 else items), seen, Usage(), "m"))

    def _judge(self, call: Call) -> None:
        judged = Judged(self._now, call.id, "auto", "r", "why", ("read", "run")[self._draw(2)], "d")
        asked: list[Entry] = []
        if call.held is not None or self._draw(5) == 0:
            purpose = "approval" if call.held is not None else "question"
            questions = (Query("Which?", (), "blue"),) if purpose == "question" else ()
            card: Item | None = {"heading": "Send it?", "facts": []} if purpose == "approval" else None
            deadline = self._now + timedelta(minutes=5)
            ask = f"ask{self.state.number}"
            asked = [Asked(self._now, ask, purpose, call.id, (MARIA.id,), questions, card, deadline=deadline)]
        self.write(judged, *asked)

    def _act(self, call: Call) -> None:
        if call.phase == "done":
            return
        self.write(Started(self._now, call.id, call.name, "k", f"Did {call.id}", "safe"))
        fate = self._draw(9)
        if fate == 0:
            return  # the worker dies here
        if fate == 1:
            self._speak()
        held = ()
        if fate == 2 and call.held is None:
            held = (HeldWrite(f"w{self.state.number}", "POST", "http://x/", (), "b", 1, "b"),)
        notes: list[Entry] = [Noted(self._now, f"note {self.state.number}")] if fate == 3 else []
        if call.finished is None:
            self.write(*notes, Finished(self._now, call.id, True, self._output(call), held=held))

    def _output(self, call: Call) -> str:
        ask = self.state.asks.get(call.ask)
        if ask is not None and ask.decided is not None and ask.asked.purpose == "question":
            return answer_text(self.state, ask.decided)
        return f"output {call.id}"
