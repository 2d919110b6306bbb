"""Outgoing messages as Block Kit: pure. One message of ours may be several of Slack's where it is long.

Everything the model or a stranger wrote is made inert (escape.py) and everything fits Slack's limits (blocks.py).
`classic` draws with the oldest blocks alone, for workspaces that refuse the newer ones.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import assert_never

from bot.heard import Person
from bot.outgoing import Confirmation, Outgoing, Question, Record, Reply, StatusCard
from bot.surfaces.slack import blocks as b
from bot.surfaces.slack.card import status_card
from bot.surfaces.slack.escape import clean, markdown, mrkdwn, one_line
from bot.surfaces.slack.split import split
from bot.surfaces.slack.wire import Obj
from policies.types import Card, Fact

_DRAFT_CHARS = 9_000
_BUTTON_ROWS = 15
_QUESTION = 1_500
"""Characters of one question with its options."""


@dataclass(frozen=True, slots=True)
class Draft:
    """One Slack message: fallback text (ready mrkdwn) and blocks. `main` is the one later edits are about."""

    text: str
    blocks: tuple[Obj, ...]
    main: bool = True


def user_of(person: Person) -> str:
    """The Slack user id in a person's id."""
    return person.id.rpartition("/")[2]


def mention(person: Person) -> str:
    """A mention of that person that notifies them."""
    return f"<@{user_of(person)}>"


def render(message: Outgoing, *, classic: bool = False) -> tuple[Draft, ...]:
    """The drafts to post in order; exactly one of them is `main`."""
    match message:
        case StatusCard():
            text, shown = status_card(message, classic=classic)
            return (Draft(text, shown),)
        case Reply():
            return _reply(message, classic)
        case Question():
            return (_question(message),)
        case Confirmation():
            return _confirmation(message)
        case Record():
            return (_record(message),)
        case _:
            assert_never(message)


def reply_parts(text: str) -> list[str]:
    """The safe Markdown of an answer, cut as it will stand in the thread; at least one part."""
    return split(markdown(text), b.MARKDOWN_LIMIT) or ["(no words)"]


def _reply(reply: Reply, classic: bool) -> tuple[Draft, ...]:
    text = reply.text if reply.text.strip() or not reply.files else "Here it is:"
    parts = reply_parts(text)
    drafts: list[Draft] = []
    for index, part in enumerate(parts):
        shown = b.sections(part) if classic else [b.markdown(part)]
        words = mrkdwn(part[: b.SECTION_LIMIT])
        if index == 0 and reply.to:
            shown, words = [b.section(mention(reply.to)), *shown], f"{mention(reply.to)} {words}"
        if index == len(parts) - 1:
            shown += reply_tail(reply, classic=classic)
        drafts.append(Draft(words, tuple(shown), main=index == 0))
    return tuple(drafts)


def reply_tail(reply: Reply, *, classic: bool = False) -> list[Obj]:
    """The buttons under an answer."""
    tail = [b.actions([b.button("Go on", b.RESUME, style="primary")])] if reply.resume else []
    return tail + ([b.feedback()] if reply.feedback and not classic else [])


def _question(question: Question) -> Draft:
    many = len(question.questions) > 1
    start = "I need to know a few things:" if many else "I need to know:"
    if screen := question.screen.startswith(("https://", "http://")):
        start = "I need your hands for a moment:"
    shown: list[Obj] = [b.section(f"{mention(question.to)} {start}")]
    words = [f"{mention(question.to)} {start}"]
    for index, query in enumerate(question.questions):
        label = f"{index + 1}. {query.text}" if many else query.text
        if len(query.options) > 4:
            label += "\n" + "\n".join(f"• {option}" for option in query.options)
        shown += b.sections(label[:_QUESTION])
        words.append(mrkdwn(one_line(label, 300)))
        if index < _BUTTON_ROWS:
            shown.append(_choices(question, index))
    if screen:
        shown.append(b.actions([b.link("Open my screen", b.WATCH, question.screen)]))
    shown = shown[: b.MESSAGE_BLOCKS - 1]
    if deadline := one_line(question.deadline, 500):
        shown.append(b.context(mrkdwn(deadline)))
        words.append(mrkdwn(deadline))
    return Draft("\n".join(words), tuple(shown))


