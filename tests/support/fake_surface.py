"""A chat product in memory: a peer of the real surfaces, held to the same conformance suite.

It keeps what people would see, message by message, so that a test reads a thread the way a person does. Troubles are
asked for by name: `cuts` take effect and then lose the connection, `failures` refuse before any effect.
"""

# The stream below is a part of the surface, split off only because it is an object of its own.
# pyright: reportPrivateUsage=false

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, field
from typing import Literal, TypeVar

from bot.entries import Deliverable
from bot.heard import FileRef, Message, Person, Thread
from bot.outgoing import Confirmation, Outgoing, Question, Record, Reply, StatusCard
from bot.surface import AnswerStream, Gone, Line, Mark, Refused, SurfaceError, Unavailable

BOT = Person("fake/bot", "Threadhand", "bot")
Effect = Literal["post", "file", "update", "append", "finish", "whisper"]
T = TypeVar("T")


def plain(content: Outgoing) -> str:
    """Everything a person reads of that content, in one text."""
    match content:
        case StatusCard():
            lines = [content.goal, *(f"{s.state} {s.title} {s.details}".strip() for s in content.steps)]
            lines += [content.headline, content.note, content.footer, content.watch]
        case Reply():
            lines = [f"@{content.to.name} {content.text}" if content.to else content.text]
        case Question():
            lines = [f"@{content.to.name}", *(f"{q.text} {' / '.join(q.options)}" for q in content.questions)]
            lines.append(content.deadline)
        case Confirmation():
            card = content.card
            lines = [f"@{content.to.name}", card.heading]
            lines += [f"{f.label}: {f.value} {f.origin}".strip() for f in card.facts]
            lines += [card.quote, card.hidden, card.undo, card.why, f"{card.yes} / {card.no}", content.only]
        case Record():
            lines = [content.title, content.outcome, content.body]
    return "\n".join(line for line in lines if line)


@dataclass(slots=True)
class Shown:
    """One message as it stands in a thread. `key` is empty where a crash left a stream unfinished."""

    ts: str
    author: Person
    text: str
    content: Outgoing | None = None
    key: str = ""
    files: tuple[Deliverable, ...] = ()
    attached: tuple[FileRef, ...] = ()
    streaming: bool = False
    versions: list[Outgoing] = field(default_factory=list[Outgoing])
    """Every content it has had, oldest first."""


@dataclass(frozen=True, slots=True)
class Whisper:
    """Something only `to` could read."""

    thread: Thread
    to: Person
    text: str


@dataclass(frozen=True, slots=True)
class Marked:
    """A receipt or state that was shown."""

    thread: Thread
    mark: Mark
    ts: str
    title: str


