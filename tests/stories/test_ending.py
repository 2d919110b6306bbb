"""A process that is asked to end ends well, whatever it was doing at that moment."""

from __future__ import annotations

import asyncio
import signal
from pathlib import Path

import pytest

from tests.support.deployment import Process, deployment
from tests.support.playground import playground
from tests.support.waiting import until

pytestmark = [pytest.mark.slow, pytest.mark.timeout(240)]

MOMENTS = (0.0, 0.1, 0.3, 0.6, 0.9, 1.3, 2.0, 3.5)
"""Seconds after a process began to listen for signals, from loading modules to being at work."""
CAUGHT = 1 << (signal.SIGTERM - 1)


def listens(process: Process) -> bool:
    """Whether the process has a handler for SIGTERM, as the kernel sees it."""
    status = Path(f"/proc/{process.pid}/status").read_text()
    mask = next(line.split()[1] for line in status.splitlines() if line.startswith("SigCgt"))
    return bool(int(mask, 16) & CAUGHT)


async def asked(process: Process, moment: float, again: float) -> int:
    """Start it, ask it to end then and once more a little later; its exit code."""
    await process.start()
    await until(lambda: listens(process))
    for seconds in (moment, again):
        await process.ended(seconds)
        process.signal(signal.SIGTERM)
    return await process.end(60)


@pytest.mark.parametrize("command", ["serve", "worker"])
async def test_it_ends_well_at_any_moment_and_asking_twice_does_no_harm(tmp_path: Path, command: str) -> None:
    async with playground() as slack:
        tokens = {"SLACK_BOT_TOKEN": slack.bot_token, "SLACK_APP_TOKEN": slack.app_token}
        async with deployment(tmp_path, {**tokens, "SLACK_API_URL": slack.api_url}) as deployed:
            codes: list[int] = []
            for first, second in zip(MOMENTS[::2], MOMENTS[1::2], strict=True):
                both = (asked(deployed.add(command), moment, moment / 3) for moment in (first, second))
                codes += await asyncio.gather(*both)
            assert codes == [0] * len(MOMENTS), deployed.logs()[-4000:]
            assert "Traceback" not in deployed.logs()
