"""The journal as a person follows it: the one status card, the answer to 'status?', the report after a stop.

Pure: state and time in, words out. It never claims work that does not happen: what it says is read off the state.
"""

from __future__ import annotations

from datetime import datetime

from bot.entries import Planned, Said
from bot.outgoing import CardStep, Record, RunState, StatusCard, StepState
from bot.session.state import SENT, Ask, Call, Run, State, plural, shorten

QUIET = frozenset({"plan", "note", "ask"})
"""Tools that are no steps of their own on the card."""
STEPS_MOST = 12


def status_card(state: State, run: Run, now: datetime, budget: float, watch: str = "") -> StatusCard:
    """The card of a run."""
    plan = plan_of(state, run)
    return StatusCard(
        goal=plan.goal if plan else goal_of(state, run),
        state=run_state(state, run),
        steps=_planned(plan, run) if plan else _done_calls(state, run),
        headline=headline(state, run),
        note=". ".join(filter(None, (run.note, run.mishap))),
        footer=_footer(run, now, budget),
        watch=watch,
    )


def plan_of(state: State, run: Run) -> Planned | None:
    """The plan, if it is this run's."""
    return state.plan if run is state.run else None


def goal_of(state: State, run: Run) -> str:
    """The request in the person's own words, as they now stand."""
    words = state.said.get(run.request.ts, run.request).text
    return shorten(words, 150) or ("the attached files" if run.request.files else "your message")


def run_state(state: State, run: Run) -> RunState:
    """What a run is, in one word."""
    if run.stopped is not None:
        return "stopped"
    if run.answered is not None:
        return "done"
    if run.ended:
        return "failed"
    return "waiting" if waiting_for(state) else "working"


def waiting_for(state: State) -> str:
    """Whom and what the session waits for, or an empty string while it works."""
    if not state.active:
        return ""
    if state.hold is not None:
        return f"{state.hold.by.name} to give my screen back"
    asks = state.open_asks
    blocked = [call for call in state.pending if call.phase == "asking"]
    busy = [call for call in state.pending if call.phase != "asking"]
    if not asks or busy or (not blocked and state.unread):
        return ""
    what = {"approval": "yes", "question": "answer", "takeover": "hand on my screen"}[asks[0].asked.purpose]
    return f"{_decider(state, asks[0])}'s {what}"


def headline(state: State, run: Run) -> str:
    """What goes on in a run at this moment, in one line."""
    if run is state.run and (waiting := waiting_for(state)):
        return f"Waiting for {waiting}"
    if run.stopped is not None:
        return f"{run.stopped.why}."
    if run.failed is not None and run.failed.retry_at is not None and not run.ended:
        return f"{run.failed.text} I try again by myself."
    if run.failed is not None and run.ended:
        return run.failed.text
    if run.ended:
        return ""
    running = [call.started.title for call in state.pending if call.phase == "running" and call.started]
    return f"{running[0]} (running)" if running else "Thinking"


def status_text(state: State, now: datetime) -> str:
    """The answer to 'status?': one or two sentences from what is known."""
    run = state.run
    if run is None:
        return "Nothing has been asked of me in this thread yet."
    if run.ended:
        ended = f" It ended {_ago(run, now)} ago." if run.ended_at else ""
        return f"Nothing is running here. {_how_it_ended(run)}{ended}"
    steps = _planned(state.plan, run) if state.plan else _done_calls(state, run)
    done = [step.title for step in steps if step.state == "done"]
    parts = [f"{headline(state, run)}, {_duration((now - run.since).total_seconds())} in."]
    if done:
        parts.append(f"Done so far: {'; '.join(done[-4:])}.")
    parts += [f"{line}." for line in (run.note, run.mishap) if line]
    return " ".join(parts)


def report(state: State, run: Run) -> str:
    """What to say when a run ended without an answer: what was done, what was not, what may need undoing."""
    plan = plan_of(state, run)
    lines = [f"{run.stopped.why}." if run.stopped else _failure(run)]
    done = [step.title for step in _done_calls(state, run) if step.state == "done"]
    if done:
        lines.append("Finished: " + "; ".join(done[-6:]) + ".")
    if plan and (left := [step.text for step in plan.steps if step.state in ("todo", "doing")]):
        lines.append("Not done: " + "; ".join(left[:6]) + ".")
    sent = [call for call in _run_calls(state, run) if call.name == SENT]
    lines += [f"May need undoing: {line}." for call in sent if (line := _effect(call))]
    if unknown := [call for call in _run_calls(state, run) if call.finished and call.finished.unknown]:
        cut = [call.started.title for call in unknown if call.started and call.name != SENT]
        lines += ["Cut off half-way: " + "; ".join(cut[-6:]) + "."] if cut else []
    if not done and not sent and not unknown:
        lines.append("Nothing outside was changed.")
    lines.append("Say 'go on' to let me continue from here.")
    return "\n\n".join(lines)


