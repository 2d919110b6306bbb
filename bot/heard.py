"""Who and where, and what a surface hears from a thread: the payloads of the inbox.

Nothing here is shaped like one chat product. A surface translates its events into these and nothing else.
"""

from __future__ import annotations

import hashlib
import json
from dataclasses import asdict, dataclass
from typing import Annotated, Literal

from pydantic import Field, TypeAdapter
from pydantic_core import PydanticSerializationError

from bot.wellformed import wholly

Standing = Literal["member", "admin", "guest", "outsider", "bot"]


@dataclass(frozen=True, slots=True)
class Person:
    """Somebody in a chat. `id` is "<team or enterprise>/<user>", unique on its surface."""

    id: str
    name: str
    standing: Standing = "member"

    @property
    def trusted(self) -> bool:
        """Whether this person may give the bot instructions by default."""
        return self.standing in ("member", "admin")


@dataclass(frozen=True, slots=True)
class Thread:
    """A conversation that is one session. `root` names its first message; the whole is the session's identity."""

    surface: str
    workspace: str
    channel: str
    root: str

    @property
    def session(self) -> str:
        """The session's id: 24 hexadecimal digits, the same for the same thread for ever."""
        text = "\x1f".join((self.surface, self.workspace, self.channel, self.root))
        return hashlib.sha256(text.encode()).hexdigest()[:24]


@dataclass(frozen=True, slots=True)
class FileRef:
    """A file somebody attached. `locator` is for the surface alone (a URL or an id); never shown to the model."""

    id: str
    name: str
    mime: str
    size: int
    locator: str


@dataclass(frozen=True, slots=True)
class Message:
    """Something said in a thread. `ts` is the message's own id and orders messages within the thread.

    `addressed`: the bot is mentioned, or the thread is a direct conversation with it. `to_others`: it opens by
    mentioning somebody else and not the bot. `text` has mentions of the bot removed and people's names filled in.
    """

    author: Person
    ts: str
    text: str
    addressed: bool
    to_others: bool = False
    files: tuple[FileRef, ...] = ()
    kind: Literal["message"] = "message"


@dataclass(frozen=True, slots=True)
class Edit:
    """A message was reworded by its author. `version` tells several edits of one message apart."""

    author: Person
    ts: str
    text: str
    version: str
    kind: Literal["edit"] = "edit"


@dataclass(frozen=True, slots=True)
class Delete:
    """A message was deleted."""

    ts: str
    kind: Literal["delete"] = "delete"


@dataclass(frozen=True, slots=True)
class Press:
    """A button of a question or a confirmation. `choice` is "yes", "no", "change" or an answer's text.

    `answers` carries several answers of one question card, by the question's index.
    """

    author: Person
    ask: str
    version: int
    choice: str
    text: str = ""
    answers: dict[str, str] | None = None
    kind: Literal["press"] = "press"


@dataclass(frozen=True, slots=True)
class Halt:
    """The surface's own stop (a button, a native event)."""

    author: Person
    kind: Literal["halt"] = "halt"


@dataclass(frozen=True, slots=True)
class Resume:
    """'Go on' pressed after a stop, a limit or a failure."""

    author: Person
    kind: Literal["resume"] = "resume"


@dataclass(frozen=True, slots=True)
class Rating:
    """Feedback on an answer."""

    author: Person
    message: str
    good: bool
    kind: Literal["rating"] = "rating"


@dataclass(frozen=True, slots=True)
class TakeOver:
    """Somebody wants the machine's screen and keyboard, or shows that they still have them."""

    author: Person
    kind: Literal["take_over"] = "take_over"


@dataclass(frozen=True, slots=True)
class GiveBack:
    """The holder gives the machine back. `page` is the title and address its browser is on: untrusted text."""

    author: Person
    page: str = ""
    kind: Literal["give_back"] = "give_back"


Heard = Message | Edit | Delete | Press | Halt | Resume | Rating | TakeOver | GiveBack

_HEARD: TypeAdapter[Heard] = TypeAdapter(Annotated[Heard, Field(discriminator="kind")])


def dump_heard(heard: Heard) -> str:
    """An inbox payload as JSON, whatever a chat product let through in its texts."""
    try:
        return _HEARD.dump_json(heard).decode()
    except PydanticSerializationError:
        return json.dumps(wholly(asdict(heard)))


def load_heard(text: str) -> Heard:
    """The inbox payload of that JSON. Raises pydantic.ValidationError for anything else."""
    return _HEARD.validate_json(text)
