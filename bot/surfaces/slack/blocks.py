"""Block Kit as small functions, with Slack's size limits kept here so that no caller can exceed one.

Names of actions and shapes of ids are here too: whoever draws a button and whoever hears its click agree on them.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator

from bot.surfaces.slack.escape import mrkdwn, one_line, plain
from bot.surfaces.slack.wire import Obj

MARKDOWN_LIMIT = 11_900
SECTION_LIMIT = 2_900
TITLE_LIMIT = 2_900
BUTTON_LIMIT = 75
VALUE_LIMIT = 2_000
MESSAGE_BLOCKS = 48
PLAN_TASKS = 50

YES, NO, CHANGE = "th_yes", "th_no", "th_change"
PICK, ELSE = "th_pick", "th_else"
STOP, RESUME, WATCH, FEEDBACK = "th_stop", "th_resume", "th_watch", "th_feedback"


def chunks(text: str, size: int) -> Iterator[str]:
    """The text in pieces of at most `size` characters, cut at line ends or spaces where there are some."""
    while len(text) > size:
        cut = text.rfind("\n", size // 2, size) + 1 or text.rfind(" ", size // 2, size) + 1 or size
        yield text[:cut]
        text = text[cut:]
    if text:
        yield text


def key_block(key: str) -> str:
    """The block_id by which a post is recognised as made under `key`."""
    return "th:" + hashlib.sha256(key.encode()).hexdigest()[:24]


def section(mrkdwn_text: str) -> Obj:
    """A section of ready mrkdwn: what others wrote in it has been escaped."""
    return {"type": "section", "text": {"type": "mrkdwn", "text": mrkdwn_text if mrkdwn_text.strip() else "…"}}


def sections(text: str) -> list[Obj]:
    """Somebody's plain text as sections, nothing cut."""
    return [section(part) for part in _escaped(text, SECTION_LIMIT)]


def _escaped(text: str, size: int) -> Iterator[str]:
    for part in chunks(text, size // 5):
        yield mrkdwn(part) or " "


def context(mrkdwn_text: str) -> Obj:
    """A line in small grey type, ready mrkdwn."""
    words = mrkdwn_text[:SECTION_LIMIT] if mrkdwn_text.strip() else "…"
    return {"type": "context", "elements": [{"type": "mrkdwn", "text": words}]}


def markdown(text: str) -> Obj:
    """Ready Markdown of at most MARKDOWN_LIMIT characters."""
    return {"type": "markdown", "text": text}


def leaf(text: str, *, bold: bool = False, italic: bool = False) -> Obj:
    """A run of inert text for rich_text: no mention, link or formatting in it means anything."""
    style = {name: True for name, on in (("bold", bold), ("italic", italic)) if on}
    shown: Obj = {"type": "text", "text": plain(text) or " "}
    return {**shown, "style": style} if style else shown


def rich(*leaves: Obj, kind: str = "rich_text_section") -> Obj:
    """A rich_text block of one paragraph, quote or preformatted passage."""
    return {"type": "rich_text", "elements": [{"type": kind, "elements": list(leaves)}]}


def quote(text: str) -> list[Obj]:
    """Somebody's text, inert, in grey boxes; nothing cut."""
    return [rich(leaf(part), kind="rich_text_preformatted") for part in chunks(text, SECTION_LIMIT)]


def button(label: str, action: str, value: str = "", style: str = "") -> Obj:
    """A button; a label too long for Slack ends in an ellipsis."""
    text = plain(one_line(label, BUTTON_LIMIT - 10))[:BUTTON_LIMIT] or "…"
    made: Obj = {"type": "button", "action_id": action, "text": {"type": "plain_text", "text": text, "emoji": False}}
    if value:
        made["value"] = value[:VALUE_LIMIT]
    if style:
        made["style"] = style
    return made


def link(label: str, action: str, url: str) -> Obj:
    """A button that opens a page."""
    return {**button(label, action), "url": url}


def actions(elements: Iterable[Obj], block_id: str = "") -> Obj:
    """A row of buttons."""
    row: Obj = {"type": "actions", "elements": list(elements)[:25]}
    return {**row, "block_id": block_id} if block_id else row


def feedback() -> Obj:
    """Thumbs under an answer."""
    good = {"text": {"type": "plain_text", "text": "Good answer"}, "value": "good"}
    bad = {"text": {"type": "plain_text", "text": "Bad answer"}, "value": "bad"}
    element = {"type": "feedback_buttons", "action_id": FEEDBACK, "positive_button": good, "negative_button": bad}
    return {"type": "context_actions", "elements": [element]}


def modal(callback: str, title: str, label: str, private: str) -> Obj:
    """A dialog with one box to write in; `private` (at most 3,000 characters) comes back with what was written."""
    element = {"type": "plain_text_input", "action_id": "text", "multiline": True, "max_length": 3000}
    return {
        "type": "modal",
        "callback_id": callback,
        "title": {"type": "plain_text", "text": one_line(title, 24)},
        "submit": {"type": "plain_text", "text": "Send"},
        "close": {"type": "plain_text", "text": "Cancel"},
        "private_metadata": private,
        "blocks": [
            {
                "type": "input",
                "block_id": "words",
                "label": {"type": "plain_text", "text": plain(one_line(label, 1900)) or "Your answer"},
                "element": element,
            }
        ],
    }


def ask_block(version: int, place: str) -> str:
    """The block_id of an ask's row of buttons: which version they belong to."""
    return f"ask:{version}:{place}"


def ask_version(block_id: str) -> tuple[int, str]:
    """Version and place of such a block_id; (0, "") for any other."""
    kind, _, rest = block_id.partition(":")
    version, _, place = rest.partition(":")
    return (int(version), place) if kind == "ask" and version.isdecimal() and len(version) < 10 else (0, "")