def record(state: State, ask: Ask) -> Record:
    """What a question or confirmation becomes when it has ended."""
    decided = ask.decided
    asked = ask.asked
    title = str(asked.card["heading"]) if asked.card else "; ".join(query.text for query in asked.questions)
    if decided is None:
        return Record(title, "Open.")
    who = decided.by.name if decided.by else "Nobody"
    when = decided.at.strftime("%H:%M UTC")
    nothing = " Nothing was sent." if asked.purpose == "approval" and not _earlier(state, ask) else ""
    match decided.verdict:
        case "yes":
            outcome = f"{who} approved at {when}{_sent(state, asked.call)}"
        case "no":
            outcome = f"{who} said no at {when}.{nothing}"
        case "change":
            outcome = f"{who} asked for a change at {when}: {shorten(decided.text, 300)}"
        case "answered" if asked.purpose == "takeover":
            outcome = f"{who}: {shorten(decided.text, 300)} ({when})"
        case "answered":
            outcome = f"{who} answered at {when}: {', '.join(decided.answers) or shorten(decided.text, 300)}"
        case "expired":
            defaults = ", ".join(query.default for query in asked.questions if query.default)
            outcome = f"No answer by {when}" + (f": {defaults}." if defaults else "; nothing was done.")
        case "withdrawn":
            outcome = f"Withdrawn at {when}: {shorten(decided.text, 300)}.{nothing}"
    facts = "\n".join(f"{fact['label']}: {fact['value']}" for fact in (asked.card or {}).get("facts", ()))
    return Record(title, outcome, facts)


def taken_into_account(state: State) -> str:
    """A line for the answer: the wishes said on the way that are in force."""
    run = state.runs[-1]
    said: list[Said] = [
        state.said.get(one.ts, one) for one in run.heard if one.sense == "steer" and one.ts not in state.withdrawn
    ]
    if not said:
        return ""
    return "Taken into account: " + "; ".join(f"“{shorten(one.text, 100)}”" for one in said) + "."


def money(run: Run) -> str:
    """What a run has cost so far: US dollars, or tokens where the price is not known."""
    return f"{run.tokens:,} tokens" if run.cost is None else f"{run.cost:.2f} USD"


def _footer(run: Run, now: datetime, budget: float) -> str:
    end = run.ended_at or now
    spent = money(run) + (f" of {budget:g}" if run.cost is not None else "")
    return f"{_duration((end - run.since).total_seconds())} · {spent}"


def _planned(plan: Planned, run: Run) -> tuple[CardStep, ...]:
    """The plan's steps; with several tasks each line names its own."""
    several = len({step.task for step in plan.steps}) > 1
    return tuple(
        CardStep(f"{step.task}: {step.text}" if step.task and several else step.text, _as_ended(step.state, run.ended))
        for step in plan.steps
    )


def _as_ended(state: StepState, ended: bool) -> StepState:
    """Nothing is 'doing' once the run has ended."""
    return "todo" if ended and state == "doing" else state


def _run_calls(state: State, run: Run) -> list[Call]:
    """The run's calls that were begun."""
    return [call for call in state.calls.values() if call.started is not None and call.run == run.number]


def _done_calls(state: State, run: Run) -> tuple[CardStep, ...]:
    """What was done, by the words of the tools, newest last."""
    steps: list[CardStep] = []
    for call in _run_calls(state, run):
        if call.name in QUIET or call.started is None:
            continue
        steps.append(CardStep(call.started.title, _call_state(call), _details(call)))
    return tuple(steps[-STEPS_MOST:])


def _call_state(call: Call) -> StepState:
    if call.finished is None:
        return "doing" if call.phase == "running" else "dropped"
    return "done" if call.finished.ok else "failed"


def _details(call: Call) -> str:
    return shorten(call.finished.output, 300) if call.finished else ""


def _decider(state: State, ask: Ask) -> str:
    """The first name of who may decide."""
    for run in reversed(state.runs):
        if run.requester.id in ask.asked.deciders:
            return run.requester.name
    return "somebody"


def _sent(state: State, call_id: str) -> str:
    call = state.calls.get(call_id)
    if call is None or call.finished is None:
        return "."
    when = call.finished.at.strftime("%H:%M UTC")
    if call.finished.ok:
        return f" · sent {when}."
    if call.finished.unknown:
        return f" · may have been sent at {when}: {shorten(call.finished.output, 200)}"
    return f" · {shorten(call.finished.output.removeprefix('was approved; it '), 200)}"


def _earlier(state: State, ask: Ask) -> bool:
    """Whether what this ask was about had been begun before it was asked."""
    call = state.calls.get(ask.asked.call)
    return call is not None and call.started is not None and call.started.at <= ask.asked.at


def _effect(call: Call) -> str:
    """What a send that was begun may have changed, in words; empty when it changed nothing."""
    if call.held is None or (call.finished and not call.finished.ok and not call.finished.unknown):
        return ""
    sure = call.finished is not None and call.finished.ok
    return f"{call.held.method} {call.held.url} {'was sent' if sure else 'may have been sent'}"


def _how_it_ended(run: Run) -> str:
    if run.stopped is not None:
        return f"{run.stopped.why}."
    return "The answer is above." if run.answered is not None else _failure(run)


def _failure(run: Run) -> str:
    return run.failed.text if run.failed else "I could not finish."


def _ago(run: Run, now: datetime) -> str:
    return _duration((now - (run.ended_at or now)).total_seconds())


def _duration(seconds: float) -> str:
    """'8 s', '1 min 40 s', '2 h 5 min'."""
    whole = max(0, int(seconds))
    if whole < 60:
        return f"{whole} s"
    if whole < 3600:
        return f"{whole // 60} min {whole % 60} s"
    hours = whole // 3600
    return plural(hours // 24, "day") if hours >= 48 else f"{hours} h {whole % 3600 // 60} min"
