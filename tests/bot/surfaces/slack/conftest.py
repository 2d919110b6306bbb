"""One playground for all tests of a module that only need threads of their own."""

from __future__ import annotations

from collections.abc import AsyncGenerator

import pytest_asyncio

from bot.playground import Playground
from tests.support.playground import playground


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def shared() -> AsyncGenerator[Playground]:
    """A playground without rate limits."""
    async with playground() as opened:
        yield opened
