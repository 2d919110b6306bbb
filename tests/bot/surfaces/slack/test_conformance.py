"""Slack passes what every surface must, on a playground that keeps Slack's limits on size."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from pathlib import Path

import pytest

from tests.support.slack import slack_bench
from tests.support.surface_suite import CHECKS, Bench


@pytest.mark.parametrize("check", CHECKS, ids=lambda check: check.__name__)
async def test_slack(check: Callable[[Bench], Awaitable[None]], tmp_path: Path) -> None:
    async with slack_bench(tmp_path) as bench:
        await check(bench)
