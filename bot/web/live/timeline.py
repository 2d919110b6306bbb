"""What the live page shows of a session, as plain values: its state in words and the steps it took.

Only what the thread's people may read anyway: a call's title, how it went and when. No arguments, no full output.
"""

from __future__ import annotations

from typing import Any

from bot import narrator
from bot.session.state import Call, State, shorten

SHOWN_MOST = 200


def steps(state: State) -> list[dict[str, Any]]:
    """The newest calls that were begun, oldest first."""
    begun = [call for call in state.calls.values() if call.started is not None]
    return [_step(call) for call in begun[-SHOWN_MOST:]]


def _step(call: Call) -> dict[str, Any]:
    started, finished = call.started, call.finished
    if started is None:
        return {}
    outcome = "running" if call.phase == "running" else "dropped"
    if finished is not None:
        outcome = "unknown" if finished.unknown else "ok" if finished.ok else "failed"
    return {
        "id": call.id,
        "title": started.title,
        "at": started.at.isoformat(),
        "outcome": outcome,
        "seconds": round(finished.seconds, 1) if finished else None,
        "said": shorten(finished.output, 200) if finished and outcome != "ok" else "",
        "picture": getattr(finished, "image", "") or "",
    }


def summary(state: State) -> dict[str, str]:
    """What it works on and what goes on, in words."""
    run = state.run
    if run is None:
        return {"title": "Nothing asked yet", "status": "idle", "headline": ""}
    plan = narrator.plan_of(state, run)
    title = plan.goal if plan else narrator.goal_of(state, run)
    return {"title": title, "status": narrator.run_state(state, run), "headline": narrator.headline(state, run)}


def pictures(state: State) -> set[str]:
    """Hashes of the pictures that belong to this session's steps."""
    return {step["picture"] for step in steps(state) if step["picture"]}
