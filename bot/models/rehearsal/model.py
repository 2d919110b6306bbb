"""The rehearsal model itself: from a conversation to the next reply, the same one each time for the same input."""

from __future__ import annotations

import asyncio
import json
import re
from collections.abc import AsyncGenerator, Sequence
from dataclasses import dataclass, replace
from typing import Any

from bot.entries import Item, Usage
from bot.models.items import message
from bot.models.rehearsal.moves import Kit, labels, work
from bot.models.rehearsal.step import Step, play
from bot.models.rehearsal.talk import TABLE, Said, Talk, call_key, fingerprint
from bot.models.rehearsal.tasks import Table, Task, Unknown, steers, tasks
from bot.models.types import CallBegun, Completed, ModelEvent, ModelRequest, TextDelta

NAME = "rehearsal"
HONEST = (
    "_I am the rehearsal model: fixed rules, no language model behind them. Connect a real model with OPENAI_API_KEY, "
    "or OPENAI_BASE_URL for your own server._"
)
_SUMMARY = "[The context is nearly full."


@dataclass(frozen=True, slots=True)
class Reply:
    """What to answer: calls, or text when there are none."""

    calls: tuple[tuple[str, dict[str, Any]], ...] = ()
    text: str = ""


class Rehearsal:
    """A Model without a model. `board` is the notice board's address, offered only when set.

    `pace` is the pause in seconds between two pieces of text.
    """

    def __init__(self, board: str = "", pace: float = 0.01) -> None:
        self._board, self._pace = board, pace

    @property
    def name(self) -> str:
        """As the record shows it."""
        return NAME

    async def stream(self, request: ModelRequest) -> AsyncGenerator[ModelEvent]:
        """One reply. It never fails, costs nothing, and is the same for the same request."""
        kit = Kit(self._board, frozenset(str(tool.get("name")) for tool in request.tools))
        reply = next_reply(request.items, kit)
        seed = fingerprint(request.items)
        items: list[Item] = []
        for number, (name, arguments) in enumerate(reply.calls):
            yield CallBegun(name)
            written = json.dumps(arguments, ensure_ascii=False)
            items.append(
                {"type": "function_call", "call_id": f"call_{seed}{number}", "name": name, "arguments": written}
            )
        if reply.text:
            for piece in re.findall(r"\s*\S+\s*\S*", reply.text) or [reply.text]:
                await asyncio.sleep(self._pace)
                yield TextDelta(piece, "final_answer")
            items.append(message(reply.text, "final_answer"))
        yield Completed(tuple(items), Usage(cost=0.0), NAME)


def next_reply(items: Sequence[Item], kit: Kit) -> Reply:
    """The next reply to this conversation."""
    talk = Talk.of(items)
    if talk.last.startswith(_SUMMARY):
        return Reply(text="\n".join(text[-600:] for text in talk.results()[-8:]) or "Nothing was found out yet.")
    kit = replace(kit, news=tuple(talk.news))
    agenda = _agenda(talk)
    if not agenda:
        return Reply(text=_without_request(talk, kit))
    results: list[str] = []
    for number, task in enumerate(agenda):
        come_to = play(work(task, kit), talk.take)
        if isinstance(come_to, Step) and come_to.name not in kit.tools:
            come_to = f"That takes the tool {come_to.name}, which I don't have here."
        if isinstance(come_to, Step):
            plan = _plan(agenda, number, come_to.at)
            return Reply((*_news(plan, talk, kit), (come_to.name, come_to.arguments)))
        results.append(come_to)
    final = _news(_plan(agenda, len(agenda), 0), talk, kit) if talk.plan else ()
    return Reply(final) if final else Reply(text=_answer(agenda, results, talk, kit))


def _agenda(talk: Talk) -> list[Task]:
    """The open requests, with what was said later worked into the tables they are about."""
    agenda: list[Task] = []
    known = list(talk.tables)
    for said in talk.open:
        files = tuple(path for path in said.files if TABLE.search(path))
        for task in tasks(said.text, files, tuple(known)):
            if isinstance(task, Unknown) and any(isinstance(other, Table) for other in agenda):
                agenda = [_narrowed(other, task.text) for other in agenda]
            elif isinstance(task, Unknown) and steers(task.text) and (earlier := _last_table(talk)):
                agenda.append(_narrowed(earlier, task.text))
            else:
                agenda.append(task)
        known += files
    return agenda


