"""Slack passes what every surface must, on a playground that keeps Slack's limits on size."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from pathlib import Path

import pytest

from bot.playground import Playground
from tests.support.slack import bench_on
from tests.support.surface_suite import CHECKS, Bench

pytestmark = pytest.mark.asyncio(loop_scope="module")


@pytest.mark.parametrize("check", CHECKS, ids=lambda check: check.__name__)
async def test_slack(check: Callable[[Bench], Awaitable[None]], shared: Playground, tmp_path: Path) -> None:
    async with bench_on(shared, tmp_path) as bench:
        await check(bench)
