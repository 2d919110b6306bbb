"""How fast a journal is written: appends and posts a second, as ratios to raw inserts made in the same run.

    python -m bench.journal [URL of a PostgreSQL database]

The raw peer does what any durable log on SQLite must: one transaction and one commit to disk for each row.
"""

from __future__ import annotations

import asyncio
import json
import sys
import tempfile
import time
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime
from pathlib import Path

import aiosqlite

from bot.entries import Noted
from bot.heard import Message, Person, Thread
from bot.store import Lease, Store

COUNT = 300
AT = datetime.now(UTC)
TEXT = "a line of about a hundred characters, as the entries of a journal often are, give or take a few."
ANN = Person("T1/U1", "Ann")


async def rate(step: Callable[[int], Awaitable[object]], count: int = COUNT) -> float:
    """Steps a second, one after the other."""
    began = time.perf_counter()
    for number in range(count):
        await step(number)
    return count / (time.perf_counter() - began)


async def burst(step: Callable[[int], Awaitable[object]], count: int = 200) -> float:
    """Steps a second, all at once."""
    began = time.perf_counter()
    await asyncio.gather(*(step(number) for number in range(count)))
    return count / (time.perf_counter() - began)


async def raw(folder: Path) -> float:
    """Inserts a second of aiosqlite alone, each committed to disk."""
    async with aiosqlite.connect(folder / "raw.db", isolation_level=None) as database:
        await database.execute("PRAGMA journal_mode=WAL")
        await database.execute("PRAGMA synchronous=FULL")
        await database.execute("CREATE TABLE journal (session TEXT, number INTEGER, entry TEXT, hash TEXT)")

        async def step(number: int) -> None:
            await database.execute("BEGIN IMMEDIATE")
            await database.execute("INSERT INTO journal VALUES (?, ?, ?, ?)", ("s", number, TEXT, "0" * 64))
            await database.execute("COMMIT")

        return await rate(step)


async def ours(url: str) -> dict[str, float]:
    """Appends and posts a second of the store."""
    store = await Store.open(url)
    thread = Thread("bench", "T1", "C1", str(time.time()))

    async def post(number: int) -> None:
        await store.post(thread, Message(ANN, str(number), TEXT, addressed=True), f"k{number}", opens=True)

    async def mention(number: int) -> None:
        where = Thread("bench", "T1", "C2", f"{time.time()} {number}")
        await store.post(where, Message(ANN, str(number), TEXT, addressed=True), "k", opens=True)

    await post(0)
    lease = await store.acquire(thread.session, "bench", 600)
    assert isinstance(lease, Lease)
    figures = {
        "appends": await rate(lambda _: lease.append(Noted(AT, TEXT))),
        "posts": await rate(lambda number: post(number + 1)),
        "mentions in a burst": await burst(mention),
    }
    await store.close()
    return figures


async def main(urls: list[str]) -> None:
    """Print one line of JSON a figure."""
    with tempfile.TemporaryDirectory(prefix="journal-") as folder:
        peer = await raw(Path(folder))
        print(json.dumps({"what": "raw aiosqlite inserts a second", "rate": round(peer)}))
        for url in (f"sqlite:///{folder}/bot.db", *urls):
            for what, figure in (await ours(url)).items():
                name = f"{what}, {url.partition(':')[0]}"
                print(json.dumps({"what": name, "rate": round(figure), "ratio": round(figure / peer, 2)}))


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1:]))
