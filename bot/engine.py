"""Doorbell and scheduler behind four verbs (ring, ring_at, cron, run), so that pydocket can be swapped.

Nothing that matters lives here: SQL is the truth, a ring only says "look now". A ring may be lost, doubled, late or
for a session that another process holds; the sweep, a plain timer that needs no Redis, rings again for everything
that is due. Hence ring never fails its caller, and Redis may die and come back at any time.

What a delivered ring does is to nudge this process's runner and return at once: work under a lease is no docket task,
because a worker whose Redis has died hears nothing until its tasks have ended.

Arguments travel as pickles: whoever can write to this Redis can run code here. It needs a password or TLS and no
other tenants.
"""

from __future__ import annotations

import asyncio
import os
import secrets
import socket
import time
from collections.abc import Awaitable, Callable
from contextlib import suppress
from datetime import datetime, timedelta
from typing import Any
from urllib.parse import parse_qsl, urlencode, urlsplit, urlunsplit

import structlog
from docket import Docket, Execution, Perpetual, Worker
from docket.dependencies import CurrentExecution

SWEEP_SECONDS = 5.0
SWEEP_LIMIT = 60.0
RING_LIMIT = 1.0
"""Seconds that a caller waits for the bell: a webhook has three to answer in."""
DEAF_SECONDS = 2.0
"""After a ring that failed, for how long no other is tried."""
DELIVER_LIMIT = 5.0
CRON_LIMIT = 55.0
END_SECONDS = 3.0

Deliver = Callable[[str], Awaitable[None]]
Job = Callable[[], Awaitable[None]]

_log: structlog.stdlib.BoundLogger = structlog.get_logger("engine")


class UnknownTask(Exception):
    """A ring of another version of the program, which this one cannot answer."""


