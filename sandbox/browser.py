"""The visual browser as the host sees it."""

from __future__ import annotations

from collections.abc import Awaitable, Callable

from .guest.frames import Message
from .link import Call


class Browser:
    def __init__(self, call: Callable[[Message], Awaitable[Call]]) -> None:
        self._call = call