def _choices(question: Question, index: int) -> Obj:
    options = question.questions[index].options
    row = [
        b.button(option, f"{b.PICK}:{index}:{place}", f"{question.ask}\n{option}")
        for place, option in enumerate(options[:4])
    ]
    row.append(b.button("Something else" if options else "Answer…", f"{b.ELSE}:{index}", question.ask))
    return b.actions(row, b.ask_block(question.version, str(index)))


def _confirmation(message: Confirmation) -> tuple[Draft, ...]:
    """Nothing is left out: what does not fit into one message stands in others before it."""
    card = replace(message.card, heading=clean(message.card.heading).strip() or "Please decide")
    head = [b.rich(b.leaf(part, bold=True)) for part in b.chunks(card.heading, b.SECTION_LIMIT)]
    body: list[Obj] = []
    for fact in card.facts:
        body += _fact(fact)
    if card.quote:
        body += [b.rich(b.leaf(card.quote_label or "Text", bold=True)), *b.quote(card.quote)]
    drafts = _packed(head, body, card)
    end = _decision(replace(message, card=card))
    words = f"{mrkdwn(one_line(card.heading, 500))} {mention(message.to)}"
    *before, last = drafts
    made = [Draft(mrkdwn(one_line(card.heading, 500)), tuple(part), main=False) for part in before]
    return (*made, Draft(words, (*last, *end)))


def _packed(head: list[Obj], body: list[Obj], card: Card) -> list[list[Obj]]:
    pages: list[list[Obj]] = [head]
    size = len(card.heading)
    for block in body:
        weight = len(str(block))
        if size + weight > _DRAFT_CHARS or len(pages[-1]) >= b.MESSAGE_BLOCKS - 8:
            pages.append([b.rich(b.leaf(f"{one_line(card.heading, 300)} (continued)", bold=True))])
            size = 300
        pages[-1].append(block)
        size += weight
    return pages


def _fact(fact: Fact) -> list[Obj]:
    first, *rest = list(b.chunks(fact.value, b.SECTION_LIMIT)) or [""]
    lines = [b.rich(b.leaf(f"{one_line(fact.label, 500)}  ", bold=True), b.leaf(first))]
    lines += [b.rich(b.leaf(part)) for part in rest]
    if fact.origin:
        origin = b.leaf(f"  ← not in your request; from {fact.origin[: b.SECTION_LIMIT]}", italic=True)
        lines[-1]["elements"][0]["elements"].append(origin)
    return lines


def _decision(message: Confirmation) -> list[Obj]:
    card = message.card
    end: list[Obj] = []
    if card.hidden:
        end += [b.rich(b.leaf("Not shown here: ", bold=True), b.leaf(card.hidden[: b.SECTION_LIMIT]))]
    if card.undo:
        end += b.sections(card.undo[: b.SECTION_LIMIT])[:1]
    grave = "danger" if "cannot be undone" in card.undo.lower() else "primary"
    row = [
        b.button(card.yes, b.YES, message.ask, grave),
        b.button("Change…", b.CHANGE, message.ask),
        b.button(card.no, b.NO, message.ask),
    ]
    who = mrkdwn(one_line(message.only, 500))
    why = f" · {mrkdwn(one_line(card.why, 500))}" if card.why else ""
    return [*end, b.actions(row, b.ask_block(message.version, "c")), b.context(f"{mention(message.to)} {who}{why}")]


def _record(record: Record) -> Draft:
    shown = [b.rich(b.leaf(part, bold=True)) for part in b.chunks(record.title, b.SECTION_LIMIT)][:5]
    shown += [b.rich(b.leaf(part)) for part in b.chunks(record.body[:10_000], b.SECTION_LIMIT)]
    shown += [b.context(part) for part in map(mrkdwn, b.chunks(record.outcome[:2_000], 500))]
    words = f"{mrkdwn(one_line(record.title, 500))}: {mrkdwn(one_line(record.outcome, 500))}"
    return Draft(words, tuple(shown) or (b.section(words),))
