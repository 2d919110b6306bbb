"""What set_date makes of each calendar library, judged by the library's own word for what it holds.

`python -m tests.sandbox.calendar_table [LIBRARY …]` prints the table; test_calendars.py holds it to its promise:
never a date that is said to be set and is not, never a change behind a refusal."""

from __future__ import annotations

import argparse
import asyncio
import datetime
import tempfile
import time
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from playwright.async_api import async_playwright

from sandbox.guest.browse.actions import ACTIONS
from sandbox.guest.browse.outline import Trouble
from sandbox.guest.browse.session import PLACES, Session
from tests.sandbox.calendar_pages import libraries, path_of, served

ONE_DATE_ONLY = {"pikaday", "jquery-ui", "mui"}
FORMAT = {"en-US": "%m/%d/%Y", "de": "%d.%m.%Y", "fr": "%d/%m/%Y", "ja": "%Y/%m/%d", "ar": "%d/%m/%Y"}


@dataclass(frozen=True, slots=True)
class Case:
    """One use of set_date. `given`: what the page starts with, see calendars/common.js. `refused`: what the page does
    not allow."""

    name: str
    day: datetime.date
    end: datetime.date | None = None
    locale: str = "en-US"
    given: dict[str, Any] = field(default_factory=dict[str, Any])
    refused: bool = False

    @property
    def wanted(self) -> list[str]:
        return [str(day) for day in (self.day, self.end) if day]


@dataclass(frozen=True, slots=True)
class Cell:
    """`right`: set and the library holds it, or refused and nothing changed that was not said."""

    case: Case
    right: bool
    word: str
    note: str
    seconds: float


def near(today: datetime.date) -> datetime.date:
    """A day some weeks away whose day and month can be taken for each other."""
    later = today.replace(day=1) + datetime.timedelta(days=64)
    return later.replace(day=4 if later.month != 4 else 6)


def cases(library: str, today: datetime.date | None = None) -> list[Case]:
    day = near(today or datetime.date.today())
    swapped = day.replace(month=day.day, day=day.month)
    far, ago = day.replace(year=day.year + 7), day.replace(year=day.year - 7)
    held = {"start": str(day + datetime.timedelta(days=6))}
    found = [
        Case("near", day),
        Case("7 years later", far),
        Case("7 years ago", ago, given=held),
        Case("day for month", day, locale="de", given={"start": str(swapped)}),
        Case("before min", day, given=held | {"min": str(day + datetime.timedelta(days=2))}, refused=True),
        Case("after max", day + datetime.timedelta(days=9), refused=True,
             given=held | {"max": str(day + datetime.timedelta(days=8))}),
        Case("disabled", day, given=held | {"off": [str(day)]}, refused=True),
        *(Case(locale, day, locale=locale) for locale in ("de", "fr", "ja", "ar")),
    ]  # fmt: skip
    return found if library in ONE_DATE_ONLY else [*found, *ranges(day)]


def ranges(day: datetime.date) -> list[Case]:
    end, far = day + datetime.timedelta(days=35), day.replace(year=day.year + 7)
    held = {"start": str(day + datetime.timedelta(days=2)), "end": str(day + datetime.timedelta(days=6))}
    return [
        Case("range", day, end, given={"range": True}),
        Case("range anew", day, end, "de", held | {"range": True}),
        Case("range in 7 years", far, far + datetime.timedelta(days=3), given={"range": True}),
        Case("range's end disabled", day, end, given=held | {"range": True, "off": [str(end)]}, refused=True),
    ]


@dataclass(frozen=True, slots=True)
class Desk:
    """The browser the machine has, without the machine around it: the same code drives it."""

    session: Session
    site: str

    async def fill(self, library: str, case: Case) -> Cell:
        tab = await self.session.tab()
        given: dict[str, Any] = {"range": False, "off": [], **case.given}
        await tab.page.goto(self.site + path_of(library, case.locale, given))
        await tab.page.wait_for_function("() => window.held && document.querySelector('#root *')")
        lines = await tab.pages.outline()
        line = next((one for one in lines if "Day" in one and "[e" in one), None)
        assert line is not None, "\n".join(lines)
        before = await tab.page.evaluate("held()")
        begin = time.monotonic()
        request = {"ref": "e" + line.rpartition("[e")[2].partition("]")[0], "date": str(case.day)}
        try:
            note, said = str(await ACTIONS["set_date"](self.session, tab, request | {"end": str(case.end or "")})), True
        except Trouble as trouble:
            note, said = str(trouble), False
        seconds = time.monotonic() - begin
        await tab.page.evaluate("() => new Promise((done) => setTimeout(done, 60))")
        return judged(case, before, list(await tab.page.evaluate("held()")), (said, note, seconds))


def judged(case: Case, before: list[str], held: list[str], answer: tuple[bool, str, float]) -> Cell:
    said, note, seconds = answer
    if said and held == case.wanted and note.startswith(("The field holds", "The fields hold", "The calendar shows")):
        return Cell(case, not case.refused, "set", note, seconds)
    if said:
        return Cell(case, False, "WRONG", f"{note} It holds {held}.", seconds)
    shown = [datetime.date.fromisoformat(one).strftime(FORMAT[case.locale]) for one in held]
    told = "now show" in note and (all(one in note for one in shown) if shown else "nothing" in note)
    if held != before and not told:
        return Cell(case, False, "CHANGED", f"{note} It held {before} and holds {held}.", seconds)
    return Cell(case, case.refused, "refused" if held == before else "refused, said what it holds", note, seconds)


@asynccontextmanager
async def desk() -> AsyncGenerator[Desk]:
    with tempfile.TemporaryDirectory() as folder:
        async with served(Path(folder)) as site, async_playwright() as playwright:
            place = next(place for place in PLACES if Path(place).exists())
            browser = await playwright.chromium.launch(executable_path=place, args=["--disable-gpu", "--no-sandbox"])
            context = await browser.new_context(viewport={"width": 1280, "height": 800})
            context.set_default_timeout(8_000)
            session = Session(context)
            context.on("page", session.add)
            try:
                yield Desk(session, site)
            finally:
                await browser.close()


async def table(chosen: list[str], only: str) -> None:
    async with desk() as made:
        for library in chosen or libraries():
            print(f"{library}", flush=True)
            for case in cases(library):
                if only not in case.name:
                    continue
                cell = await made.fill(library, case)
                mark = " " if cell.right else "!"
                print(f"  {mark} {case.name:22} {cell.seconds:5.2f}s  {cell.word:10} {cell.note}", flush=True)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description="What set_date makes of each calendar library.")
    parser.add_argument("library", nargs="*", help=f"one of {', '.join(libraries())}; all when not given")
    parser.add_argument("--case", default="", help="only cases whose name contains this")
    options = parser.parse_args()
    asyncio.run(table(options.library, options.case))