class Engine:
    """`deliver` is told which session to look at; `sweep` rings for all that is due. Both are to return soon.

    `url` is memory:// (one process only) or redis://, rediss://, unix://, redis+sentinel://. `name` keeps several
    installations on one Redis apart. `concurrency`: rings answered at the same time.
    """

    def __init__(self, url: str, name: str, deliver: Deliver, sweep: Job, concurrency: int = 100) -> None:
        self._url = with_connections(url, 2 * concurrency + 100)
        self._name = name
        self._deliver = deliver
        self._sweep = sweep
        self._concurrency = concurrency
        self._jobs: dict[str, tuple[timedelta, Job]] = {}
        self._bell: Docket | None = None
        self._opening = asyncio.Lock()
        self._deaf_until = 0.0
        self._running = False
        self._inside: set[asyncio.Task[Any]] = set()

    async def ring(self, session: str, number: int) -> None:
        """Somebody should look at the session's inbox, which has `number` messages. Never raises.

        Where the bell is broken, this process looks itself; if it runs no worker, the sweep of one that does.
        """
        if not await self._add(f"msg:{session}:{number}", session, None) and self._running:
            await self._wake(session)

    async def ring_at(self, session: str, when: datetime) -> None:
        """Somebody should look at the session at `when` (aware). Never raises."""
        await self._add(f"at:{session}:{int(when.timestamp() * 1000)}", session, when)

    def cron(self, name: str, every: timedelta, fn: Job) -> None:
        """Run `fn` every so often, in one of the processes, for 55 s at most. To be called before `run`.

        Ticks missed while Redis or all workers are down are not made up for.
        """
        if self._running:
            raise RuntimeError("Give the engine its crons before it runs.")
        self._jobs[name] = (every, fn)

    async def run(self, stop: asyncio.Event) -> None:
        """Answer rings and sweep until `stop` is set; ends within seconds of it whatever Redis does."""
        self._running = True
        sweeping = asyncio.create_task(self._sweeping(), name="engine sweep")
        working = asyncio.create_task(self._working(stop), name="engine work")
        try:
            await stop.wait()
        finally:
            self._running = False
            stop.set()
            for task in self._inside:
                task.cancel()
            await _end(sweeping)
            await _end(working, patience=3 * END_SECONDS, insist=False)
            await self.close()

    async def close(self) -> None:
        """Let go of the bell. `run` does it; a process that only rings must do it itself."""
        bell, self._bell = self._bell, None
        if bell is not None:
            await _end(asyncio.create_task(bell.__aexit__(None, None, None)), insist=False)

    async def _add(self, key: str, session: str, when: datetime | None) -> bool:
        if time.monotonic() < self._deaf_until:
            return False
        try:
            async with asyncio.timeout(RING_LIMIT):
                bell = self._bell or await self._open()
                await bell.add("wake", when=when, key=key)(session)
        except Exception as error:  # noqa: BLE001 (whatever is wrong with the bell, the sweep heals it)
            self._deaf_until = time.monotonic() + DEAF_SECONDS
            _log.warning("engine.ring_failed", session=session, error=type(error).__name__)
            return False
        return True

    async def _open(self) -> Docket:
        async with self._opening:
            if self._bell is None:
                bell = self._docket()
                await bell.__aenter__()
                self._bell = bell
            return self._bell

    def _docket(self) -> Docket:
        # No memory of finished rings: the same ring must be possible again at once.
        docket = Docket(name=self._name, url=self._url, execution_ttl=timedelta(0))
        docket.register(self._wake, names=["wake"])
        return docket

    async def _wake(self, session: str) -> None:
        try:
            async with asyncio.timeout(DELIVER_LIMIT):
                await self._deliver(session)
        except Exception:  # noqa: BLE001 (one session's trouble is not the bell's)
            _log.exception("engine.deliver_failed", session=session)

    async def _sweeping(self) -> None:
        while True:
            try:
                async with asyncio.timeout(SWEEP_LIMIT):
                    await self._sweep()
            except Exception:  # noqa: BLE001 (the next sweep may well work)
                _log.exception("engine.sweep_failed")
            await asyncio.sleep(SWEEP_SECONDS)

    async def _working(self, stop: asyncio.Event) -> None:
        """Keep a docket worker going, whatever ends it."""
        stopped = asyncio.create_task(stop.wait())
        pause = 0.5
        while not stop.is_set():
            began = time.monotonic()
            serving = asyncio.create_task(self._serve(), name="engine worker")
            await asyncio.wait({serving, stopped}, return_when=asyncio.FIRST_COMPLETED)
            if not serving.done():
                await _end(serving)
                break
            error = None if serving.cancelled() else serving.exception()
            _log.error("engine.worker_ended", error=repr(error), pause=pause, exc_info=error)
            await asyncio.wait({stopped}, timeout=pause)
            pause = 0.5 if time.monotonic() - began > 30 else min(2 * pause, 10.0)
        stopped.cancel()

    async def _serve(self) -> None:
        async with self._docket() as docket:
            for name, (every, fn) in self._jobs.items():
                docket.register(self._job(name, every, fn))
            worker = Worker(
                docket,
                name=f"{socket.gethostname()}#{os.getpid()}#{secrets.token_hex(3)}",
                concurrency=self._concurrency,
                redelivery_timeout=timedelta(seconds=5),
                reconnection_delay=timedelta(seconds=1),
                minimum_check_interval=timedelta(milliseconds=100),
                fallback_task=_unknown,
            )
            async with worker:
                await worker.run_forever()

    def _job(self, name: str, every: timedelta, fn: Job) -> Callable[..., Awaitable[None]]:
        async def job(perpetual: Perpetual = Perpetual(every=every, automatic=True)) -> None:  # noqa: B008
            task = asyncio.ensure_future(fn())
            self._inside.add(task)
            try:
                async with asyncio.timeout(CRON_LIMIT):
                    await task
            except Exception:  # noqa: BLE001 (it comes round again)
                _log.exception("engine.cron_failed", name=name)
            finally:
                self._inside.discard(task)

        job.__name__ = f"cron_{name}"
        return job


async def _unknown(*args: Any, execution: Execution = CurrentExecution(), **kwargs: Any) -> None:  # noqa: B008
    _log.error("engine.unknown_task", name=execution.function_name)
    raise UnknownTask(
        f"No version of this program running here knows '{execution.function_name}'. Are two versions "
        "sharing one Redis? Upgrade all processes; the sweep sees to what is left."
    )


async def _end(task: asyncio.Task[Any], *, patience: float = END_SECONDS, insist: bool = True) -> None:
    """Wait for the task to end, for a bounded time; with `insist` cancel it first, and in the end in any case."""
    if insist:
        task.cancel()
    await asyncio.wait({task}, timeout=patience)
    if not task.done():
        task.cancel()
        await asyncio.wait({task}, timeout=1.0)
    if not task.done():
        _log.warning("engine.abandoned", task=task.get_name())
    else:
        with suppress(asyncio.CancelledError, Exception):
            task.result()


def with_connections(url: str, least: int) -> str:
    """The Redis URL with a connection pool that is large enough, unless it says itself how large."""
    parts = urlsplit(url)
    if parts.scheme == "memory":
        return url
    query = dict(parse_qsl(parts.query))
    query.setdefault("max_connections", str(max(200, least)))
    return urlunsplit(parts._replace(query=urlencode(query)))
