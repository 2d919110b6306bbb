"""set_date on calendars that nobody here wrote: never a wrong date, never a silent change, and mostly the date."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest
import pytest_asyncio

from tests.sandbox.calendar_pages import libraries, versions
from tests.sandbox.calendar_table import Case, Desk, cases, desk

pytestmark = [pytest.mark.slow, pytest.mark.asyncio(loop_scope="module"), pytest.mark.timeout(240)]

SINGLE = {"near", "7 years later", "7 years ago", "day for month", "de"}
"""What every library must take."""
LOCALES = ("fr", "ja", "ar")


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def made() -> AsyncIterator[Desk]:
    async with desk() as opened:
        yield opened


def tried(library: str) -> list[Case]:
    """All cases; of the further locales one each, in turn."""
    own = LOCALES[libraries().index(library) % len(LOCALES)]
    return [case for case in cases(library) if case.name not in LOCALES or case.name == own]


@pytest.mark.parametrize("library", libraries())
async def test_a_calendar_is_set_and_verified_or_honestly_refused(made: Desk, library: str) -> None:
    cells = [await made.fill(library, case) for case in tried(library)]
    told = "\n".join(f"{cell.case.name}: {cell.word}: {cell.note}" for cell in cells)
    assert [cell.case.name for cell in cells if cell.word in ("WRONG", "CHANGED")] == [], told
    assert [cell.case.name for cell in cells if cell.case.refused and cell.word == "set"] == [], told
    assert {cell.case.name for cell in cells if cell.word == "set"} >= SINGLE, told


async def test_more_than_a_dozen_libraries_are_tried_at_fixed_versions() -> None:
    assert len(libraries()) >= 12
    assert all(version[0].isdigit() for version in versions().values())
