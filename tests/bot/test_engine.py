"""The bell: rings arrive, and whatever happens to Redis the process goes on, sweeps, and ends when told."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta

import pytest

from bot.engine import Engine, with_connections
from tests.support.servers import redis_server
from tests.support.waiting import DEADLINE, until, until_true


class Ear:
    """Counts what an engine delivers and how often it sweeps."""

    def __init__(self) -> None:
        self.heard: list[str] = []
        self.sweeps = 0

    async def deliver(self, session: str) -> None:
        self.heard.append(session)

    async def sweep(self) -> None:
        self.sweeps += 1


@asynccontextmanager
async def running(engine: Engine) -> AsyncGenerator[None]:
    """The engine runs; leaving waits for its end."""
    stop = asyncio.Event()
    task = asyncio.create_task(engine.run(stop))
    try:
        yield
    finally:
        stop.set()
        async with asyncio.timeout(DEADLINE):
            await task


async def test_a_ring_reaches_the_runner() -> None:
    ear = Ear()
    engine = Engine("memory://arrives", "t1", ear.deliver, ear.sweep)
    async with running(engine):
        await engine.ring("abc", 1)
        await until(lambda: ear.heard == ["abc"])


async def test_a_ring_before_the_start_is_heard_after_it() -> None:
    ear = Ear()
    engine = Engine("memory://before", "t2", ear.deliver, ear.sweep)
    await engine.ring("abc", 1)
    async with running(engine):
        await until(lambda: ear.heard == ["abc"])


async def test_a_second_message_rings_while_the_first_is_being_delivered() -> None:
    heard: list[str] = []
    first, go = asyncio.Event(), asyncio.Event()

    async def deliver(session: str) -> None:
        heard.append(session)
        first.set()
        await go.wait()

    engine = Engine("memory://twice", "t3", deliver, Ear().sweep)
    async with running(engine):
        await engine.ring("abc", 1)
        async with asyncio.timeout(DEADLINE):
            await first.wait()
        await engine.ring("abc", 2)
        await until(lambda: heard == ["abc", "abc"])
        go.set()


async def test_the_same_ring_works_again_once_it_was_heard() -> None:
    ear = Ear()
    engine = Engine("memory://again", "t4", ear.deliver, ear.sweep)
    async with running(engine):

        async def heard_thrice() -> bool:
            await engine.ring("abc", 1)
            return len(ear.heard) >= 3

        await until_true(heard_thrice)


async def test_a_ring_for_later_comes_later() -> None:
    ear = Ear()
    engine = Engine("memory://later", "t5", ear.deliver, ear.sweep)
    when = datetime.now(UTC) + timedelta(seconds=0.6)
    async with running(engine):
        await engine.ring_at("later", when)
        await engine.ring("now", 1)
        await until(lambda: ear.heard == ["now", "later"])
        assert datetime.now(UTC) >= when


async def test_a_runner_that_fails_does_not_silence_the_bell() -> None:
    heard: list[str] = []

    async def deliver(session: str) -> None:
        heard.append(session)
        if session == "bad":
            raise RuntimeError("the runner has a bug")

    engine = Engine("memory://bad", "t6", deliver, Ear().sweep)
    async with running(engine):
        await engine.ring("bad", 1)
        await until(lambda: "bad" in heard)
        await engine.ring("good", 1)
        await until(lambda: "good" in heard)


async def test_a_job_comes_round_again_even_after_it_failed() -> None:
    times = 0

    async def job() -> None:
        nonlocal times
        times += 1
        raise RuntimeError("this job fails")

    engine = Engine("memory://job", "t7", Ear().deliver, Ear().sweep)
    engine.cron("tidy", timedelta(seconds=0.2), job)
    async with running(engine):
        await until(lambda: times >= 3)
        with pytest.raises(RuntimeError, match="before it runs"):
            engine.cron("late", timedelta(seconds=1), job)


async def test_stopping_does_not_wait_for_a_job_that_hangs() -> None:
    started = asyncio.Event()

    async def job() -> None:
        started.set()
        await asyncio.Event().wait()

    engine = Engine("memory://hang", "t8", Ear().deliver, Ear().sweep)
    engine.cron("hang", timedelta(seconds=1), job)
    async with running(engine):
        async with asyncio.timeout(DEADLINE):
            await started.wait()


async def test_without_redis_the_process_looks_itself_and_sweeps() -> None:
    async with redis_server() as server:
        await server.kill()
        ear = Ear()
        engine = Engine(server.url, "t9", ear.deliver, ear.sweep)
        async with running(engine):
            await until(lambda: ear.sweeps >= 1)
            await engine.ring("abc", 1)
            assert ear.heard == ["abc"]


async def test_a_ring_without_redis_and_worker_is_no_error() -> None:
    async with redis_server() as server:
        await server.kill()
        ear = Ear()
        engine = Engine(server.url, "t10", ear.deliver, ear.sweep)
        await engine.ring("abc", 1)
        await engine.ring_at("abc", datetime.now(UTC))
        await engine.close()
        assert ear.heard == []


async def test_rings_between_processes_go_through_redis() -> None:
    async with redis_server() as server:
        ear = Ear()
        web = Engine(server.url, "t11", Ear().deliver, Ear().sweep)
        async with running(Engine(server.url, "t11", ear.deliver, ear.sweep)):
            await web.ring("abc", 7)
            await until(lambda: ear.heard == ["abc"])
        await web.close()


async def test_a_redis_that_dies_and_comes_back_is_heard_again() -> None:
    async with redis_server() as server:
        ear = Ear()
        web = Engine(server.url, "t12", Ear().deliver, Ear().sweep)
        async with running(Engine(server.url, "t12", ear.deliver, ear.sweep)):
            await web.ring("before", 1)
            await until(lambda: "before" in ear.heard)
            await server.kill()
            await web.ring("lost", 1)
            await server.start()

            async def heard() -> bool:
                await web.ring("after", 1)
                return "after" in ear.heard

            await until_true(heard)
        await web.close()


async def test_a_redis_that_hangs_keeps_nobody_from_ending() -> None:
    async with redis_server() as server:
        ear = Ear()
        engine = Engine(server.url, "t13", ear.deliver, ear.sweep)
        async with running(engine):
            await engine.ring("abc", 1)
            await until(lambda: ear.heard == ["abc"])
            server.pause()
            await engine.ring("abc", 2)  # comes back although nobody answers
            assert ear.heard == ["abc", "abc"]
        server.resume()


def test_the_pool_is_large_enough_unless_the_url_says_its_size() -> None:
    assert with_connections("redis://h:1/0", 300) == "redis://h:1/0?max_connections=300"
    assert with_connections("redis://h:1/0?max_connections=7", 300) == "redis://h:1/0?max_connections=7"
    assert with_connections("memory://", 300) == "memory://"
