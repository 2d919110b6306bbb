"""What a message means for a session: decided once, when it is read, by rules a person can predict.

The requester's plain replies steer; anybody else who may use the bot steers by mentioning it; people talking to
each other are left alone. Approvals are decided by those named on the card and by nobody else, whatever a
message says. Pure: state and message in, entries out.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import assert_never

from bot import words
from bot.entries import Decided, Entry, Picked, Rated, Refused, Reworded, Said, Sense, Stopped, Withdrawn
from bot.handover import HOLD, GaveBack, Invited, TookOver
from bot.heard import Delete, Edit, GiveBack, Halt, Heard, Message, Person, Press, Rating, Resume, TakeOver
from bot.session.closing import withdrawals
from bot.session.state import Ask, Run, State, shorten

NOT_ALLOWED = (
    "I can only take instructions from members of this workspace. Ask one of them to tell me, "
    "or ask an admin to allow guests (THREADHAND_ALLOW_GUESTS)."
)


@dataclass(frozen=True, slots=True)
class Rules:
    """Who may steer besides members."""

    allow_guests: bool = False

    def may(self, person: Person) -> bool:
        """Whether this person's words are instructions at all."""
        return person.trusted or (self.allow_guests and person.standing == "guest")


@dataclass(frozen=True, slots=True)
class Reading:
    """A message being read: who it comes from, when, and under which inbox key."""

    state: State
    rules: Rules
    at: datetime
    key: str


def interpret(reading: Reading, heard: Heard) -> list[Entry]:
    """The entries this message comes to; empty when it was read before or does not concern the session."""
    if reading.key in reading.state.keys:
        return []
    match heard:
        case Message():
            return _message(reading, heard)
        case Edit():
            return _edit(reading, heard)
        case Delete():
            return _delete(reading, heard)
        case Press():
            return _press(reading, heard)
        case Halt():
            return _halt(reading, heard.author)
        case Resume():
            return _resume(reading, heard)
        case Rating():
            return [Rated(reading.at, reading.key, heard.author, heard.message, heard.good)]
        case TakeOver():
            return _take(reading, heard.author)
        case GiveBack():
            return _give(reading, heard)
        case _:
            assert_never(heard)


def _message(reading: Reading, message: Message) -> list[Entry]:
    state = reading.state
    if message.ts in state.said:
        return []
    if not reading.rules.may(message.author):
        if message.addressed and message.author.standing != "bot":
            return [Refused(reading.at, reading.key, message.author, NOT_ALLOWED)]
        return [_said(reading, message, "aside")]
    if word := words.mute_word(message.text):
        return [_said(reading, message, "mute" if word == "mute" else "unmute")]
    meant = message.addressed or (message.author.id in state.owners and not message.to_others and not state.muted)
    if not meant or words.is_aside(message.text):
        return [_said(reading, message, "aside")]
    if words.is_stop(message.text):
        return [_said(reading, message, "stop"), *_halt(reading, message.author)]
    if words.is_status(message.text) and state.runs and not message.files:
        return [_said(reading, message, "status")]
    if words.is_screen(message.text) and state.runs and not message.files:
        return [_said(reading, message, "aside"), Invited(reading.at, f"{reading.key}:screen", message.author)]
    if not state.active:
        resumes = words.is_go_on(message.text) and state.run is not None and state.run.answered is None
        return [_said(reading, message, "resume" if resumes else "request")]
    return _steering(reading, message)


def _steering(reading: Reading, message: Message) -> list[Entry]:
    """A message for a session at work: an answer to what is open, or a change of course."""
    asks = reading.state.open_asks
    approvals = [ask for ask in asks if ask.asked.purpose == "approval"]
    questions = [ask for ask in asks if ask.asked.purpose in ("question", "takeover")]
    if approvals and (words.is_yes(message.text) or words.is_no(message.text)):
        return _plain_word(reading, message, approvals)
    if approvals:
        why = f"{message.author.name} wrote: {message.text}"
        return [*_end_blocking(reading, why, message.author), _said(reading, message, "steer")]
    if questions:
        ask = questions[0]
        said = _said(reading, message, "answer", ask=ask.asked.ask)
        return [said, _decided(reading, ask, "answered", message.author, message.text)]
    return [_said(reading, message, "steer")]


