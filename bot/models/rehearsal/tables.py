"""A workbook and a chart from an attached table: a program is put into the machine and run there.

The numbers of the answer are the program's own output; what was said later narrows them by a new run.
"""

from __future__ import annotations

import json
import posixpath
import re
import shlex
from functools import cache
from importlib import resources
from typing import Any, cast

from bot.models.rehearsal.step import Step, Work
from bot.models.rehearsal.tasks import Table
from sandbox.types import HOME

PROGRAM = f"{HOME}/work/table_script.py"
OUT = f"{HOME}/outbox"


def labels(task: Table) -> tuple[str, ...]:
    """The steps as a person would name them."""
    if not task.path:
        return ()
    name = posixpath.basename(task.path)
    return (f"Get ready to read {name}", f"Add up {name}{_narrowing(task)}", "Hand over the workbook and the chart")


def work(task: Table) -> Work:
    """The task as a generator of calls."""
    if not task.path:
        return "Attach a CSV, TSV or Excel file to your message, and I make a workbook and a chart from it."
    yield Step(0, "write_file", {"path": PROGRAM, "content": _program()})
    output = yield Step(1, "shell", {"command": _command(task), "timeout_s": 300})
    done = _done(output)
    if done is None:
        return f"The table could not be worked through. What came back:\n```\n{output.strip()[-600:]}\n```"
    if "error" in done:
        return f"{posixpath.basename(task.path)} could not be read: {done['error']}."
    failed: list[str] = []
    for key in ("workbook", "chart"):
        if path := done.get(key):
            said = yield Step(2, "deliver_file", {"path": path, "name": posixpath.basename(path)})
            if "goes into the thread" not in said:
                failed.append(f"{posixpath.basename(path)}: {said.strip()}")
    return _answer(task, done, failed)


def _narrowing(task: Table) -> str:
    return f" ({'; '.join(task.only)})"[:120] if task.only else ""


def _command(task: Table) -> str:
    stem = re.sub(r"[^\w-]+", "-", posixpath.splitext(posixpath.basename(task.path))[0]).strip("-") or "table"
    tail = re.sub(r"[^\w]+", "-", " ".join(task.only).casefold()).strip("-")[:40]
    parts = ["python3", PROGRAM, task.path, "--to", OUT, "--name", f"{stem}-{tail}" if tail else stem]
    parts += ["--wish", task.wish]
    for wish in task.only:
        parts += ["--only", wish]
    return shlex.join(parts)


def _done(output: str) -> dict[str, Any] | None:
    """What the program said at its end, or None when it did not get there."""
    for line in reversed(output.splitlines()):
        if line.startswith("TABLE "):
            try:
                value: object = json.loads(line.removeprefix("TABLE "))
            except ValueError:
                return None
            return cast("dict[str, Any]", value) if isinstance(value, dict) else None
    return None


def _answer(task: Table, done: dict[str, Any], failed: list[str]) -> str:
    name, of, by = posixpath.basename(task.path), done["of"], done["by"]
    share = f"{done['used']} of {done['rows']} rows" if done["used"] != done["rows"] else f"all {done['rows']} rows"
    if not done["used"]:
        lines = [f"No row of **{name}** is left ({'; '.join(done['filters'])}), so there is nothing to add up."]
    else:
        what = "rows" if of == "rows" else f"**{of}**"
        lines = [f"**{name}**: {what} {_number(done['total'])} in total, from {share}."]
        if by:
            lines += [f"By {by}:"]
            lines += [f"- {group}: {_number(total)} ({rows} rows)" for group, total, rows in done["groups"]]
            lines += [f"- and {done['more']} more, in the workbook"] if done["more"] else []
        if done["filters"]:
            lines.append("\nTaken into account: " + "; ".join(done["filters"]) + ".")
    lines += [f"Note: {note}." for note in done["notes"]]
    made = [posixpath.basename(done[key]) for key in ("workbook", "chart") if key in done]
    if made and not failed:
        lines.append(f"\nAttached: {' and '.join(made)}. The totals were computed from the rows of the file.")
    lines += [f"Could not be handed over: {text}" for text in failed]
    return "\n".join(lines)


def _number(value: float) -> str:
    return f"{value:,.0f}" if float(value).is_integer() else f"{value:,.2f}"


@cache
def _program() -> str:
    return (resources.files("bot.models.rehearsal") / "table_script.py").read_text(encoding="utf-8")
