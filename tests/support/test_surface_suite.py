"""The fake surface passes what the real ones must."""

from __future__ import annotations

import hashlib
from collections.abc import Awaitable, Callable

import pytest

from bot.entries import Deliverable
from bot.heard import FileRef, Person, Thread
from bot.surface import Unavailable
from tests.support.fake_surface import FakeSurface
from tests.support.surface_suite import CHECKS, Bench, Lost, Shown
from tests.support.waiting import until_true

MARIA = Person("fake/maria", "Maria")


class FakeBench:
    """People around a FakeSurface."""

    def __init__(self) -> None:
        self.surface = FakeSurface()
        self.person = MARIA

    async def thread(self, text: str) -> Thread:
        thread = self.surface.thread()
        self.surface.say(thread, MARIA, text)
        return thread

    async def say(self, thread: Thread, text: str, file: tuple[str, bytes] | None = None) -> tuple[str, FileRef | None]:
        attached = (self.surface.attach(*file),) if file else ()
        said = self.surface.say(thread, MARIA, text, attached)
        return said.ts, attached[0] if attached else None

    async def shown(self, thread: Thread) -> list[Shown]:
        return [Shown(m.ts, m.text, tuple(f.name for f in m.files)) for m in self.surface.seen(thread)]

    async def whispers(self, thread: Thread) -> list[str]:
        return [w.text for w in self.surface.whispers if w.thread == thread]

    async def lose(self, what: Lost) -> None:
        self.surface.cuts.append(what)

    async def refuse(self, what: Lost) -> None:
        self.surface.failures.append((what, Unavailable("The playground of this test is closed.", 0.01)))

    def deliverable(self, name: str, data: bytes) -> Deliverable:
        return Deliverable(name, hashlib.sha256(data).hexdigest(), len(data), "application/octet-stream")

    async def until(self, condition: Callable[[], Awaitable[bool]]) -> None:
        await until_true(condition)


@pytest.mark.parametrize("check", CHECKS, ids=lambda check: check.__name__)
async def test_the_fake_surface(check: Callable[[Bench], Awaitable[None]]) -> None:
    await check(FakeBench())
