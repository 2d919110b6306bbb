"""When a context grows too long: what must never be lost is carried over by rule, the rest as a summary.

The people's own words, the plan, the notes, decisions, open questions and what was done are rebuilt from the
journal verbatim, whatever a model's summary says or forgets.
"""

from __future__ import annotations

from bot.context import human_size
from bot.entries import Decided, Deliverable, Replied, Said
from bot.session.state import State, shorten

KEEP_REPLIES = 2
"""So many of the newest replies stay as they are."""
SUMMARY_REQUEST = (
    "[The context is nearly full. Write a summary of the work so far for yourself, to go on from: findings with their "
    "numbers and sources, files made and where they are, what was tried and failed, what is left. Text only, no tools. "
    "The people's own words, the plan and your notes are kept separately.]"
)


def boundary(state: State) -> int | None:
    """The journal number up to which a compaction may go, or None when there is nothing to gain.

    It lies right before a reply, so that no call is parted from its output.
    """
    start = state.compacted.upto if state.compacted else 0
    replies = [number for number, entry in state.entries if isinstance(entry, Replied) and number > start]
    if len(replies) <= KEEP_REPLIES or state.pending:
        return None
    return replies[-KEEP_REPLIES] - 1


def tightest_boundary(state: State) -> int | None:
    """The furthest boundary: for a context that does not fit at all, only what is newest stays."""
    start = state.compacted.upto if state.compacted else 0
    replies = [number for number, entry in state.entries if isinstance(entry, Replied) and number > start]
    if not replies or state.pending:
        return None
    return state.number


def carried_over(state: State, upto: int, summary: str) -> str:
    """The message that stands for everything up to `upto`."""
    sections = [
        "[What happened before, in short. The words of people are verbatim and stay in force.]",
        _section("What people said", _words(state, upto)),
        _section("Decisions", _decisions(state)),
        _section("Plan", _plan(state)),
        _section("Your notes", [f"- {note}" for note in state.notes]),
        _section("Done so far", _done(state)),
        _section("Files to hand over", [f"- {file.name}, {human_size(file.size)}" for file in _files(state)]),
        _section("Summary", [summary] if summary else []),
    ]
    return "\n\n".join(section for section in sections if section)


def _section(title: str, lines: list[str]) -> str:
    return f"{title}:\n" + "\n".join(lines) if lines else ""


def _words(state: State, upto: int) -> list[str]:
    """Every instruction said up to there, as now worded; withdrawn ones are gone."""
    lines: list[str] = []
    for number, entry in state.entries:
        if number > upto or not isinstance(entry, Said) or entry.sense not in ("request", "steer", "resume", "answer"):
            continue
        if entry.ts in state.withdrawn:
            continue
        now = state.said.get(entry.ts, entry)
        brought = [state.brought[file.id] for file in entry.files if file.id in state.brought]
        files = "".join(f" [file: {one.path}]" for one in brought if one.path)
        lines.append(f"- {entry.author.name}: {now.text}{files}")
    return lines


def _decisions(state: State) -> list[str]:
    lines: list[str] = []
    for _, entry in state.entries:
        if not isinstance(entry, Decided):
            continue
        asked = state.asks[entry.ask].asked
        about = asked.card["heading"] if asked.card else "; ".join(query.text for query in asked.questions)
        said = ", ".join(entry.answers) or ("" if entry.verdict == "withdrawn" else entry.text)
        who = entry.by.name if entry.by else "nobody"
        lines.append(f"- {about}: {entry.verdict} ({who}{f': {said}' if said else ''})")
    return lines


def _plan(state: State) -> list[str]:
    if state.plan is None:
        return []
    return [f"- {step.state}: {step.text}" for step in state.plan.steps]


def _done(state: State) -> list[str]:
    """The newest actions and how they ended."""
    lines: list[str] = []
    for call in state.calls.values():
        if call.started is None or call.finished is None:
            continue
        how = "outcome unknown" if call.finished.unknown else "ok" if call.finished.ok else "failed"
        lines.append(f"- {shorten(call.started.title, 160)}: {how}")
    return lines[-40:]


def _files(state: State) -> list[Deliverable]:
    return state.run.files if state.run else []