def _plain_word(reading: Reading, message: Message, approvals: list[Ask]) -> list[Entry]:
    """'yes' or 'no' typed while approvals are open."""
    mine = [ask for ask in approvals if message.author.id in ask.asked.deciders]
    if not mine:
        return [Refused(reading.at, reading.key, message.author, only(approvals[0]))]
    if words.is_yes(message.text) and len(mine) > 1:
        why = "Several confirmations are open. Please use the button on the one you mean."
        return [Refused(reading.at, reading.key, message.author, why)]
    verdict = "yes" if words.is_yes(message.text) else "no"
    said = _said(reading, message, "answer", ask=mine[0].asked.ask)
    return [said, *(_decided(reading, ask, verdict, message.author, "") for ask in mine)]


def _edit(reading: Reading, edit: Edit) -> list[Entry]:
    state = reading.state
    before = state.said.get(edit.ts)
    if before is None or before.author.id != edit.author.id or before.text == edit.text:
        return []
    if before.sense not in ("request", "steer", "answer", "resume") or edit.ts in state.withdrawn:
        return []
    run = state.run
    if run is None or not run.concerns(edit.ts) or not reading.rules.may(edit.author):
        return []
    if words.is_stop(edit.text):
        return _halt(reading, edit.author)
    reworded = Reworded(reading.at, reading.key, edit.author, edit.ts, before.text, edit.text)
    if state.active:
        return [*_end_blocking(reading, f"{edit.author.name} reworded the request", edit.author), reworded]
    if run.answered is None:  # stopped or failed: the new wording counts once somebody says go on
        return [reworded]
    text = "I changed my message after your answer; see above. Redo what that changes, keep the rest."
    ts = f"edit:{reading.key}"
    return [reworded, Said(reading.at, reading.key, edit.author, ts, text, "request", about=edit.ts)]


def _delete(reading: Reading, delete: Delete) -> list[Entry]:
    state = reading.state
    said = state.said.get(delete.ts)
    run = state.run
    if said is None or run is None or delete.ts in state.withdrawn or not run.concerns(delete.ts):
        return []
    withdrawn = Withdrawn(reading.at, reading.key, delete.ts)
    if run.ended:  # what is gone does not come back when somebody says go on
        return [] if run.answered is not None else [withdrawn]
    if _is_request(run, delete.ts):
        why = f"{said.author.name} deleted the request"
        return [withdrawn, *_end_all(reading, why), Stopped(reading.at, said.author, why)]
    return [*_end_blocking(reading, f"{said.author.name} deleted a message", said.author), withdrawn]


def _is_request(run: Run, ts: str) -> bool:
    """Whether without the message `ts` the run has no reason left."""
    return ts in (run.request.ts, run.request.about)


def _press(reading: Reading, press: Press) -> list[Entry]:
    ask = reading.state.asks.get(press.ask)
    why = ""
    if ask is None:
        why = "I don't know this question; it may belong to another thread."
    elif not ask.open:
        why = "This was already settled; nothing was changed."
    elif press.version != ask.asked.version:
        why = "This card is out of date. Please use the newest one."
    elif not reading.rules.may(press.author) or press.author.id not in ask.asked.deciders:
        why = only(ask)
    if why or ask is None:
        return [Refused(reading.at, reading.key, press.author, why)]
    if ask.asked.purpose != "approval":
        return _question_press(reading, ask, press)
    match press.choice:
        case "yes":
            return [_decided(reading, ask, "yes", press.author, "")]
        case "no":
            return [_decided(reading, ask, "no", press.author, press.text)]
        case "change":
            return [_decided(reading, ask, "change", press.author, press.text)]
        case _:
            return [Refused(reading.at, reading.key, press.author, "I don't know this button. Nothing was changed.")]


