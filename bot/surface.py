"""The seam to a chat product: what sessions need of Slack, Teams or a test's fake, and nothing more."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import Literal, Protocol

from bot.heard import FileRef, Person, Thread
from bot.outgoing import Outgoing, Reply

Mark = Literal["seen", "applied", "working", "waiting", "done", "stopped", "failed"]
"""Receipts and states a surface shows as reactions or session status. `seen` and `applied` are about one message
(eyes, check mark), the others about the thread."""


class SurfaceError(Exception):
    """The chat product did not do it.

    SurfaceError
    ├── Gone        the thread, channel, message or file is no longer there, or the bot was removed: never retry
    ├── Refused     it says no to this content or call: the same call will fail again
    └── Unavailable rate limits, network, 5xx after all retries: try later (`retry_after` seconds)
    """


class Gone(SurfaceError):
    """The thread, channel, message or file is not there, or not ours to see."""


class Refused(SurfaceError):
    """The product refuses this content or call for good."""


class Unavailable(SurfaceError):
    """It may work later."""

    def __init__(self, message: str, retry_after: float = 5.0) -> None:
        super().__init__(message)
        self.retry_after = retry_after


@dataclass(frozen=True, slots=True)
class Line:
    """One message of a thread as read back, oldest first: untrusted text."""

    author: Person
    ts: str
    text: str
    files: tuple[FileRef, ...] = ()


class AnswerStream(Protocol):
    """An answer being typed live. Not for concurrent use."""

    async def append(self, delta: str) -> str:
        """Add text (Markdown). Returns the message's id, known from the first append on; "" where none stands yet."""
        ...

    async def finish(self, reply: Reply) -> str:
        """Make the message exactly `reply` (files excluded) and end the stream. Returns the message's id."""
        ...

    async def abandon(self) -> None:
        """Take back what was shown: the person changed course. Never raises."""
        ...


class Surface(Protocol):
    """A chat product. Every method may raise SurfaceError; posts are idempotent by key when told to look."""

    @property
    def name(self) -> str:
        """Its name in Thread.surface."""
        ...

    async def post(self, thread: Thread, message: Outgoing, key: str, *, look: bool = False) -> str:
        """Post into the thread; returns the message's id. Files of a Reply are uploaded into the thread after it.

        With `look`, an earlier attempt under the same key may have got through: search the thread for it first
        (also for each file) and post only what is missing.
        """
        ...

    async def update(self, thread: Thread, message: str, content: Outgoing) -> None:
        """Replace a message of ours. A StatusCard may be coalesced or dropped under rate limits, a Record not."""
        ...

    def stream(self, thread: Thread, key: str, to: Person) -> AnswerStream:
        """Start an answer that is shown while it is written."""
        ...

    async def whisper(self, thread: Thread, to: Person, text: str) -> None:
        """Tell one person privately, in the thread."""
        ...

    async def mark(self, thread: Thread, mark: Mark, ts: str = "", title: str = "") -> None:
        """Show a receipt on message `ts`, or the thread's state. Cosmetic: failures are logged, not raised."""
        ...

    def download(self, thread: Thread, file: FileRef, limit: int) -> AsyncIterator[bytes]:
        """The file's bytes; raises Refused when it is larger than `limit` bytes or is not the file."""
        ...

    async def history(self, thread: Thread, limit: int = 200) -> list[Line]:
        """The thread's newest messages, oldest first."""
        ...
