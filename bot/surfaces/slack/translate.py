"""From what Slack sends to what a session hears: pure, so that every rule can be read and tested here.

A mention arrives twice, as app_mention and as message: both become the same thing under the same key.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from bot.heard import Delete, Edit, Halt, Heard, Message, Person, Thread
from bot.surfaces.slack import reading
from bot.surfaces.slack.wire import Obj, at, obj, objs, text

SURFACE = "slack"
_TAKEN = ("", "file_share", "thread_broadcast", "me_message")


@dataclass(frozen=True, slots=True)
class Ours:
    """Who we are in the workspace an event comes from. `workspace` is the id the app is installed under."""

    workspace: str
    bot_user: str
    bot_id: str
    app_id: str = ""


@dataclass(frozen=True, slots=True)
class Admission:
    """Whom the bot serves beyond the members of its own workspace."""

    guests: bool = False
    shared_channels: bool = False
    contact: str = "a workspace admin"


@dataclass(frozen=True, slots=True)
class Incoming:
    """One thing for the inbox. `denied` is what to tell an addressing person who may not open a session."""

    thread: Thread
    heard: Heard
    key: str
    opens: bool = False
    denied: str = ""


@dataclass(frozen=True, slots=True)
class Ignored:
    """An event that means nothing to a session, and why."""

    reason: str


def workspace_of(body: Obj) -> str:
    """The id the app is installed under where this payload belongs: the team's, or the organisation's."""
    grant = next(iter(objs(body.get("authorizations"))), body)
    enterprise = text(grant.get("enterprise_id")) or at(body, "enterprise", "id")
    seen_from = at(body, "view", "app_installed_team_id")
    team = seen_from or text(grant.get("team_id")) or at(body, "team", "id") or at(body, "user", "team_id")
    return enterprise if enterprise and grant.get("is_enterprise_install") in (True, "true") else team or enterprise


def author_of(event: Obj) -> str:
    """Id of whoever wrote what the event is about; empty where nobody did."""
    inner = obj(event.get("message")) or obj(event.get("previous_message")) or event
    return text(inner.get("user")) or text(event.get("user"))


def people_of(body: Obj) -> list[str]:
    """Ids of those mentioned in an event's message, whose names its text needs."""
    event = obj(body.get("event"))
    return reading.mentions(obj(event.get("message")) or event)


def translate(body: Obj, ours: Ours, author: Person, names: Mapping[str, str], rules: Admission) -> Incoming | Ignored:
    """What an event_callback of type app_mention or message means. `author` is the person of `author_of`."""
    event = obj(body.get("event"))
    subtype = text(event.get("subtype"))
    if subtype == "message_changed":
        return _changed(event, ours, author, names)
    if subtype == "message_deleted":
        return _deleted(event, ours)
    if subtype not in _TAKEN:
        return Ignored(f"subtype {subtype}")
    if _automatic(event, ours):
        return Ignored("written by an app")
    return _message(body, ours, author, names, rules)


def _automatic(message: Obj, ours: Ours) -> bool:
    """Written by us or by another app; people's messages carry none of these."""
    mine = text(message.get("user")) == ours.bot_user
    return mine or bool(message.get("bot_id")) or text(message.get("subtype")) == "bot_message"


def _thread(event: Obj, message: Obj, ours: Ours) -> Thread:
    root = text(message.get("thread_ts")) or text(message.get("ts"))
    return Thread(SURFACE, ours.workspace, text(event.get("channel")), root)


def _direct(event: Obj) -> bool:
    return text(event.get("channel_type")) == "im" or text(event.get("channel")).startswith("D")


def _message(body: Obj, ours: Ours, author: Person, names: Mapping[str, str], rules: Admission) -> Incoming | Ignored:
    event = obj(body.get("event"))
    words, ts = text(event.get("text")), text(event.get("ts"))
    if not ts or not text(event.get("channel")):
        return Ignored("no channel or no ts")
    if author.standing == "bot":
        return Ignored("written by an app")
    mentioned = ours.bot_user in (reading.mentions_of(words) if words else reading.mentions(event))
    addressed = mentioned or _direct(event)
    heard = Message(
        author=author,
        ts=ts,
        text=reading.whole(event, names, ours.bot_user),
        addressed=addressed,
        to_others=not mentioned and reading.opens_to_other(words, ours.bot_user),
        files=reading.files(event),
    )
    denied = denial(author, body.get("is_ext_shared_channel") is True, rules) if addressed else ""
    key = f"message:{ours.workspace}:{text(event.get('channel'))}:{ts}"
    return Incoming(_thread(event, event, ours), heard, key, addressed and not denied, denied)


def denial(author: Person, shared: bool, rules: Admission) -> str:
    """Why this person may not start something here, in words for them; empty when they may."""
    if author.standing in ("outsider", "bot"):
        return (
            "I only take requests from members of the workspace I belong to, so I did not start on this. "
            "Ask your contact there to mention me instead."
        )
    if shared and not rules.shared_channels:
        return (
            "This channel is shared with another organisation, and I am set not to start work in such channels. "
            f"Mention me in a channel of your own, or ask {rules.contact} to turn on 'Allow shared channels'."
        )
    if author.standing == "guest" and not rules.guests:
        return (
            "I am set not to take requests from guests, so I did not start on this. "
            f"Ask {rules.contact} to turn on 'Allow guests', or a member to mention me for you."
        )
    return ""


def _changed(event: Obj, ours: Ours, author: Person, names: Mapping[str, str]) -> Incoming | Ignored:
    message, before = obj(event.get("message")), obj(event.get("previous_message"))
    if text(message.get("subtype")) == "tombstone":
        return _deleted({**event, "deleted_ts": message.get("ts")}, ours)
    if _automatic(message, ours) or author.standing == "bot":
        return Ignored("an app's message changed")
    if text(message.get("text")) == text(before.get("text")):
        return Ignored("the text is the same")
    ts, channel = text(message.get("ts")), text(event.get("channel"))
    version = at(message, "edited", "ts") or text(event.get("event_ts")) or text(event.get("ts"))
    heard = Edit(author, ts, reading.whole(message, names, ours.bot_user), version)
    return Incoming(_thread(event, message, ours), heard, f"edit:{channel}:{ts}:{version}")


def _deleted(event: Obj, ours: Ours) -> Incoming | Ignored:
    before = obj(event.get("previous_message"))
    if _automatic(before, ours):
        return Ignored("an app's message was deleted")
    ts, channel = text(event.get("deleted_ts")) or text(before.get("ts")), text(event.get("channel"))
    if not ts:
        return Ignored("a deletion of nothing")
    return Incoming(_thread(event, {"ts": ts, **before}, ours), Delete(ts), f"del:{channel}:{ts}")


def translate_stop(body: Obj, ours: Ours, author: Person) -> Incoming | Ignored:
    """Slack's own stop button on a thread (agent_session_stopped)."""
    event = obj(body.get("event"))
    channel, root = text(event.get("channel")), text(event.get("thread_ts"))
    if not channel or not root:
        return Ignored("a stop of no thread")
    moment = text(event.get("event_ts")) or text(body.get("event_id"))
    return Incoming(Thread(SURFACE, ours.workspace, channel, root), Halt(author), f"halt:{channel}:{root}:{moment}")