def _question_press(reading: Reading, ask: Ask, press: Press) -> list[Entry]:
    """A button of a question card. Several questions are answered one by one; the last one ends the ask."""
    chosen = {"0": press.choice} if press.answers is None else press.answers
    questions = ask.asked.questions
    places = {str(place): place for place in range(len(questions))}
    if not chosen or any(place not in places for place in chosen):
        return [Refused(reading.at, reading.key, press.author, "I don't know this button. Nothing was changed.")]
    given = {places[place]: answer for place, answer in chosen.items()}
    picks: list[Entry] = [
        Picked(reading.at, reading.key, press.ask, place, answer, press.author) for place, answer in given.items()
    ]
    answers = {**ask.picked, **given}
    if len(answers) < len(questions):
        return picks
    ordered = tuple(answers[place] for place in range(len(questions)))
    return [*picks, Decided(reading.at, reading.key, press.ask, "answered", press.author, press.text, ordered)]


def _halt(reading: Reading, person: Person) -> list[Entry]:
    if not reading.rules.may(person):
        return [Refused(reading.at, reading.key, person, NOT_ALLOWED)]
    if not reading.state.active:
        return [Refused(reading.at, reading.key, person, "Nothing is running in this thread.")]
    return [*_end_all(reading, f"{person.name} stopped"), Stopped(reading.at, person, f"{person.name} stopped me")]


def _resume(reading: Reading, heard: Resume) -> list[Entry]:
    if not reading.rules.may(heard.author):
        return [Refused(reading.at, reading.key, heard.author, NOT_ALLOWED)]
    if reading.state.active:
        return [Refused(reading.at, reading.key, heard.author, "I am already working on it.")]
    run = reading.state.run
    if run is None or run.answered is not None:
        return [Refused(reading.at, reading.key, heard.author, "There is nothing left to go on with here.")]
    ts, about = f"resume:{reading.key}", run.request.about or run.request.ts
    return [Said(reading.at, reading.key, heard.author, ts, "Go on from where you were.", "resume", about=about)]


def _take(reading: Reading, person: Person) -> list[Entry]:
    """The machine to one person: one of those the session works for, and nobody else while they have it."""
    state = reading.state
    why = ""
    if not reading.rules.may(person) or person.id not in state.partners:
        why = "Only somebody I work for in this thread can take over my screen. Give me an instruction here first."
    elif state.hold is not None and state.hold.by.id != person.id and reading.at < state.hold.until:
        why = f"{state.hold.by.name} has my screen at the moment. Nothing was changed."
    if why:
        return [Refused(reading.at, reading.key, person, why)]
    return [TookOver(reading.at, reading.key, person, reading.at + HOLD)]


def _give(reading: Reading, heard: GiveBack) -> list[Entry]:
    """Back from whoever has it; what was asked of them is thereby done."""
    state = reading.state
    if state.hold is None or state.hold.by.id != heard.author.id:
        return []
    text = "gave the screen back. Look whether what was needed is done."
    asks = [ask for ask in state.open_asks if ask.asked.purpose == "takeover"]
    given = GaveBack(reading.at, reading.key, heard.author, shorten(heard.page, 300))
    return [*(_decided(reading, ask, "answered", heard.author, text) for ask in asks), given]


def _end_blocking(reading: Reading, why: str, by: Person) -> list[Entry]:
    """End every confirmation, and every question that the model waits for: it must hear of the change first."""
    state = reading.state
    asks = [ask for ask in state.open_asks if ask.asked.purpose == "approval" or state.blocks(ask)]
    return [_decided(reading, ask, "withdrawn", by, why) for ask in asks]


def _end_all(reading: Reading, why: str) -> list[Decided]:
    return withdrawals(reading.state, reading.at, reading.key, why)


def _decided(reading: Reading, ask: Ask, verdict: str, by: Person, text: str) -> Decided:
    match verdict:
        case "yes" | "no" | "change" | "answered" | "withdrawn":
            return Decided(reading.at, reading.key, ask.asked.ask, verdict, by, text)
        case _:
            raise AssertionError(verdict)


def _said(reading: Reading, message: Message, sense: Sense, ask: str = "") -> Said:
    """The message as written down; an aside's words are nobody's business and are not kept."""
    kept = sense not in ("aside", "refused")
    return Said(
        reading.at,
        reading.key,
        message.author,
        message.ts,
        message.text if kept else "",
        sense,
        files=message.files if kept else (),
        ask=ask,
    )


def only(ask: Ask) -> str:
    """Who may decide, in words."""
    return "Only the person named on this card can decide it. Nothing was changed."
