"""Keeping the beginning and the end of what a command prints.

Hides the counting: memory stays bounded however much is printed, and the reader is told how much is missing.
"""

from __future__ import annotations

from collections import deque


class Output:
    """Bytes of a command, at most `limit` of them: half from the beginning, half from the end."""

    def __init__(self, limit: int) -> None:
        self._head_room = limit - limit // 2
        self._tail_room = limit // 2
        self._head = bytearray()
        self._tail: deque[bytes] = deque()
        self._tail_size = 0
        self._dropped = 0

    def add(self, data: bytes) -> None:
        taken = data[: self._head_room - len(self._head)]
        self._head += taken
        rest = data[len(taken) :]
        if rest:
            self._tail.append(rest)
            self._tail_size += len(rest)
        while self._tail and self._tail_size - len(self._tail[0]) >= self._tail_room:
            self._tail_size -= len(self._tail[0])
            self._dropped += len(self._tail.popleft())

    def kept(self) -> tuple[bytes, int]:
        """The bytes, with a line in the gap, and how many are hidden."""
        tail = b"".join(self._tail)
        excess = max(len(tail) - self._tail_room, 0)
        hidden = self._dropped + excess
        if not hidden:
            return bytes(self._head) + tail, 0
        gap = f"\n[... {hidden:,} bytes of output are hidden here ...]\n".encode()
        return bytes(self._head) + gap + tail[excess:], hidden
