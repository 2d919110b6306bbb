"""A session's state: what its journal comes to. Folding the same entries gives the same state, always.

Hides the order in which entries may arrive. Nothing in here does anything, asks a clock or knows a surface;
`steps` reads this state and says what to do, `duties` what is owed to the thread.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from typing import assert_never

from bot.entries import (
    Answered,
    Asked,
    Brought,
    Compacted,
    Decided,
    Dropped,
    Entry,
    Failed,
    Finished,
    Judged,
    Noted,
    Picked,
    Planned,
    Posted,
    Posting,
    Rated,
    Refused,
    Replied,
    Reworded,
    Said,
    Started,
    Stopped,
    Withdrawn,
)
from bot.handover import GaveBack, Invited, TookOver
from bot.heard import Thread
from bot.lost import Lost, Unsaved, mishap
from bot.scripted import Requested
from bot.session.values import (
    SENT,
    Ask,
    Call,
    Draft,
    Phase,
    Run,
    answer_key,
    calls_of,
    files_in,
    held_arguments,
    plural,
    reply_text,
    shorten,
)
from bot.spent import Spent

__all__ = [
    "SENT",
    "Ask",
    "Call",
    "Phase",
    "Run",
    "State",
    "answer_key",
    "calls_of",
    "fold",
    "held_arguments",
    "plural",
    "reply_text",
    "shorten",
]


@dataclass(slots=True)
class State:
    """Everything a step may depend on."""

    thread: Thread
    number: int = 0
    entries: list[tuple[int, Entry]] = field(default_factory=list[tuple[int, Entry]])
    runs: list[Run] = field(default_factory=list[Run])
    calls: dict[str, Call] = field(default_factory=dict[str, Call])
    asks: dict[str, Ask] = field(default_factory=dict[str, Ask])
    said: dict[str, Said] = field(default_factory=dict[str, Said])
    """By the message's id, as now worded."""
    keys: set[str] = field(default_factory=set[str])
    """Inbox keys already read."""
    answers: dict[str, Draft] = field(default_factory=dict[str, Draft])
    """Replies meant as answers, by the key under which each is posted, until its run is answered."""
    posting: dict[str, str] = field(default_factory=dict[str, str])
    posted: dict[str, str] = field(default_factory=dict[str, str])
    brought: dict[str, Brought] = field(default_factory=dict[str, Brought])
    refused: list[Refused] = field(default_factory=list[Refused])
    asked_status: list[Said] = field(default_factory=list[Said])
    receipts: list[tuple[str, str]] = field(default_factory=list[tuple[str, str]])
    """(mark, ts) owed to the messages that were taken up."""
    plan: Planned | None = None
    notes: list[str] = field(default_factory=list[str])
    reply: Replied | None = None
    reply_number: int = 0
    news: int = 0
    """Number of the newest entry the model has to know of."""
    course: int = 0
    """Number of the newest entry by which a person changed what is wanted."""
    turn: str = ""
    """What that change was, in words."""
    muted: bool = False
    compacted: Compacted | None = None
    compacted_number: int = 0
    withdrawn: set[str] = field(default_factory=set[str])
    hold: TookOver | None = None
    """Who has the machine's screen and keyboard; the session rests meanwhile."""
    invited: list[Invited] = field(default_factory=list[Invited])

    @property
    def run(self) -> Run | None:
        """The newest run, ended or not."""
        return self.runs[-1] if self.runs else None

    @property
    def active(self) -> bool:
        """Whether a run is under way."""
        return bool(self.runs) and not self.runs[-1].ended

    @property
    def pending(self) -> list[Call]:
        """Calls that have not ended, in the order they were asked for."""
        return [call for call in self.calls.values() if call.phase != "done"]

    @property
    def open_asks(self) -> list[Ask]:
        """Questions and approvals that wait for a person."""
        return [ask for ask in self.asks.values() if ask.open]

    def blocks(self, ask: Ask) -> bool:
        """Whether a call of the model's waits for this ask."""
        call = self.calls.get(ask.asked.call)
        return ask.open and call is not None and call.phase == "asking" and call.ask == ask.asked.ask

    @property
    def owners(self) -> set[str]:
        """Ids of the people whose plain replies are meant for the bot."""
        return {run.requester.id for run in self.runs}

    @property
    def partners(self) -> set[str]:
        """Ids of the people whose words this session acts on: the requesters, and those who steered."""
        meant = ("request", "steer", "answer", "resume")
        heard = {said.author.id for said in self.said.values() if said.sense in meant}
        return self.owners | heard

    @property
    def unread(self) -> bool:
        """Whether something happened that the newest reply did not know of."""
        return self.reply is None or self.news > self.reply.seen

    @property
    def final_text(self) -> str | None:
        """The answer that waits to be delivered: the newest reply's text when it asked for nothing more."""
        if not self.active or self.reply is None or self.unread or self.pending:
            return None
        return reply_text(self.reply)

    @property
    def half_said(self) -> list[str]:
        """Keys of answers that were overtaken while they were posted: they may stand, so they are posted to the end."""
        run = self.run
        if run is None or run.ended:
            return []
        now = "" if self.unread else answer_key(run.number, run.steps)
        mine = [key for key in self.answers if key != now and key.startswith(answer_key(run.number, 0)[:-1])]
        return [key for key in mine if key in self.posting and key not in self.posted]

    @property
    def unsaid(self) -> set[int]:
        """Numbers of replies that were meant as answers and that nobody read: somebody spoke before they stood."""
        return {draft.number for key, draft in self.answers.items() if not self._may_stand(key)}

    def _may_stand(self, key: str) -> bool:
        return bool(self.posted[key]) if key in self.posted else key in self.posting

    def apply(self, number: int, entry: Entry) -> None:
        """Take the next entry. Entries are applied once, in the order of their numbers."""
        self.number = number
        self.entries.append((number, entry))
        match entry:
            case Said():
                self._said(number, entry)
            case Reworded() | Withdrawn():
                self._changed(number, entry)
            case Replied():
                self._replied(number, entry)
            case Judged() | Asked() | Picked() | Decided():
                self._judgement(number, entry)
            case Started() | Finished() | Dropped() | Requested():
                self._action(number, entry)
            case Stopped() | Failed() | Answered():
                self._ending(number, entry)
            case TookOver() | GaveBack() | Invited():
                self._handed(number, entry)
            case _:
                self._record(number, entry)

    def _said(self, number: int, entry: Said) -> None:
        self.keys.add(entry.key)
        self.said[entry.ts] = entry
        match entry.sense:
            case "request" | "resume":
                if not self.active:
                    self._begin(entry)
                self._heard(number, entry, "seen")
            case "steer":
                self._heard(number, entry, "applied")
                self.runs[-1].note = f"Now: {shorten(entry.text, 120)} (from step {self.runs[-1].steps + 1})"
            case "answer":
                self.runs[-1].heard.append(entry)
                self.receipts.append(("applied", entry.about or entry.ts))
                self.news = number
            case "mute" | "unmute":
                self.muted = entry.sense == "mute"
                self.receipts.append(("applied", entry.ts))
            case "status":
                self.asked_status.append(entry)
            case "aside" | "stop" | "refused":
                pass
            case _:
                assert_never(entry.sense)

    def _begin(self, entry: Said) -> None:
        """A new run. Where the one before was left unfinished, its wishes and files stay in force."""
        before, resumes = self.run, entry.sense == "resume"
        run = Run(len(self.runs) + 1, entry.author, entry, entry.at)
        if before is not None and before.answered is None and (resumes or before.stopped is None):
            run.heard = list(before.heard)
            run.files = before.files[before.handed :]
        if resumes and before is not None:
            run.request = before.request
        else:
            self.plan = None
        self.runs.append(run)

    def _heard(self, number: int, entry: Said, mark: str) -> None:
        """A message that says what is wanted: the newest reply no longer stands."""
        run = self.runs[-1]
        run.heard.append(entry)
        run.failures, run.failed = 0, None
        self.receipts.append((mark, entry.about or entry.ts))
        self.news = self.course = number
        self.turn = entry.text

    def _changed(self, number: int, entry: Reworded | Withdrawn) -> None:
        self.keys.add(entry.key)
        self.news = self.course = number
        if isinstance(entry, Withdrawn):
            self.withdrawn.add(entry.ts)
            self.turn = "a message was deleted"
            return
        self.turn = entry.text
        self.said[entry.ts] = replace(self.said[entry.ts], text=entry.text)
        self.receipts.append(("applied", entry.ts))
        self.runs[-1].note = f"Now: {shorten(entry.text, 120)} (reworded; from step {self.runs[-1].steps + 1})"

    def _replied(self, number: int, entry: Replied) -> None:
        self.reply, self.reply_number = entry, number
        run = self.runs[-1]
        run.steps += 1
        run.tokens += entry.usage.input + entry.usage.output
        run.cost = None if run.cost is None or entry.usage.cost is None else run.cost + entry.usage.cost
        run.busy += entry.seconds
        run.failures = 0
        run.failed = None
        calls = calls_of(number, entry)
        for call in calls:
            call.run = run.number
            self.calls[call.id] = call
        if not calls:
            self.answers[answer_key(run.number, run.steps)] = Draft(number, reply_text(entry))

    def _judgement(self, number: int, entry: Judged | Asked | Picked | Decided) -> None:
        match entry:
            case Judged():
                call = self.calls[entry.call]
                call.judged, call.phase = entry, "ready"
            case Asked():
                self.asks[entry.ask] = Ask(entry)
                if (call := self.calls.get(entry.call)) is not None and call.phase != "done":
                    call.ask, call.phase = entry.ask, "asking"
            case Picked():
                self.keys.add(entry.key)
                self.asks[entry.ask].picked[entry.index] = entry.answer
            case Decided():
                self.keys.add(entry.key)
                ask = self.asks[entry.ask]
                ask.decided = entry
                call = self.calls.get(ask.asked.call)
                if call is not None and call.phase == "asking":
                    call.phase = "ready"
                self.news = number

    def _action(self, number: int, entry: Started | Finished | Dropped | Requested) -> None:
        match entry:
            case Requested():
                self.calls[entry.call] = Call(entry.call, entry.name, entry.arguments, run=self.runs[-1].number)
            case Started():
                call = self.calls[entry.call]
                call.started, call.phase = entry, "running"
            case Finished():
                call = self.calls[entry.call]
                call.finished, call.phase = entry, "done"
                self.runs[-1].add_files(entry.files)
                self.runs[-1].busy += entry.seconds
                for held in entry.held:
                    self.calls[held.id] = Call(held.id, SENT, held_arguments(held), held=held, run=call.run)
                self.news = number
            case Dropped():
                for id_ in entry.calls:
                    self.calls[id_].phase, self.calls[id_].dropped = "done", entry.why
                if self.runs[-1].note and not self.runs[-1].ended:
                    self.runs[-1].note += f"; dropped {plural(len(entry.calls), 'planned action')}"
                self.news = number

    def _ending(self, number: int, entry: Stopped | Failed | Answered) -> None:
        if not self.runs:
            return
        run = self.runs[-1]
        match entry:
            case Stopped():
                run.stopped, run.ended_at = entry, entry.at
                self.news = number
            case Failed():
                run.failures += 1
                if entry.seen and self.course > entry.seen:
                    return  # somebody spoke before it failed: that is what counts now
                run.failed = entry
                if entry.retry_at is None:
                    run.ended_at = entry.at
            case Answered():
                run.answered, run.ended_at = entry, entry.at
                self.answers.pop(answer_key(run.number, run.steps), None)

    def _handed(self, number: int, entry: TookOver | GaveBack | Invited) -> None:
        self.keys.add(entry.key)
        match entry:
            case TookOver():
                self.hold = entry
            case GaveBack():
                self.hold, self.news = None, number
            case Invited():
                self.invited.append(entry)

    def _record(self, number: int, entry: Entry) -> None:
        match entry:
            case Posting():
                self.posting[entry.key] = entry.what
                if self.runs and (count := files_in(entry.key, self.runs[-1].number)):
                    self.runs[-1].handing = count
            case Posted():
                self.posted[entry.key] = entry.message
                if self.runs and (count := files_in(entry.key, self.runs[-1].number)):
                    self.runs[-1].handed, self.runs[-1].handing = count, 0
            case Brought():
                self.brought[entry.file] = entry
                self.news = number
            case Refused():
                self.keys.add(entry.key)
                self.refused.append(entry)
            case Rated():
                self.keys.add(entry.key)
            case Planned():
                self.plan = entry
            case Noted():
                self.notes.append(entry.text)
            case Spent():
                self.runs[-1].pay(entry.cost)
            case Lost() | Unsaved():
                self.runs[-1].mishap, self.news = mishap(entry) or self.runs[-1].mishap, number
            case Compacted():
                self.compacted, self.compacted_number = entry, number
            case _:
                raise AssertionError(f"no fold for {entry!r}")


def fold(thread: Thread, rows: Iterable[tuple[int, Entry]]) -> State:
    """The state that these entries come to."""
    state = State(thread)
    for number, entry in rows:
        state.apply(number, entry)
    return state
