"""Processes that share a store, and die: run as `python -m tests.bot.store.nursery WHAT URL COUNT [SESSION LOG]`.

What takes long, importing, is done once; each child is a fork of a process that has never opened a connection.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import random
import signal
import sys
import time
from collections.abc import Awaitable, Callable
from pathlib import Path

from bot.heard import Thread
from bot.store import Busy, Fenced, Lease, Spend, Store
from tests.bot.store.makers import message, note

WHERE = Thread("slack", "T1", "C1", "nursery")
BATCH = 3
"""Entries that a worker writes for each message, in one append."""
ROUNDS = 12
"""Times that each racer takes the session."""

Child = Callable[[], Awaitable[None]]


def fork(child: Child) -> int:
    """Run `child` in a process of its own; returns its pid."""
    pid = os.fork()
    if pid:
        return pid
    code = 1
    with contextlib.suppress(BaseException):
        try:
            asyncio.run(_run(child))
            code = 0
        except BaseException as error:
            print(f"child failed: {error!r}", file=sys.stderr, flush=True)
            raise
    os._exit(code)


async def _run(child: Child) -> None:
    await child()


def wait(pid: int) -> int:
    """The child's exit code; negative: the signal that ended it."""
    return os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])


async def migrate(url: str) -> None:
    """Open the store, as any process does at its start."""
    await (await Store.open(url)).close()


async def take(store: Store, seconds: float) -> Lease:
    """Wait for the session."""
    while True:
        lease = await store.acquire(WHERE.session, str(os.getpid()), seconds)
        if isinstance(lease, Lease):
            return lease
        assert isinstance(lease, Busy)
        await asyncio.sleep(0.01)


async def race(url: str) -> None:
    """Take the session again and again; each time write who had it under which fence, and let go."""
    store = await Store.open(url, migrate=False)
    for _ in range(ROUNDS):
        lease = await take(store, 30)
        await lease.append(note(f"{lease.fence} begins"))
        await asyncio.sleep(0)
        await lease.append(note(f"{lease.fence} ends"), consumed=1)
        assert await lease.release(wake_at=None)
    await store.close()


async def work(url: str, log: Path, *, forever: bool) -> None:
    """Post messages and answer for their receipt in `log`; read them into the journal in groups; until killed."""
    store = await Store.open(url, migrate=False)
    file = os.open(log, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)
    posting = asyncio.create_task(_post(store, file))
    while True:
        with contextlib.suppress(Fenced):
            lease = await take(store, 0.15)
            while True:
                rows = await lease.inbox()
                for row in rows:
                    entries = [note(f"{row.key} {part}") for part in range(BATCH)]
                    await lease.append(*entries, consumed=row.number, spend=Spend(1, 1))
                if await lease.release(wake_at=None):
                    break
        if not forever:
            break
        await asyncio.sleep(0)
    posting.cancel()
    await asyncio.wait({posting})
    await store.close()


async def _post(store: Store, file: int) -> None:
    number = 0
    while True:
        key = f"{os.getpid()}-{number}"
        await store.post(WHERE, message(), key, opens=True)
        os.write(file, f"{key}\n".encode())
        if number % 5 == 0:
            await store.post(WHERE, message(), key, opens=True)
        number += 1
        await asyncio.sleep(0.002)


async def drain(url: str) -> None:
    """What a worker does after all the others have died."""
    store = await Store.open(url, migrate=False)
    lease = await take(store, 30)
    for row in await lease.inbox():
        entries = [note(f"{row.key} {part}") for part in range(BATCH)]
        await lease.append(*entries, consumed=row.number, spend=Spend(1, 1))
    assert await lease.release(wake_at=None)
    await store.close()


def grows(log: Path) -> None:
    """Wait until somebody has posted something more."""
    size, deadline = log.stat().st_size, time.monotonic() + 30
    while log.stat().st_size == size:
        assert time.monotonic() < deadline, "nobody posts any more"
        time.sleep(0.002)


def crash(url: str, log: Path, count: int) -> None:
    """Let two workers go at it and kill -9 one of them at a random moment, `count` times."""
    log.touch()
    chance = random.Random(count)
    alive = [fork(lambda: work(url, log, forever=True)) for _ in range(2)]
    for _ in range(count):
        grows(log)
        time.sleep(chance.uniform(0, 0.2))
        os.kill(alive[0], signal.SIGKILL)
        assert wait(alive.pop(0)) == -signal.SIGKILL
        alive.append(fork(lambda: work(url, log, forever=True)))
    for pid in alive:
        os.kill(pid, signal.SIGKILL)
        wait(pid)
    assert wait(fork(lambda: drain(url))) == 0


def main(what: str, url: str, count: int, log: str = "") -> None:
    """Do `what` with `count` processes or deaths."""
    match what:
        case "migrate":
            pids = [fork(lambda: migrate(url)) for _ in range(count)]
            assert [wait(pid) for pid in pids] == [0] * count
        case "race":
            pids = [fork(lambda: race(url)) for _ in range(count)]
            assert [wait(pid) for pid in pids] == [0] * count
        case "crash":
            crash(url, Path(log), count)
        case other:
            raise SystemExit(f"unknown: {other}")


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2], int(sys.argv[3]), *sys.argv[4:])
