"""Finding the way in a calendar somebody else made: to the month, to the day.

Hides that no two calendars are alike. A calendar is whatever shows the days of one month in order; what its buttons
do is learnt by pressing one and looking which month is shown then.
"""

from __future__ import annotations

import asyncio
import datetime
import re
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from playwright.async_api import ElementHandle, JSHandle
from playwright.async_api import Error as PlaywrightError

from .outline import Trouble

if TYPE_CHECKING:
    from .session import Tab

SCRIPT = Path(__file__).with_name("dates.js").read_text().split("\n", 2)[2]
PRESSES_MAX = 400
SECONDS_MAX = 90.0
LOOK_SECONDS = 2.5
NEXT = re.compile(
    r"next|forward|later|weiter|nächst|suivant|siguiente|próximo|volgende|successivo|[>›»→⟩▶❯]", re.IGNORECASE
)
PREVIOUS = re.compile(
    r"prev|back|earlier|zurück|vorig|vorher|précéd|anterior|vorige|precedente|[<‹«←⟨◀❮]", re.IGNORECASE
)
YEAR = re.compile(r"year|jahr|année|año|ano\b|jaar|[»«]|>>|<<", re.IGNORECASE)
CONFIRM = re.compile(
    r"(ok|okay|apply|done|set|save|select|confirm|choose|übernehmen|fertig|anwenden|appliquer|valider|aplicar|aceptar)",
    re.IGNORECASE,
)

Press = dict[str, Any]


def script(body: str) -> str:
    """A function of the page's tools and an element, to evaluate on an element."""
    return f"(el, argument) => {{ const page = ({SCRIPT})(); return ({body})(page, el, argument); }}"


async def find_calendar(tab: Tab, given: ElementHandle) -> Calendar:
    """The calendar that belongs to the field, opened if need be. Trouble when there is none."""
    calendar = Calendar(tab, given)
    if await calendar.look():
        return calendar
    await calendar.reopen()
    return calendar


