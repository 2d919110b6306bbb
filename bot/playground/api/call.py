"""One Web API call as its handler sees it: arguments whatever their encoding, who calls, and what they may touch."""

import base64
import binascii
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeAlias, TypeVar

from bot.playground.messages import Installation, Message
from bot.playground.people import Channel
from bot.playground.shapes import Obj, SlackError, as_flag, as_text

if TYPE_CHECKING:
    from bot.playground.limits import Limits
    from bot.playground.site import Site
    from bot.playground.workspace import Workspace

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Call:
    """A call with a valid token (or none, where the method needs none).

    `client` is the pair of client id and secret from Basic authorisation, if any.
    """

    site: "Site"
    args: Obj
    installed: Installation | None = None
    client: tuple[str, str] = ("", "")

    @property
    def workspace(self) -> "Workspace":
        return self.site.workspace

    @property
    def limits(self) -> "Limits":
        return self.site.limits

    @property
    def bot(self) -> Installation:
        """The installation whose token was sent. Raises `not_allowed_token_type` for an app token."""
        if self.installed is None:
            raise SlackError("not_allowed_token_type")
        return self.installed

    def text(self, key: str) -> str:
        value = self.args.get(key)
        return "" if value is None else str(value)

    def need(self, key: str) -> str:
        """A required argument. Raises `invalid_arguments` naming it."""
        value = self.text(key)
        if not value:
            messages = [f"[ERROR] missing required field: {key}"]
            raise SlackError("invalid_arguments", response_metadata={"messages": messages})
        return value

    def flag(self, key: str) -> bool:
        return as_flag(self.args.get(key))

    def number(self, key: str, default: int, most: int) -> int:
        """A whole number from 1 to `most`. Raises `invalid_limit`."""
        raw = self.text(key)
        if not raw:
            return default
        if not raw.isdecimal() or not 1 <= int(raw) <= most:
            raise SlackError("invalid_limit")
        return int(raw)

    def channel(self, key: str = "channel") -> Channel:
        """The conversation named by `key`, in the caller's team and with the bot in it.

        Raises `channel_not_found` or `not_in_channel`.
        """
        channel = self.visible_channel(key)
        if self.bot.bot_user not in channel.members:
            raise SlackError("not_in_channel")
        return channel

    def visible_channel(self, key: str = "channel") -> Channel:
        """Like `channel`, without asking that the bot is a member of a public one."""
        channel = self.workspace.channel(self.need(key))
        if channel.team != self.bot.team:
            raise SlackError("channel_not_found")
        if channel.kind != "channel" and self.bot.bot_user not in channel.members:
            raise SlackError("channel_not_found")
        return channel

    def message(self, channel: Channel, key: str) -> Message:
        """A message by its ts. Raises `message_not_found`."""
        found = self.workspace.find(channel.id, self.need(key))
        if found is None or found.visible_to or found.subtype == "tombstone":
            raise SlackError("message_not_found")
        return found

    def own(self, channel: Channel, refusal: str) -> Message:
        """A message of the caller's bot by its ts. Raises `message_not_found` or `refusal`."""
        found = self.message(channel, "ts")
        if found.bot_id != self.bot.bot_id:
            raise SlackError(refusal)
        return found

    def root(self, channel: Channel) -> str:
        """The thread to post in, or empty.

        Raises `thread_not_found` for a ts of nothing, `cannot_reply_to_message` for a reply's.
        """
        thread_ts = self.text("thread_ts")
        if not thread_ts:
            return ""
        known = self.workspace.thread(channel.id, thread_ts)
        if not known:
            raise SlackError("thread_not_found")
        if known[0].ts == thread_ts and known[0].thread_ts not in {"", thread_ts}:
            raise SlackError("cannot_reply_to_message")
        return thread_ts


Method: TypeAlias = Callable[[Call], Awaitable[Obj]]


def page_of(items: list[T], key: Callable[[T], str], cursor: str, limit: int) -> tuple[list[T], str]:
    """At most `limit` items from `cursor` on, and the cursor of the rest (empty at the end).

    Raises `invalid_cursor`. The cursor names the next item, so inserts in between do no harm.
    """
    start = 0
    if cursor:
        wanted = _from_cursor(cursor)
        start = next((index for index, item in enumerate(items) if key(item) == wanted), -1)
        if start < 0:
            raise SlackError("invalid_cursor")
    rest = items[start + limit :]
    following = base64.b64encode(f"next:{key(rest[0])}".encode()).decode() if rest else ""
    return items[start : start + limit], following


def _from_cursor(cursor: str) -> str:
    try:
        text = base64.b64decode(cursor, validate=True).decode()
    except (binascii.Error, UnicodeDecodeError):
        raise SlackError("invalid_cursor") from None
    if not text.startswith("next:"):
        raise SlackError("invalid_cursor")
    return text.removeprefix("next:")


def paged(answer: Obj, cursor: str) -> Obj:
    """The answer with its paging fields."""
    return answer | {"has_more": bool(cursor), "response_metadata": {"next_cursor": cursor}}


def first_text(*values: Any) -> str:
    """The first of `values` that is a text with something in it."""
    return next((as_text(value) for value in values if as_text(value)), "")
