"""What a click or a submitted dialog means: pure. Who clicked comes from the payload, never from what was drawn.

A button carries the ask's opaque id, its row the version; whether this person may decide, and whether it is still
open, the session knows.
"""

from __future__ import annotations

import json
from dataclasses import dataclass

from bot.heard import Halt, Person, Press, Rating, Resume, Thread
from bot.surfaces.slack import blocks as b
from bot.surfaces.slack.escape import visible
from bot.surfaces.slack.translate import SURFACE, Ignored, Incoming
from bot.surfaces.slack.wire import Obj, at, obj, objs, text


@dataclass(frozen=True, slots=True)
class Dialog:
    """A dialog to open as answer to a click, within three seconds. `view` is the modal."""

    trigger: str
    view: Obj


def clicked(body: Obj, workspace: str, author: Person) -> Incoming | Dialog | Ignored:
    """What a block_actions payload means."""
    action = obj(next(iter(objs(body.get("actions"))), None))
    name, value = text(action.get("action_id")), text(action.get("value"))
    thread, message = _place(body, workspace)
    if not thread.channel or not message:
        return Ignored("a click outside any message")
    moment = text(action.get("action_ts")) or text(body.get("trigger_id"))
    key = f"press:{workspace}:{thread.channel}:{message}:{author.id}:{name}:{moment}"
    version, place = b.ask_version(text(action.get("block_id")))
    if name == b.STOP:
        return Incoming(thread, Halt(author), key)
    if name == b.RESUME:
        return Incoming(thread, Resume(author), key)
    if name == b.FEEDBACK:
        return Incoming(thread, Rating(author, message, value == "good"), key)
    if name in (b.YES, b.NO):
        return Incoming(thread, Press(author, value, version, "yes" if name == b.YES else "no"), key)
    if name.startswith(f"{b.PICK}:"):
        ask, _, option = value.partition("\n")
        return Incoming(thread, Press(author, ask, version, option, answers={place: option}), key)
    if name == b.CHANGE or name.startswith(f"{b.ELSE}:"):
        return _dialog(body, thread, (value, version, place))
    return Ignored(f"no meaning in {name}")


def _place(body: Obj, workspace: str) -> tuple[Thread, str]:
    channel = at(body, "channel", "id") or at(body, "container", "channel_id")
    message = at(body, "message", "ts") or at(body, "container", "message_ts")
    root = at(body, "message", "thread_ts") or at(body, "container", "thread_ts") or message
    return Thread(SURFACE, workspace, channel, root), message


def _dialog(body: Obj, thread: Thread, ask: tuple[str, int, str]) -> Dialog | Ignored:
    ident, version, place = ask
    trigger = text(body.get("trigger_id"))
    private = json.dumps({"c": thread.channel, "r": thread.root, "a": ident, "v": version, "p": place})
    if not trigger or not ident or len(private) > 3000:
        return Ignored("a click without an ask")
    if place == "c":
        view = b.modal(b.CHANGE, "Change it", "What should be different?", private)
    else:
        view = b.modal(b.ELSE, "Your answer", "Your answer", private)
    return Dialog(trigger, view)


def submitted(body: Obj, workspace: str, author: Person) -> Incoming | str | Ignored:
    """What a view_submission payload means; a text is what is wrong with what was written."""
    view = obj(body.get("view"))
    callback = text(view.get("callback_id"))
    if callback not in (b.CHANGE, b.ELSE):
        return Ignored(f"no meaning in dialog {callback}")
    try:
        private = obj(json.loads(text(view.get("private_metadata"))))
        version = int(private["v"])
    except (ValueError, KeyError, TypeError):
        return Ignored("a dialog that is not ours")
    words = visible(at(view, "state", "values", "words", "text", "value")).strip()
    if not words:
        return "Please write a few words."
    thread = Thread(SURFACE, workspace, text(private.get("c")), text(private.get("r")))
    key = f"press:{workspace}:{text(view.get('id'))}:{author.id}"
    ask, place = text(private.get("a")), text(private.get("p"))
    if callback == b.CHANGE:
        return Incoming(thread, Press(author, ask, version, "change", words), key)
    return Incoming(thread, Press(author, ask, version, words, words, {place: words}), key)
