"""play, serve, web, worker: the commands that run until they are stopped."""

from __future__ import annotations

import asyncio
import logging

from bot.ending import ENDING

log = logging.getLogger(__name__)


def play() -> None:
    """Try it here: a local workspace in the browser, everything in one process, no accounts."""
    _run(web=True, worker=True, play=True)


def serve() -> None:
    """Run it: web server and worker in one process."""
    _run(web=True, worker=True)


def web() -> None:
    """Run the web server alone; workers run elsewhere (needs PostgreSQL and Redis)."""
    _run(web=True, worker=False)


def worker() -> None:
    """Run a worker alone (needs PostgreSQL and Redis)."""
    _run(web=False, worker=True)


def _run(*, web: bool, worker: bool, play: bool = False) -> None:
    from bot.commands.start import read_deployment

    ENDING.watch()

    deployment = read_deployment()  # first: a wrong setting is reported before anything heavy is loaded
    from bot.app import serve as run

    if web != worker and deployment.settings.storage.redis.startswith("memory:"):
        log.warning("THREADHAND_REDIS_URL is not set: web and worker notice one another only every few seconds")
    asyncio.run(run(deployment.settings, web=web, worker=worker, play=play))