@dataclass(slots=True)
class Calendar:
    """effects: what a button was seen to do, in months, by its place and words."""

    tab: Tab
    given: ElementHandle
    handle: JSHandle | None = None
    state: dict[str, Any] = field(default_factory=dict[str, Any])
    effects: dict[str, int] = field(default_factory=dict[str, int])

    async def look(self) -> bool:
        """See what is shown now; whether it is a calendar."""
        self.handle = await self.given.evaluate_handle(script("(page, el) => page.calendar(el)"))
        self.state = await self.handle.evaluate("calendar => calendar.state()") if self.handle else {}
        return bool(self.state.get("panes"))

    async def reopen(self) -> None:
        """Open the calendar by the field, or by the button beside it."""
        beside = """el => [...(el.parentElement || el).querySelectorAll('button, [role=button], svg, img')]
            .find(one => one !== el && one.checkVisibility()) || el"""
        for where in ("el => el", beside):
            element = (await self.given.evaluate_handle(where)).as_element() or self.given
            await element.click()
            if await self.appears():
                return
        raise Trouble("No calendar was found at this field. Look at the page and use click, type or press instead.")

    async def appears(self) -> bool:
        end = asyncio.get_running_loop().time() + LOOK_SECONDS
        while not await self.look():
            if asyncio.get_running_loop().time() > end:
                return False
            await asyncio.sleep(0.1)
        return True

    async def part(self, kind: str, place: int) -> ElementHandle | None:
        """A button ('press') or a list ('select') of the calendar as it was last seen."""
        if self.handle is None:
            return None
        handle = await self.handle.evaluate_handle("(calendar, [kind, at]) => calendar[kind](at)", [kind, place])
        return handle.as_element()

    def months(self) -> list[int]:
        """The months shown, counted from year 0."""
        return [int(pane["year"]) * 12 + int(pane["month"]) - 1 for pane in self.state["panes"]]

    async def pick(self, day: datetime.date) -> None:
        """Go to the day's month and click the day."""
        goal = day.year * 12 + day.month - 1
        await self.by_lists(day)
        loop = asyncio.get_running_loop()
        end = loop.time() + SECONDS_MAX
        for _ in range(PRESSES_MAX):
            if goal in self.months() or loop.time() > end:
                break
            distance = min((goal - shown for shown in self.months()), key=abs)
            await self.step(distance, day)
        if goal not in self.months() or self.handle is None:
            raise Trouble(f"The calendar did not get to {day:%B %Y}; it shows {self.shown()}.")
        where = [day.year, day.month, day.day]
        found = (await self.handle.evaluate_handle("(calendar, at) => calendar.day(...at)", where)).as_element()
        if found is None:
            raise Trouble(f"The calendar does not let {day} be chosen: it is disabled there.")
        await found.click()
        await asyncio.sleep(0.25)

    async def by_lists(self, day: datetime.date) -> None:
        """Use the calendar's lists of years and months, where it has them."""
        for kind, wanted in (("years", [day.year, 0]), ("months", [0, day.month])):
            for place, fits in enumerate(self.state[kind]):
                if not fits or self.handle is None:
                    continue
                element = (
                    await self.handle.evaluate_handle("(calendar, at) => calendar.select(at)", place)
                ).as_element()
                if element is None:
                    continue
                option = await self.handle.evaluate(
                    "(calendar, [el, y, m]) => calendar.option(el, y, m)", [element, *wanted]
                )
                if option >= 0:
                    await element.select_option(index=option)
                    await self.appears()
                    break

    async def step(self, distance: int, day: datetime.date) -> None:
        """Press the button that brings the calendar closest."""
        place = self.best(distance)
        if place is None or self.handle is None:
            raise Trouble(f"The calendar does not go to {day:%B %Y}; it shows {self.shown()}.")
        before, name = self.months(), key_of(self.state["presses"][place])
        element = await self.part("press", place)
        try:
            if element is not None:
                await element.click(timeout=3_000)
        except PlaywrightError:
            self.effects[name] = 0
            return
        end = asyncio.get_running_loop().time() + LOOK_SECONDS / (1 if name in self.effects else 2)
        while asyncio.get_running_loop().time() < end:
            if await self.look() and self.months() != before:
                break
            await asyncio.sleep(0.03)
        if not self.state.get("panes") and not await self.appears():
            await self.reopen()
        self.effects[name] = self.months()[0] - before[0]

    def best(self, distance: int) -> int | None:
        """The place of the button to press: one known to lead closer, else the likeliest unknown one."""
        sign = 1 if distance > 0 else -1
        known: list[tuple[int, int]] = []
        unknown: list[tuple[int, int]] = []
        for place, press in enumerate(self.state["presses"]):
            effect = self.effects.get(key_of(press))
            if press["off"] or press["below"]:
                continue
            if effect is None:
                unknown.append((likelihood(press, sign, abs(distance) >= 12), place))
            elif effect * sign > 0 and abs(distance - effect) < abs(distance):
                known.append((abs(distance - effect), place))
        likely = [one for one in unknown if one[0] > 0]
        if likely and (not known or (abs(distance) >= 12 and max(likely)[0] >= 8)):
            return max(likely)[1]
        return min(known)[1] if known else None

    def shown(self) -> str:
        panes: list[dict[str, int]] = self.state.get("panes") or []
        return ", ".join(f"{pane['year']}-{int(pane['month']):02}" for pane in panes) or "no month"

    async def shows(self, text: str, day: datetime.date) -> bool:
        """Whether a text is this date, in whatever order and words."""
        numbers = [int(one) for one in re.findall(r"\d+", text)]
        years = {day.year, day.year % 100}
        named: list[int] = await self.given.evaluate(script("(page, el, text) => page.monthsIn(text)"), text)
        if day.month not in (named or numbers) or day.day not in numbers or not years & set(numbers):
            return False
        needed = 2 if named else 3
        return len(numbers) >= needed

    async def selected(self) -> datetime.date | None:
        """The day the calendar marks as chosen, for all to see (aria-selected, aria-pressed)."""
        if not await self.look() or self.handle is None:
            return None
        found = await self.handle.evaluate("calendar => calendar.chosen()")
        return datetime.date(*found) if found else None

    async def confirm(self) -> bool:
        """Press the calendar's OK; False when it has none."""
        if not await self.look() or self.handle is None:
            return False
        for place, press in enumerate(self.state["presses"]):
            if CONFIRM.fullmatch(press["text"] or press["label"]) and not press["off"]:
                element = (
                    await self.handle.evaluate_handle("(calendar, at) => calendar.press(at)", place)
                ).as_element()
                if element is not None:
                    await element.click()
                    await asyncio.sleep(0.25)
                    return True
        return False


def key_of(press: Press) -> str:
    return f"{press['label']}|{press['text'] if len(press['text']) < 4 else ''}|{press['key']}"


def likelihood(press: Press, sign: int, far: bool) -> int:
    """How likely a button leads the calendar in the direction of `sign`; 0: it does not."""
    words = f"{press['label']} {press['text']}"
    forward, backward, year = bool(NEXT.search(words)), bool(PREVIOUS.search(words)), bool(YEAR.search(words))
    if (forward, backward) in ((True, False), (False, True)):
        if forward != (sign > 0):
            return 0
        return 8 if year == far else 4
    if len(press["text"]) > 3 or press["label"]:
        return 0
    return 2 if press["side"] == sign else 0
