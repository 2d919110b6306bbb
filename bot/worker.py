"""The process's share of the work: sessions taken under a lease, kept alive, woken, and let go.

A ring only says that something may be waiting. Who may work is decided by the store's lease, which this process
renews for all its sessions at once; what was said is noticed within `NEWS` seconds even when no ring comes.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable
from typing import Protocol

from bot.store import Busy, Fenced, Lease, Store, StoreError

log = logging.getLogger(__name__)

NEWS = 0.3
"""Seconds between looks for what was said to the sessions at work here."""


class Work(Protocol):
    """A session's loop."""

    @property
    def bell(self) -> asyncio.Event: ...

    async def work(self) -> None: ...


class Job:
    """One session at work in this process."""

    def __init__(self, lease: Lease, loop: Work) -> None:
        self.lease, self.loop = lease, loop
        self.heard = 0
        self.lost = False
        self.task: asyncio.Task[None] | None = None


class Worker:
    """Runs sessions until `stop`. `nudge` is what a ring calls."""

    def __init__(self, store: Store, make: Callable[[Lease], Work], holder: str, *, lease: float, at_once: int) -> None:
        self._store, self._make, self._holder = store, make, holder
        self._lease, self._at_once = lease, at_once
        self._jobs: dict[str, Job] = {}
        self._starting: dict[str, asyncio.Task[None]] = {}
        self._backlog: dict[str, None] = {}
        self._again: set[str] = set()
        self._stopping = False

    @property
    def running(self) -> int:
        """How many sessions are at work here."""
        return len(self._starting)

    async def nudge(self, session: str) -> None:
        """Something may be waiting for this session. Returns at once."""
        if session in self._starting:
            self._again.add(session)
            if (job := self._jobs.get(session)) is not None:
                job.loop.bell.set()
        elif len(self._starting) >= self._at_once:
            self._backlog[session] = None
        elif not self._stopping:
            self._starting[session] = asyncio.create_task(self._run(session), name=f"session {session}")

    async def sweep(self) -> None:
        """Take up what nobody works on: rings that were lost, leases of the dead, deadlines."""
        free = self._at_once - len(self._starting)
        for session, _ in await self._store.due(max(free, 1) * 2):
            await self.nudge(session)
        await self._store.sweep_parked()

    async def run(self, stop: asyncio.Event) -> None:
        """Renew and listen until `stop`; then hand the sessions over."""
        tasks = [asyncio.create_task(self._renewing()), asyncio.create_task(self._listening())]
        try:
            await stop.wait()
        finally:
            self._stopping = True
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)
            await self._hand_over()

    async def _hand_over(self) -> None:
        for task in list(self._starting.values()):
            task.cancel()
        jobs = list(self._jobs.values())
        await asyncio.gather(*self._starting.values(), return_exceptions=True)
        for job in jobs:
            try:
                await asyncio.wait_for(job.lease.hand_over(), 5)
            except (StoreError, TimeoutError) as error:
                log.info("session %s was not handed over, its lease lapses by itself: %s", job.lease.session, error)

    async def _run(self, session: str) -> None:
        """Work on a session until it rests; once more if it was nudged as it ended."""
        self._again.discard(session)
        try:
            lease = await self._store.acquire(session, self._holder, self._lease)
            if isinstance(lease, Lease):
                await self._work(lease)
            elif isinstance(lease, Busy):
                self._again.discard(session)
        except Fenced as error:
            log.warning("%s", error)
        except StoreError as error:
            log.warning("session %s is left to the sweep: %s", session, error)
        finally:
            del self._starting[session]
            self._next(session)

    def _next(self, session: str) -> None:
        """Start what waited for a free place, and this session again if it was rung meanwhile."""
        if session in self._again:
            self._again.discard(session)
            self._backlog[session] = None
        while self._backlog and len(self._starting) < self._at_once and not self._stopping:
            waiting = next(iter(self._backlog))
            del self._backlog[waiting]
            self._starting[waiting] = asyncio.create_task(self._run(waiting), name=f"session {waiting}")

    async def _work(self, lease: Lease) -> None:
        job = Job(lease, self._make(lease))
        self._jobs[lease.session] = job
        job.task = asyncio.create_task(job.loop.work())
        try:
            await asyncio.shield(job.task)
        except asyncio.CancelledError:
            job.task.cancel()
            await asyncio.gather(job.task, return_exceptions=True)
            if not job.lost:
                raise
            log.warning("session %s was lost to another worker", lease.session)
        except StoreError:
            raise
        except Exception:
            log.exception("session %s failed; it is taken up again when its lease lapses", lease.session)
        finally:
            self._jobs.pop(lease.session, None)

    async def _renewing(self) -> None:
        """Prolong all leases; a session whose lease is lost is stopped at once."""
        while True:
            await asyncio.sleep(self._lease / 3)
            jobs = dict(self._jobs)
            if not jobs:
                continue
            try:
                lost = await self._store.renew({name: job.lease.fence for name, job in jobs.items()}, self._lease)
            except StoreError as error:
                log.warning("leases were not renewed: %s", error)
                continue
            for name, job in jobs.items():
                if name not in lost:
                    job.lease.renewed()
                elif job.task is not None and not job.task.done() and self._jobs.get(name) is job:
                    job.lost = True
                    job.task.cancel()

    async def _listening(self) -> None:
        """Notice what was said, for all sessions at work here in one question."""
        while True:
            await asyncio.sleep(NEWS)
            jobs = dict(self._jobs)
            if not jobs:
                continue
            try:
                heard = await self._store.news(list(jobs))
            except StoreError as error:
                log.warning("could not look for news: %s", error)
                continue
            for name, length in heard.items():
                if length > jobs[name].heard:
                    jobs[name].heard = length
                    jobs[name].loop.bell.set()
