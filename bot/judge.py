"""The decision point between model and tools: arguments validated, policy asked, confirmation written.

What is judged is exactly what runs: the canonical form of the validated arguments is hashed, an approval is
bound to that hash, and the policy is asked again right before the call starts.
"""

from __future__ import annotations

import hashlib
import json
import re
from dataclasses import asdict, dataclass
from urllib.parse import urlsplit

from pydantic import BaseModel, TypeAdapter, ValidationError

from bot.entries import HeldWrite, Item
from bot.heard import Person
from bot.session.state import SENT, Call, Run, State, shorten
from bot.tools.types import Tool, Toolbox
from policies.builtin import decide
from policies.types import Card, Decision, Effect, Fact, Request

_CARD = TypeAdapter(Card)

SAME_CALL_MOST = 3
"""How often the very same call may be made in a row before it is refused as a loop."""


@dataclass(frozen=True, slots=True)
class Ruling:
    """The policy's word on a call with everything that follows from it."""

    decision: Decision
    effect: Effect
    digest: str
    card: Card | None = None
    tool: Tool | None = None
    arguments: BaseModel | None = None


def rule(call: Call, run: Run, state: State, toolbox: Toolbox) -> Ruling:
    """Judge a call for the person whose run it is. Never raises: what is wrong with a call is a denial."""
    digest = digest_of(call.name, call.arguments)
    if call.name == SENT and call.held is not None:
        request = _write_request(call.held, run.requester)
        return Ruling(decide(request), Effect.SEND, digest, write_card(call.held, run))
    tool = toolbox.tools.get(call.name)
    if tool is None:
        known = ", ".join(toolbox.tools)
        return _deny("unknown-tool", f"There is no tool named {call.name!r}. The tools are: {known}.", digest)
    try:
        arguments = tool.params.model_validate_json(call.arguments or "{}", strict=False)
    except ValidationError as error:
        return _deny("arguments", f"The arguments do not fit {call.name}: {_explain(error)}", digest)
    digest = digest_of(call.name, arguments.model_dump_json())
    if repeats(call, state) >= SAME_CALL_MOST:
        why = "You have just made this very call several times. Its result stands above; do something else or answer."
        return _deny("loop", why, digest)
    request = Request(
        tool.name, tool.effect, arguments.model_dump(), run.requester.id, run.requester.standing, tool.outside
    )
    decision = decide(request)
    card = _tool_card(tool, arguments) if decision.verdict == "ask" else None
    return Ruling(decision, tool.effect, digest, card, tool, arguments)


def repeats(call: Call, state: State) -> int:
    """How many of the run's newest calls before this one were exactly the same."""
    count = 0
    done = [other for other in state.calls.values() if other.phase == "done" and other.held is None]
    before = [other for other in done if other.run == call.run]
    for other in reversed(before):
        if (other.name, other.arguments) != (call.name, call.arguments):
            break
        count += 1
    return count


def digest_of(name: str, arguments: str) -> str:
    """The hash an approval is bound to: the action's name and its arguments in canonical JSON."""
    try:
        canonical = json.dumps(json.loads(arguments or "{}"), sort_keys=True, separators=(",", ":"))
    except (ValueError, RecursionError):
        canonical = arguments
    return hashlib.sha256(f"{name}\n{canonical}".encode(errors="replace")).hexdigest()


def card_json(card: Card) -> Item:
    """The card as it is kept in the journal."""
    return asdict(card)


def card_from(value: Item) -> Card:
    """The card of the journal's JSON."""
    return _CARD.validate_python(value)


def write_card(held: HeldWrite, run: Run) -> Card:
    """The confirmation for a request that a program in the machine wants to send."""
    host, name = _host(held.url)
    asked_for = name != "" and any(_names(said.text, name) for said in run.heard)
    origin = "" if asked_for else "a program the agent ran"
    kind = next((value for name, value in held.headers if name == "content-type"), "")
    shown = held.size if held.whole else len(held.shown.encode())
    hidden = f"{held.size - shown:,} more bytes are not shown" if held.size > shown else ""
    return Card(
        heading=f"Send this {held.method} request to {host}?",
        facts=(
            Fact("address", held.url, origin),
            Fact("content", f"{held.size:,} bytes{f' of {kind}' if kind else ''}"),
        ),
        quote=held.shown,
        quote_label="what would be sent",
        hidden=hidden,
        why="It changes something outside this thread's machine.",
        yes="Send",
        no="Don't send",
    )


def _host(url: str) -> tuple[str, str]:
    """The host with its port as a person should read it, look-alike letters spelt out, and its bare name."""
    try:
        parts = urlsplit(url)
        name = (parts.hostname or "").encode("idna").decode() if not url.isascii() else parts.hostname or ""
        return f"{name}:{parts.port}" if parts.port else name, name
    except (ValueError, UnicodeError):
        return shorten(url, 100), ""


def _names(text: str, host: str) -> bool:
    """Whether the text names exactly this host, and not one that merely contains it."""
    return re.search(rf"(?<![\w.-]){re.escape(host)}(?![\w-]|\.\w)", text.casefold()) is not None


def unknown_card(card: Card) -> Card:
    """The same confirmation after a crash hid whether it was already done."""
    why = "I was interrupted right while sending it and do not know whether it arrived. Please look before you agree."
    return Card(
        heading=f"I don't know whether this was already sent. {card.heading.replace('Send this', 'Send again this')}",
        facts=card.facts,
        quote=card.quote,
        quote_label=card.quote_label,
        hidden=card.hidden,
        undo=card.undo,
        why=why,
        yes="Send again",
        no="Leave it",
    )


def _write_request(held: HeldWrite, person: Person) -> Request:
    arguments: dict[str, object] = {"method": held.method, "url": held.url, "body": held.blob}
    return Request(SENT, Effect.SEND, arguments, person.id, person.standing, outside=True, target=held.url)


def _tool_card(tool: Tool, arguments: BaseModel) -> Card:
    facts = tuple(Fact(name, str(value)) for name, value in arguments.model_dump().items())
    return Card(heading=f"{tool.title(arguments)}?", facts=facts, why="It changes something outside the machine.")


def _deny(rule_id: str, why: str, digest: str) -> Ruling:
    return Ruling(Decision("deny", rule_id, why), Effect.RUN, digest)


def _explain(error: ValidationError) -> str:
    """pydantic's findings in one line the model can act on."""
    parts = [
        f"{'.'.join(str(place) for place in fault['loc']) or 'arguments'}: {fault['msg']}" for fault in error.errors()
    ]
    return "; ".join(parts[:6])
