"""Everything goes wrong at once, for hundreds of messages: each is answered exactly once all the same.

One ring in twenty is not heard; the others are lost by what really loses them: with memory:// every kill forgets them,
with Redis it is flushed and killed.
"""

from __future__ import annotations

import asyncio
import sys
from collections.abc import AsyncGenerator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest

from bot.playground import Driver, Limits
from bot.store import Store
from tests.chaos.ledger import Ledger
from tests.chaos.talk import Talk
from tests.chaos.trouble import Blow, Killer, mixed, strike
from tests.support.deployment import Deployment, deployment
from tests.support.echo import echo
from tests.support.playground import playground
from tests.support.responses import ResponsesServer
from tests.support.servers import postgres_server, redis_server

pytestmark = [pytest.mark.storm, pytest.mark.timeout(420)]

LEASE = 4.0
DEAF = (sys.executable, "-m", "tests.chaos.deaf")
PAUSE = 6.0
"""Longer than the lease: somebody else has the session when the sleeper goes on."""
PATIENT = Limits(rates=False, ack_seconds=10.0, retry_seconds=(0.5, 2.0, 4.0, 8.0) + (15.0,) * 12)
"""The workspace waits and tries long enough for an app that is down again and again, and does not run it over."""
STORM_SECONDS = 300.0
QUIET_SECONDS = 90.0


@dataclass(frozen=True, slots=True)
class World:
    """A workspace, a deployment that is not started yet, and the people."""

    driver: Driver
    deployed: Deployment
    talk: Talk


@asynccontextmanager
async def world(folder: Path, messages: int, **more: str) -> AsyncGenerator[World]:
    """The world before the storm."""
    async with playground(PATIENT) as slack, ResponsesServer(echo) as model:
        environment = {
            "SLACK_BOT_TOKEN": slack.bot_token,
            "SLACK_APP_TOKEN": slack.app_token,
            "SLACK_API_URL": slack.api_url,
            "OPENAI_BASE_URL": model.url,
            "OPENAI_API_KEY": "sk-test-not-real",
            "THREADHAND_LEASE_SECONDS": str(LEASE),
            "THREADHAND_SLACK_RATE": "1000",
            **more,
        }
        async with deployment(folder, environment, DEAF) as deployed:
            yield World(slack.driver, deployed, Talk(slack.driver, messages, seed=11))


@asynccontextmanager
async def opened(url: str) -> AsyncGenerator[Store]:
    """The deployment's store, to read what became of everything."""
    store = await Store.open(url)
    try:
        yield store
    finally:
        await store.close()


async def storm(here: World, blows: Sequence[Blow]) -> None:
    """Talk while the blows fall and Slack misbehaves; return when everything was said and suffered."""
    await here.driver.chaos(duplicates=0.2, delays=0.3, longest_delay=0.6, calls=0.03, seed=5)
    try:
        async with asyncio.timeout(STORM_SECONDS), here.talk.watched(), asyncio.TaskGroup() as group:
            group.create_task(here.talk.say_all())
            group.create_task(strike(here.talk, blows, here.talk.total - 30))
    except TimeoutError:
        said = f"{here.talk.said} said, {len(here.talk.answered)} answered after {STORM_SECONDS:.0f} s"
        raise AssertionError(f"{said}\n{here.deployed.logs()[-3000:]}") from None
    await here.driver.chaos(calm=True)


async def test_one_process_on_sqlite_answers_everything_once(tmp_path: Path) -> None:
    async with world(tmp_path, 500) as here:
        serve = here.deployed.add()
        await serve.start()
        await serve.healthy()
        killer = Killer([serve])
        await storm(here, mixed([killer.kill] * 25, [killer.pause(PAUSE)] * 2, [here.driver.drop_sockets] * 5))
        async with opened(f"sqlite:///{tmp_path}/data/threadhand.db") as store:
            await Ledger(here.talk, here.driver, store).settle(QUIET_SECONDS)
        assert killer.kills == 25
        assert await serve.end() == 0


async def test_a_web_process_and_three_workers_on_postgresql_and_redis_answer_everything_once(tmp_path: Path) -> None:
    async with postgres_server(connections=120) as postgres, redis_server() as redis, opened(postgres.url) as store:
        shared = {"THREADHAND_DATABASE_URL": postgres.url, "THREADHAND_REDIS_URL": redis.url}
        async with world(tmp_path, 500, **shared) as here:
            web = here.deployed.add("web")
            workers = [here.deployed.add("worker") for _ in range(3)]
            for process in (web, *workers):
                await process.start()
            await web.healthy()
            killer, sleeper = Killer([*workers, *workers, web]), Killer(workers)
            lost: list[Blow] = [postgres.restart, redis.restart, postgres.restart, redis.restart]
            forgotten: list[Blow] = [redis.forget] * 12
            drops: list[Blow] = [here.driver.drop_sockets] * 4
            await storm(here, mixed([killer.kill] * 25, [sleeper.pause(PAUSE)] * 4, lost, forgotten, drops))
            await Ledger(here.talk, here.driver, store).settle(QUIET_SECONDS)
            assert killer.kills == 25
            assert [await process.end() for process in (web, *workers)] == [0, 0, 0, 0]
