"""The status card: a plan with task cards on current workspaces, sections of text on older ones."""

from __future__ import annotations

from bot.outgoing import CardStep, RunState, StatusCard, StepState
from bot.surfaces.slack import blocks as b
from bot.surfaces.slack.escape import mrkdwn, one_line, plain
from bot.surfaces.slack.wire import Obj

_TITLES: dict[RunState, str] = {
    "working": "Working on it",
    "waiting": "Waiting",
    "done": "Done",
    "stopped": "Stopped",
    "failed": "Could not finish",
}
_TASKS: dict[StepState, str] = {
    "done": "complete",
    "doing": "in_progress",
    "todo": "pending",
    "dropped": "pending",
    "failed": "error",
}
_SIGNS: dict[StepState, str] = {"done": "✓", "doing": "▸", "todo": "○", "dropped": "–", "failed": "✗"}
_DETAILS = 8_000
"""Characters of all details together; the newest steps keep theirs."""


def status_card(card: StatusCard, *, classic: bool) -> tuple[str, tuple[Obj, ...]]:
    """Fallback text and blocks."""
    title = f"{_TITLES[card.state]}: {one_line(card.goal, 600)}"
    steps = _folded(card.steps)
    shown: list[Obj] = _classic(title, steps) if classic or not steps else [_plan(title, steps)]
    shown += [b.section(mrkdwn(line)) for text in (card.headline, card.note) if (line := one_line(text, 500))]
    if footer := one_line(card.footer, 500):
        shown.append(b.context(mrkdwn(footer)))
    row = [b.link("Watch", b.WATCH, card.watch)] if card.watch.startswith(("https://", "http://")) else []
    row += [b.button("Stop", b.STOP)] if card.state in ("working", "waiting") else []
    if row:
        shown.append(b.actions(row))
    doing = next((step.title for step in steps if step.state == "doing"), card.headline)
    words = mrkdwn(" · ".join(part for part in (title, one_line(doing, 200)) if part))
    return words, tuple(shown)


def _folded(steps: tuple[CardStep, ...]) -> tuple[CardStep, ...]:
    """At most as many as a plan shows: the oldest become one line."""
    over = len(steps) - b.PLAN_TASKS
    if over <= 0:
        return steps
    return (CardStep(f"{over + 1} earlier steps", "done"), *steps[over + 1 :])


def _plan(title: str, steps: tuple[CardStep, ...]) -> Obj:
    tasks: list[Obj] = []
    room = _DETAILS
    for index in reversed(range(len(steps))):
        step = steps[index]
        task: Obj = {
            "type": "task_card",
            "task_id": f"s{index}",
            "title": _step_title(step),
            "status": _TASKS[step.state],
        }
        details = step.details[: min(room, 2_000)]
        if details:
            room -= len(details)
            task["details"] = b.rich(b.leaf(details))
        tasks.append(task)
    return {"type": "plan", "title": plain(title), "tasks": tasks[::-1]}


def _step_title(step: CardStep) -> str:
    title = plain(one_line(step.title, 250)) or "…"
    return f"{title} (dropped)" if step.state == "dropped" else title


def _classic(title: str, steps: tuple[CardStep, ...]) -> list[Obj]:
    lines = [f"{_SIGNS[step.state]} {one_line(step.title, 250)}" for step in steps]
    return [b.section(f"*{mrkdwn(title)}*"), *b.sections("\n".join(lines))][:30]
