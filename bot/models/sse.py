"""Server-sent events from bytes: what a stream of the Responses API is made of, read liberally.

The SDK's own reader hides whether a stream ended with "[DONE]" or just stopped, builds types that servers with a
partial API don't fill, and can't see that an answer is plain JSON; so the bytes are read here.
"""

from __future__ import annotations

from dataclasses import dataclass, field

LIMIT = 32 * 1024 * 1024
"""Bytes of one line, event or answer. More isn't a reply any more, whatever it is."""


class Unreadable(Exception):
    """The bytes aren't a stream of events, or one event is absurdly long."""


@dataclass(frozen=True, slots=True)
class Event:
    """One event: its name, "" where the server gives none, and its data."""

    name: str
    data: str


@dataclass(slots=True)
class Decoder:
    """Feed it bytes as they come. Lines end at LF or CRLF only: JSON may hold the other Unicode separators."""

    _rest: bytearray = field(default_factory=bytearray)
    _name: str = ""
    _data: list[str] = field(default_factory=list[str])
    _size: int = 0

    def feed(self, chunk: bytes) -> list[Event]:
        """The events that `chunk` completes. Raises Unreadable."""
        found: list[Event] = []
        *lines, rest = chunk.split(b"\n")
        for line in lines:
            found += self._line(bytes(self._rest + line))
            self._rest.clear()
        self._rest += rest
        if len(self._rest) + self._size > LIMIT:
            raise Unreadable("one event is larger than 32 MB")
        return found

    def finish(self) -> list[Event]:
        """The event that the end of the stream completes, if any: some servers forget the last empty line."""
        found = self._line(bytes(self._rest)) if self._rest else []
        self._rest.clear()
        return found + self._flush()

    def _line(self, raw: bytes) -> list[Event]:
        try:
            line = raw.removesuffix(b"\r").decode()
        except UnicodeDecodeError as error:
            raise Unreadable("the text isn't UTF-8") from error
        if not line:
            return self._flush()
        head, _, value = line.partition(":")
        if head == "data":
            self._data.append(value.removeprefix(" "))
            self._size += len(value)
        elif head == "event":
            self._name = value.strip()
        return []

    def _flush(self) -> list[Event]:
        found = [Event(self._name, "\n".join(self._data))] if self._data else []
        self._name, self._size = "", 0
        self._data.clear()
        return found
