"""All examinations, run side by side; one that breaks is a finding too."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping

from bot.config import Settings
from bot.doctor.finding import Finding, missing
from bot.doctor.host import data_folder, machine, python, python_of_machine, variables
from bot.doctor.model import model
from bot.doctor.network import egress, public_address, search
from bot.doctor.slack import slack
from bot.doctor.storage import database, redis

PATIENCE = 60.0
"""Seconds for one examination; each network call in it has a shorter limit of its own."""

PARTS: Mapping[str, Callable[[Settings], Awaitable[list[Finding]]]] = {
    "python": python,
    "settings": variables,
    "data": data_folder,
    "database": database,
    "redis": redis,
    "slack": slack,
    "model": model,
    "sandbox": machine,
    "machine-env": python_of_machine,
    "search": search,
    "public-url": public_address,
    "egress": egress,
}


async def examine(settings: Settings, parts: tuple[str, ...] = ()) -> list[Finding]:
    """The findings of these parts (all of them by default), in the order of PARTS."""
    chosen = [part for part in PARTS if not parts or part in parts]
    found = await asyncio.gather(*(_one(part, settings) for part in chosen))
    return [finding for findings in found for finding in findings]


async def _one(part: str, settings: Settings) -> list[Finding]:
    try:
        async with asyncio.timeout(PATIENCE):
            return await PARTS[part](settings)
    except TimeoutError:
        return [missing(part, f"no answer within {PATIENCE:.0f} s", "Check the address and whether it is running.")]
    except Exception as error:  # noqa: BLE001  one broken examination must not hide the others
        return [missing(part, f"could not be examined: {type(error).__name__}: {error}", "See the message.")]
