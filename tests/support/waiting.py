"""Waiting for something to become true, with a deadline that a slow machine still meets."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable

DEADLINE = 30.0


async def until(condition: Callable[[], bool], seconds: float = DEADLINE) -> None:
    """Return once the condition holds; TimeoutError after `seconds`."""
    async with asyncio.timeout(seconds):
        while not condition():  # noqa: ASYNC110 (what we wait for has no event)
            await asyncio.sleep(0.02)


async def until_true(question: Callable[[], Awaitable[bool]], seconds: float = DEADLINE) -> None:
    """The same for a condition that must be awaited."""
    async with asyncio.timeout(seconds):
        while not await question():  # noqa: ASYNC110 (what we wait for has no event)
            await asyncio.sleep(0.02)
