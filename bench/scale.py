"""Many sessions: memory of 200 at once in one process, 10,000 waiting ones, and the prompt's unchanged prefix."""

from __future__ import annotations

import json
import resource
import tempfile
import time
from itertools import pairwise
from pathlib import Path

from bot.heard import Message, Thread
from bot.store import Lease, Projection, Store
from tests.support.office import MARIA, Wishes, office
from tests.support.replies import Call, Turn, says
from tests.support.responses import Received

AT_ONCE = 200
WAITING = 10_000


def resident() -> int:
    """Bytes this process holds now."""
    with Path("/proc/self/statm").open() as file:
        return int(file.read().split()[1]) * resource.getpagesize()


def brain(request: Received) -> Turn:
    """Five notes, then an answer."""
    done = sum(1 for item in request.items if item.get("type") == "function_call_output")
    return says("Done.") if done >= 5 else Turn((Call("note", {"text": f"n{done}"}, f"c{done}"),))


def unchanged(before: dict[str, object], now: dict[str, object]) -> float:
    """The share of the earlier request's bytes that stand unchanged at the later one's beginning."""
    old, new = (json.dumps([one["instructions"], one["tools"], one["input"]]) for one in (before, now))
    same = next((place for place, (a, b) in enumerate(zip(old, new, strict=False)) if a != b), min(len(old), len(new)))
    return same / len(old)


async def at_once(folder: Path) -> None:
    """200 sessions in one process."""
    async with office(folder, brain, Wishes(strict=False, lease=30.0)) as work:
        before, began = resident(), time.perf_counter()
        threads = [(await work.say(MARIA, f"number {n}"))[0] for n in range(AT_ONCE)]
        most = before
        for thread in threads:
            await work.settled(thread, seconds=300)
            most = max(most, resident())
        seconds = time.perf_counter() - began
        print(f"{AT_ONCE} sessions: {(most - before) / AT_ONCE / 1024:.0f} KiB each at most, done in {seconds:.1f} s")
        by_session: dict[str, list[dict[str, object]]] = {}
        for request in work.server.requests:
            by_session.setdefault(str(request.body["prompt_cache_key"]), []).append(request.body)
        shares = [unchanged(a, b) for bodies in by_session.values() for a, b in pairwise(bodies)]
        print(f"unchanged prefix of the last request: {min(shares):.1%} at least over {len(shares)} pairs (aim 95 %)")


async def waiting(folder: Path) -> None:
    """10,000 sessions that wait: rows, no worker."""
    store = await Store.open(f"sqlite+aiosqlite:///{folder}/waiting.db")
    began = time.perf_counter()
    for number in range(WAITING):
        thread = Thread("fake", "fake", "c", str(number))
        await store.post(thread, Message(MARIA, "1", "wait", True), "k", opens=True)
        lease = await store.acquire(thread.session, "bench", 60)
        assert isinstance(lease, Lease)
        await lease.append(consumed=1)
        await lease.settle(Projection("waiting", waiting_for="Maria"), wake_at=None, unfinished=False)
        await lease.release(wake_at=None)
    made, before = time.perf_counter() - began, resident()
    began = time.perf_counter()
    due = await store.due()
    took = time.perf_counter() - began
    print(
        f"{WAITING} waiting sessions (made in {made:.0f} s): {len(due)} want a worker; "
        f"a sweep takes {took * 1000:.1f} ms"
    )
    print(f"memory they hold: {(resident() - before) / WAITING:.0f} bytes each")
    await store.close()


async def main() -> None:
    """Both."""
    with tempfile.TemporaryDirectory() as name:
        await at_once(Path(name))
        await waiting(Path(name))
