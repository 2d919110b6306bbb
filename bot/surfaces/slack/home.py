"""App Home and the first words of a direct conversation, from plain facts somebody else collects."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from bot.heard import Person
from bot.surfaces.slack import blocks as b
from bot.surfaces.slack.escape import honest, mrkdwn, one_line
from bot.surfaces.slack.wire import Obj

_MOST = 20
PROMPTS = (
    ("Summarise a thread", "Summarise this thread: "),
    ("Make a workbook", "Make a workbook from the attached file: one sheet per month, with totals."),
    ("Look something up", "Find out and give me sources: "),
    ("What can you do?", "What can you do, and what will you ask me before doing it?"),
)


@dataclass(frozen=True, slots=True)
class HomeLine:
    """One thing on the page: `text` in plain words, `url` where it can be opened."""

    text: str
    url: str = ""


@dataclass(frozen=True, slots=True)
class HomeFacts:
    """What one person sees. `admin` is filled for admins alone."""

    running: tuple[HomeLine, ...] = ()
    waiting: tuple[HomeLine, ...] = ()
    recent: tuple[HomeLine, ...] = ()
    admin: tuple[HomeLine, ...] = ()


Facts = Callable[[str, Person], Awaitable[HomeFacts]]
"""The facts of a person in a workspace."""


def home_view(person: Person, facts: HomeFacts, name: str = "Threadhand") -> Obj:
    """The App Home for views.publish."""
    shown: list[Obj] = [b.section(f"*Hello {mrkdwn(one_line(person.name, 80))}.* This is what I do for you.")]
    shown += _part("Waits for you", facts.waiting, "Nothing waits for you.")
    shown += _part("Runs for you", facts.running, "Nothing runs for you now.")
    if facts.recent:
        shown += _part("Lately", facts.recent, "")
    if person.standing == "admin":
        shown += _part("Settings of this workspace", facts.admin, "Nothing is set beyond the defaults.")
    lines = (
        f"Mention @{name} in a channel thread, or write to me directly. One thread is one piece of work.",
        "While I work you can write in the thread: 'only the blue ones', 'status?', 'stop'.",
        "I ask before anything that leaves my own computer, and show exactly what would happen.",
    )
    help_text = "\n".join(f"• {mrkdwn(line)}" for line in lines)
    shown += [{"type": "divider"}, b.section(f"*How it works*\n{help_text}")]
    return {"type": "home", "blocks": shown[:100]}


def _part(title: str, lines: tuple[HomeLine, ...], nothing: str) -> list[Obj]:
    head: Obj = {"type": "header", "text": {"type": "plain_text", "text": title}}
    if not lines:
        return [head, b.context(mrkdwn(nothing))] if nothing else []
    shown = [b.section(_line(line)) for line in lines[:_MOST]]
    more = [b.context(f"and {len(lines) - _MOST} more")] if len(lines) > _MOST else []
    return [head, *shown, *more]


def _line(line: HomeLine) -> str:
    words = mrkdwn(one_line(line.text, 500))
    safe = honest("Open", line.url).startswith("[") and not set("<>|") & set(line.url)
    return f"{words}  <{line.url}|Open>" if safe else words


def prompts() -> list[dict[str, str]]:
    """The suggestions for an empty direct conversation."""
    return [{"title": title, "message": message} for title, message in PROMPTS]