class FakeSurface:
    """Implements bot.surface.Surface. `say` and `attach` are what people do; `seen` and `until` read back."""

    def __init__(self, name: str = "fake") -> None:
        self._name = name
        self._clock = 1000
        self._threads: dict[str, list[Shown]] = {}
        self._bytes: dict[str, bytes] = {}
        self._changed = asyncio.Condition()
        self.whispers: list[Whisper] = []
        self.marks: list[Marked] = []
        self.cuts: deque[Effect] = deque()
        """Names of effects: the next one of that name happens, then its call raises Unavailable."""
        self.failures: deque[tuple[Effect, SurfaceError]] = deque()
        """The next effect of that name does not happen; its call raises this error."""

    # What people do, and how a test looks.

    def thread(self, channel: str = "general", workspace: str = "fake") -> Thread:
        """A new thread, still empty; its first message has the thread's root as its id."""
        return Thread(self._name, workspace, channel, self._tick())

    def say(
        self, thread: Thread, author: Person, text: str, files: tuple[FileRef, ...] = (), *, addressed: bool = True
    ) -> Message:
        """Somebody writes in the thread. Returns what an inbox would be given.

        Text that begins with '@' and is not addressed to the bot is taken as said to somebody else.
        """
        shown = self._threads.setdefault(thread.session, [])
        ts = self._tick() if shown else thread.root
        shown.append(Shown(ts, author, text, attached=files))
        return Message(author, ts, text, addressed, text.startswith("@") and not addressed, files)

    def attach(self, name: str, data: bytes, mime: str = "application/octet-stream") -> FileRef:
        """A file somebody can attach."""
        ident = self._tick()
        self._bytes[ident] = data
        return FileRef(f"F{ident}", name, mime, len(data), ident)

    def seen(self, thread: Thread, *, mine: bool = True) -> list[Shown]:
        """The thread's messages as they stand, oldest first; with `mine` only the bot's."""
        return [m for m in self._threads.get(thread.session, []) if not mine or m.author == BOT]

    def texts(self, thread: Thread) -> list[str]:
        """What a person reads of the bot's messages."""
        return [m.text for m in self.seen(thread)]

    def files(self, thread: Thread) -> list[Deliverable]:
        """All files the bot handed over in the thread."""
        return [f for m in self.seen(thread) for f in m.files]

    async def until(self, find: Callable[[], T | None], seconds: float = 30.0) -> T:
        """Wait until `find` gives something true, looked at after every change. Raises TimeoutError."""
        async with asyncio.timeout(seconds), self._changed:
            while not (found := find()):
                await self._changed.wait()
            return found

    # The Surface protocol.

    @property
    def name(self) -> str:
        return self._name

    async def post(self, thread: Thread, message: Outgoing, key: str, *, look: bool = False) -> str:
        standing = self._find(thread, message, key) if look else None
        if standing is None:
            self._before("post")
            standing = self._put(thread, Shown(self._tick(), BOT, "", key=key), message)
            await self._after("post")
        else:
            standing.key = key
            if standing.content != message:
                await self._replace("update", standing, message)
        for file in message.files if isinstance(message, Reply) else ():
            if look and self._has(thread, standing, file):
                continue
            self._before("file")
            self._threads[thread.session].append(Shown(self._tick(), BOT, "", files=(file,)))
            await self._after("file")
        return standing.ts

    async def update(self, thread: Thread, message: str, content: Outgoing) -> None:
        found = next((m for m in self.seen(thread) if m.ts == message), None)
        if found is None:
            raise Gone("That message is not in the thread any more.")
        if found.streaming:
            raise Refused("A message that is still being streamed cannot be edited.")
        await self._replace("update", found, content)

    def stream(self, thread: Thread, key: str, to: Person) -> AnswerStream:
        return _FakeStream(self, thread, key)

    async def whisper(self, thread: Thread, to: Person, text: str) -> None:
        self._before("whisper")
        self.whispers.append(Whisper(thread, to, text))
        await self._after("whisper")

    async def mark(self, thread: Thread, mark: Mark, ts: str = "", title: str = "") -> None:
        self.marks.append(Marked(thread, mark, ts, title))
        await self._notify()

    async def download(self, thread: Thread, file: FileRef, limit: int) -> AsyncIterator[bytes]:
        data = self._bytes.get(file.locator)
        if data is None:
            raise Gone(f"{file.name} is no longer there.")
        if len(data) > limit:
            raise Refused(f"{file.name} has {len(data)} bytes; at most {limit} are taken.")
        for start in range(0, len(data), 65536):
            yield data[start : start + 65536]

    async def history(self, thread: Thread, limit: int = 200) -> list[Line]:
        shown = self._threads.get(thread.session, [])[-limit:]
        return [Line(m.author, m.ts, m.text, m.attached) for m in shown]

    # What it is made of.

    def _tick(self) -> str:
        self._clock += 1
        return f"{self._clock:010}"

    def _before(self, effect: Effect) -> None:
        for index, (name, error) in enumerate(self.failures):
            if name == effect:
                del self.failures[index]
                raise error

    async def _after(self, effect: Effect) -> None:
        await self._notify()
        if effect in self.cuts:
            self.cuts.remove(effect)
            raise Unavailable("The connection was lost before the answer came.", retry_after=0.01)

    async def _notify(self) -> None:
        async with self._changed:
            self._changed.notify_all()

    def _put(self, thread: Thread, shown: Shown, content: Outgoing) -> Shown:
        shown.content, shown.text = content, plain(content)
        shown.versions.append(content)
        self._threads.setdefault(thread.session, []).append(shown)
        return shown

    async def _replace(self, effect: Effect, shown: Shown, content: Outgoing) -> None:
        self._before(effect)
        shown.content, shown.text, shown.streaming = content, plain(content), False
        shown.versions.append(content)
        await self._after(effect)

    def _find(self, thread: Thread, message: Outgoing, key: str) -> Shown | None:
        mine = [m for m in self.seen(thread) if not m.files]
        for shown in mine:
            if shown.key == key:
                return shown
        last = mine[-1] if mine else None
        orphan = isinstance(message, Reply) and last is not None and not last.key
        return last if orphan else None

    def _has(self, thread: Thread, after: Shown, file: Deliverable) -> bool:
        later = [m for m in self.seen(thread) if m.ts > after.ts]
        return any((f.name, f.size) == (file.name, file.size) for m in later for f in m.files)


class _FakeStream:
    def __init__(self, surface: FakeSurface, thread: Thread, key: str) -> None:
        self._surface, self._thread, self._key = surface, thread, key
        self._text = ""
        self._shown: Shown | None = None

    async def append(self, delta: str) -> str:
        self._text += delta
        surface = self._surface
        surface._before("append")
        if self._shown is None:
            fresh = Shown(surface._tick(), BOT, "", streaming=True)
            self._shown = surface._put(self._thread, fresh, Reply(self._text))
        else:
            self._shown.content, self._shown.text = Reply(self._text), self._text
        await surface._after("append")
        return self._shown.ts

    async def finish(self, reply: Reply) -> str:
        bare = Reply(reply.text, (), reply.to, reply.feedback, reply.resume)
        if self._shown is None:
            return await self._surface.post(self._thread, bare, self._key)
        self._shown.key = self._key
        await self._surface._replace("finish", self._shown, bare)
        return self._shown.ts

    async def abandon(self) -> None:
        if self._shown is not None:
            self._surface._threads[self._thread.session].remove(self._shown)
            self._shown = None
            await self._surface._notify()