def _narrowed(task: Task, wish: str) -> Task:
    return replace(task, only=(*task.only, wish)) if isinstance(task, Table) and task.path else task


def _last_table(talk: Talk) -> Table | None:
    """The table job before the last answer, as the wishes of that time left it."""
    past = [_Past(said) for said in talk.past]
    found: Table | None = None
    known: tuple[str, ...] = ()
    for entry in past:
        for task in tasks(entry.said.text, entry.files, known):
            if isinstance(task, Table) and task.path:
                found = task
            elif isinstance(task, Unknown) and found and steers(task.text):
                found = replace(found, only=(*found.only, task.text))
        known += entry.files
    return found


@dataclass(frozen=True, slots=True)
class _Past:
    said: Said

    @property
    def files(self) -> tuple[str, ...]:
        return tuple(path for path in self.said.files if TABLE.search(path))


def _plan(agenda: Sequence[Task], task: int, step: int) -> dict[str, Any]:
    """The plan's arguments while `step` of `task` is being done; all done when `task` lies behind the last."""
    lines: list[dict[str, Any]] = []
    named = len([one for one in agenda if labels(one)]) > 1
    for number, one in enumerate(agenda):
        for at, label in enumerate(labels(one)):
            now = (number, at)
            state = "done" if now < (task, step) else "doing" if now == (task, step) else "todo"
            line: dict[str, Any] = {"text": label, "state": state}
            lines.append(line | ({"task": labels(one)[0]} if named else {}))
    return {"goal": _goal(agenda), "steps": lines}


def _goal(agenda: Sequence[Task]) -> str:
    parts: list[str] = []
    for task in agenda:
        if isinstance(task, Table) and task.path:
            only = f" ({'; '.join(task.only)})" if task.only else ""
            parts.append(" ".join(f"{task.wish or 'workbook and chart'}{only}".split()))
        elif steps := labels(task):
            parts.append(steps[0])
    goal = "; ".join(parts)
    return goal if len(goal) <= 200 else goal[:199] + "…"


def _news(plan: dict[str, Any], talk: Talk, kit: Kit) -> tuple[tuple[str, dict[str, Any]], ...]:
    """The plan as a call, when it says something new."""
    if "plan" not in kit.tools or not plan["steps"] or talk.plan == call_key("plan", plan):
        return ()
    return (("plan", plan),)


def _answer(agenda: Sequence[Task], results: Sequence[str], talk: Talk, kit: Kit) -> str:
    if len(results) == 1:
        body = results[0]
    else:
        heads = [(labels(task) or ("Your message",))[0] for task in agenda]
        body = "\n\n".join(
            f"**{n}. {head}**\n{text}" for n, (head, text) in enumerate(zip(heads, results, strict=True), 1)
        )
    if any(isinstance(task, Unknown) for task in agenda):
        body += "\n\n" + abilities(kit)
    return f"{body}\n\n{HONEST}"


def _without_request(talk: Talk, kit: Kit) -> str:
    told = "\n".join(line.strip("[]") for line in talk.news)
    return f"{told or abilities(kit)}\n\n{HONEST}"


def abilities(kit: Kit) -> str:
    """What the rehearsal model can do with these tools, with examples."""
    known = [
        ("shell", "Run a command: `run ls -la`"),
        ("web_open", "Read a page and sum it up: `summarise https://example.com`"),
        ("thread_history", "Sum up this thread: `summarise this thread`"),
        ("deliver_file", "Make a workbook and a chart: attach a CSV or Excel file and say `make a workbook by region`"),
        ("deliver_file", "Change course while I work or afterwards: `only the EMEA rows`, `in EUR`, `by product`"),
        ("ask", "Ask you something: `ask me which colour: red, blue or green`"),
        ("web_search", "Search the web: `search for opening hours of the Louvre`"),
    ]
    lines = [f"- {text}" for tool, text in known if tool in kit.tools]
    if kit.board and "shell" in kit.tools:
        lines.append("- Post to the notice board, after your yes: `post lunch is at noon to the notice board`")
    lines.append("- Several of these in one message, one a line")
    return "What I can do:\n" + "\n".join(lines)
