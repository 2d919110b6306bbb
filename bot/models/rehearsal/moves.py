"""How each task is done: the calls it takes, one after another, and what is said at its end.

A task is a generator: it yields a call, is sent that call's output, and returns its result. Played again from the
start for every reply, it comes to where it was, so nothing has to be remembered between two replies.
"""

from __future__ import annotations

import json
import re
import shlex
from dataclasses import dataclass, field
from typing import Any, assert_never

from bot.models.rehearsal import tables
from bot.models.rehearsal.gist import gist, sentences
from bot.models.rehearsal.step import Step, Work
from bot.models.rehearsal.tasks import AskMe, Note, Page, Post, Read, Recap, Run, Search, Table, Task, Unknown

HELD = "These requests to the outside were not sent"


@dataclass(frozen=True, slots=True)
class Kit:
    """What a task may use: the notice board's address ("" for none), and the news since the last answer."""

    board: str = ""
    tools: frozenset[str] = frozenset()
    news: tuple[str, ...] = field(default=())


def work(task: Task, kit: Kit) -> Work:
    """The task as a generator of calls."""
    match task:
        case Run():
            return _run(task, kit)
        case Page():
            return _page(task)
        case Recap():
            return _recap()
        case Table():
            return tables.work(task)
        case Post():
            return _post(task, kit)
        case AskMe():
            return _ask(task)
        case Search():
            return _shown(Step(0, "web_search", {"query": task.query}), f"The search for “{task.query}” found:")
        case Read():
            return _shown(Step(0, "read_file", {"path": task.path}), f"`{task.path}`:")
        case Note():
            return _note(task)
        case Unknown():
            return _unknown(task)
        case _:
            assert_never(task)


def labels(task: Task) -> tuple[str, ...]:
    """The task's steps as a person would name them."""
    match task:
        case Run(command):
            return (f"Run {_short(command)}",)
        case Page(url):
            return (f"Read {_short(url)}", "Pick out what matters")
        case Recap():
            return ("Read the thread", "Pick out what matters")
        case Table():
            return tables.labels(task)
        case Post(text):
            return (f"Post “{_short(text)}” to the notice board",)
        case AskMe(text):
            return (f"Ask: {_short(text)}",)
        case Search(query):
            return (f"Search the web for {_short(query)}",)
        case Read(path):
            return (f"Read {_short(path)}",)
        case Note(text):
            return (f"Note: {_short(text)}",)
        case Unknown():
            return ()
        case _:
            assert_never(task)


def fenced(output: str, most: int = 2000) -> str:
    """Output as a code block, its end when it is long; no output can close the block."""
    text = output.strip("\n")
    if len(text) > most:
        text = "…" + text[-most:]
    ticks = "`" * max(3, 1 + max((len(run) for run in re.findall(r"`+", text)), default=0))
    return f"{ticks}\n{text}\n{ticks}"


def _run(task: Run, kit: Kit) -> Work:
    output = yield Step(0, "shell", {"command": task.command})
    ended = re.search(r"\[exit code (\d+)\]", output)
    told = f", which ended with exit code {ended[1]}" if ended else ""
    held = _held(output, kit, "")
    return f"I ran `{_short(task.command)}`{told}:\n{fenced(output)}" + (f"\n{held}" if held else "")


def _page(task: Page) -> Work:
    output = yield Step(0, "web_open", {"url": task.url})
    picked = gist(sentences(output))
    failed = re.search(r"\(HTTP [45]\d\d\)", output.partition("\n")[0])
    if failed or not picked or (len(picked) < 2 and len(output) < 400):
        why = f"the server answered {failed[0].strip('()')}" if failed else "found too little prose to sum up"
        return f"I opened {task.url}, but {why}. What came back:\n{fenced(output, 600)}"
    heading = re.search(r"^(?:#\s+|title:\s*)(.+)$", output, re.MULTILINE | re.IGNORECASE)
    name = f"**{heading[1].strip()}** ({task.url})" if heading else task.url
    return f"{name} in its own words:\n" + "\n".join(f"- {sentence}" for sentence in picked)


def _recap() -> Work:
    output = yield Step(0, "thread_history", {"limit": 200})
    lines = [line for line in output.splitlines() if not line.startswith("[")]
    said: dict[str, list[str]] = {}
    for line in lines:
        who, colon, text = line.partition(": ")
        text = re.sub(r"\[file[^\]]*\]", "", text).strip()
        if colon and text and len(who) <= 60 and not re.search(r"(?i)summari[sz]e th|recap|rehearsal model", text):
            said.setdefault(text if text[-1] in ".!?…" else f"{text}.", []).append(who)
    if not said:
        return "There is nothing in this thread to sum up yet besides your request."
    picked = gist(list(said), 6)
    people = ", ".join(dict.fromkeys(who for whos in said.values() for who in whos))
    head = f"{sum(map(len, said.values()))} messages by {people}. What carries the most, word for word:"
    return head + "\n" + "\n".join(f"- **{said[text][0]}**: {text}" for text in picked)


def _post(task: Post, kit: Kit) -> Work:
    if not kit.board:
        return "There is no notice board here to post to."
    body = shlex.quote(json.dumps({"text": task.text}, ensure_ascii=False))
    kind = "-H 'Content-Type: application/json'"
    end = r"-w '\nHTTP %{http_code}\n'"
    output = yield Step(
        0, "shell", {"command": f"curl -sS -X POST {kind} --data {body} {end} {shlex.quote(kit.board)}"}
    )
    if held := _held(output, kit, kit.board):
        return held
    status = re.findall(r"^HTTP (\d{3})$", output, re.MULTILINE)
    if status and status[-1].startswith("2"):
        return f"“{task.text}” is on the notice board."
    return f"“{task.text}” is not on the notice board. What came back:\n{fenced(output, 600)}"


def _held(output: str, kit: Kit, url: str) -> str:
    """What became of the requests that the gate kept, in the words of the record; "" when it kept none."""
    if HELD not in output:
        return ""
    told = [line.strip("[]") for line in kit.news if line.startswith("[The held request") and url in line]
    return "\n".join(told) or "It waits for a yes; nothing was sent so far."


def _ask(task: AskMe) -> Work:
    question: dict[str, Any] = {"text": task.text, "options": list(task.options), "default": task.options[0]}
    output = yield Step(0, "ask", {"questions": [question]})
    return f"I asked, and this is what I know now. {output.strip()}"


def _note(task: Note) -> Work:
    yield Step(0, "note", {"text": task.text})
    return f"Noted: {task.text}"


def _shown(step: Step, head: str) -> Work:
    output = yield step
    return f"{head}\n{fenced(output)}"


def _unknown(task: Unknown) -> Work:
    yield from ()
    return f"I don't know how to do “{_short(task.text, 200)}”."


def _short(text: str, most: int = 60) -> str:
    line = " ".join(text.split())
    return line if len(line) <= most else line[: most - 1].rstrip() + "…"
