"""Everything that can happen in the workspace, as values: what delivery sends to the app and the page shows."""

from dataclasses import dataclass
from typing import TypeAlias

from bot.playground.messages import AgentSession, Message
from bot.playground.shapes import Obj


@dataclass(frozen=True, slots=True)
class Posted:
    """A new message; ephemeral ones too (they reach the page only)."""

    message: Message


@dataclass(frozen=True, slots=True)
class Edited:
    """A message's text or blocks changed; `before` is its earlier message object."""

    message: Message
    before: Obj


@dataclass(frozen=True, slots=True)
class Deleted:
    """A message is gone; `message` as it last was."""

    message: Message


@dataclass(frozen=True, slots=True)
class Redrawn:
    """A message looks different without an event to the app: reactions, a stream growing."""

    message: Message


@dataclass(frozen=True, slots=True)
class SessionChanged:
    """An agent session's status or title changed."""

    session: AgentSession


@dataclass(frozen=True, slots=True)
class SessionRenamed:
    """A person gave an agent session another title."""

    session: AgentSession
    user: str


@dataclass(frozen=True, slots=True)
class Stopped:
    """A person pressed Stop on a thread; `streams` are the messages being streamed there."""

    channel: str
    thread_ts: str
    user: str
    streams: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class HomeOpened:
    """A person opened the app: `tab` is home or messages."""

    user: str
    channel: str
    tab: str


@dataclass(frozen=True, slots=True)
class ViewsChanged:
    """A person's modals or App Home changed."""

    user: str


@dataclass(frozen=True, slots=True)
class PromptsChanged:
    """The prompts suggested in a conversation changed."""

    channel: str


@dataclass(frozen=True, slots=True)
class Noticed:
    """Something was put on the notice board."""

    text: str


@dataclass(frozen=True, slots=True)
class AppConnected:
    """The app opened its first or lost its last connection."""

    connected: bool


@dataclass(frozen=True, slots=True)
class Uninstalled:
    """The app was removed from a team; its tokens are dead."""

    team: str
    tokens: tuple[str, ...]


Change: TypeAlias = (
    Posted
    | Edited
    | Deleted
    | Redrawn
    | SessionChanged
    | SessionRenamed
    | Stopped
    | HomeOpened
    | ViewsChanged
    | PromptsChanged
    | Noticed
    | AppConnected
    | Uninstalled
)
