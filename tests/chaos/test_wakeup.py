"""No wake-up is lost in the moment in which a session is let go, without a sweep or a second look to heal it."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field
from pathlib import Path

from bot.store import Lease, Store
from bot.worker import Worker
from tests.bot.store.makers import message, note, thread
from tests.support.waiting import until

WHERE = thread()
ROUNDS = 20


@dataclass
class Post:
    """Posts and rings, as the inbox does."""

    store: Store
    worker: Worker
    said: int = 0

    async def __call__(self) -> None:
        self.said += 1
        await self.store.post(WHERE, message(), f"k{self.said}", opens=True)
        await self.worker.nudge(WHERE.session)


@dataclass
class Reader:
    """A loop that reads everything and lets go; right after that, before anybody knows, somebody speaks."""

    lease: Lease
    post: Post
    bell: asyncio.Event = field(default_factory=asyncio.Event)

    async def work(self) -> None:
        while True:
            rows = await self.lease.inbox()
            if rows:
                await self.lease.append(*(note(row.key) for row in rows), consumed=rows[-1].number)
            if await self.lease.release(wake_at=None):
                break
        if self.post.said < ROUNDS:
            await self.post()


async def test_what_is_said_as_a_session_is_let_go_wakes_it_again(tmp_path: Path) -> None:
    store = await Store.open(f"sqlite:///{tmp_path}/bot.db")
    try:
        made: list[Post] = []
        worker = Worker(store, lambda lease: Reader(lease, made[0]), "w", lease=60, at_once=2)
        made.append(Post(store, worker))
        await made[0]()
        await until(lambda: worker.running == 0)
        texts = [row.entry.text for row in await store.journal(WHERE.session) if row.entry.kind == "noted"]
        assert texts == [f"k{number}" for number in range(1, ROUNDS + 1)]
    finally:
        await store.close()
