"""Finding the way in a calendar somebody else made: to the month, to the day.

Hides that no two calendars are alike, and the script in the page that reads and leads them (four files, one function):
a calendar is whatever shows the days of one month in order; what its buttons do is learnt by pressing one and looking
which month is shown then.
"""

from __future__ import annotations

import asyncio
import contextlib
import datetime
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from playwright.async_api import ElementHandle, JSHandle, Page
from playwright.async_api import Error as PlaywrightError

from .outline import Trouble

FILES = ("date_words.js", "date_field.js", "calendar_look.js", "calendar_move.js")
SCRIPT = "() => {\n" + "".join(Path(__file__).with_name(name).read_text() for name in FILES) + "}"
OPENS = "el => el.matches('input, button, [role=button], [role=combobox]')"
TRAVEL_SECONDS = 60.0
FIELD_WAIT = 1_000
BUTTON_WAIT = 2_000


class NoCalendar(Trouble):
    """Nothing that shows days appeared at the field."""


@dataclass(slots=True)
class Calendar:
    """The calendar of one field. `tools`: the script in the page, which remembers what it learnt."""

    page: Page
    given: ElementHandle
    tools: JSHandle

    @classmethod
    async def of(cls, page: Page, given: ElementHandle) -> Calendar:
        return cls(page, given, await given.evaluate_handle(f"() => ({SCRIPT})()"))

    async def ask(self, call: str, *arguments: Any) -> Any:
        """Evaluate `call`, an expression of page, el (the field's element) and a (the arguments)."""
        return await self.tools.evaluate(f"(page, [el, a]) => page.{call}", [self.given, list(arguments)])

    async def element(self, call: str, *arguments: Any) -> ElementHandle | None:
        handle = await self.tools.evaluate_handle(f"(page, [el, a]) => page.{call}", [self.given, list(arguments)])
        return handle.as_element()

    async def open(self) -> None:
        """Have it shown: it stands on the page, or the field or a button beside it opens it."""
        if await self.ask("begin(el)"):
            return
        doors = await self.ask("openers(el).length")
        field = await self.element("field(el)")
        if field is not None and await field.evaluate(OPENS) and await self.opened_by(field, FIELD_WAIT):
            return
        for place in range(doors):
            door = await self.element("openers(el)[a[0]]", place)
            if door is not None and await self.opened_by(door, BUTTON_WAIT):
                return
        if not await self.ask("adopt()"):
            raise NoCalendar(
                "No calendar was found at this field. Look at the page and use click, type or press instead."
            )

    async def opened_by(self, element: ElementHandle, milliseconds: int) -> bool:
        await element.evaluate("el => el === el.getRootNode().activeElement && el.blur()")
        await self.click(element)
        return bool(await self.ask("until(page.look, a[0])", milliseconds))

    async def click(self, element: ElementHandle) -> None:
        """Click as a person does; where something covers the element, by events alone."""
        try:
            await element.click(timeout=3_000)
        except PlaywrightError:
            with contextlib.suppress(PlaywrightError):
                await self.tools.evaluate("(page, el) => page.tap(el)", element)

    async def lead(self, day: datetime.date) -> None:
        """Show the day's month. Trouble when the calendar does not go there, or the day cannot be chosen."""
        loop = asyncio.get_running_loop()
        end, closed = loop.time() + TRAVEL_SECONDS, 0
        while True:
            answer = await self.tools.evaluate_handle(
                "(page, a) => page.travel(...a)", [day.year, day.month, end - loop.time()]
            )
            if (stuck := answer.as_element()) is not None:
                await self.click(stuck)
                await self.ask("learn()")
                continue
            outcome = await answer.json_value()
            if outcome == "gone" and closed < 3:
                closed += 1
                await self.open()
                continue
            break
        if outcome:
            shown = (await self.ask("state()"))["shown"] or "no month"
            raise Trouble(f"The calendar does not go to {day:%B %Y}; it shows {shown}.")
        if await self.ask("isOff(a)", day.year, day.month, day.day):
            raise Trouble(f"The calendar does not let {day} be chosen: it is disabled there.")

    async def pick(self, day: datetime.date) -> None:
        element = await self.element("dayAt(a)", day.year, day.month, day.day)
        if element is None:
            raise Trouble(f"The calendar closed before {day} could be chosen.")
        await self.click(element)

    async def marked(self) -> list[datetime.date]:
        """The days the calendar marks as chosen, for all to see; none when it is closed."""
        return sorted(datetime.date(*one) for one in await self.ask("chosen()"))

    async def marks(self, days: list[datetime.date]) -> bool | None:
        """Whether it marks just these as chosen (of a range, its ends); None when it marks nothing."""
        found = await self.marked()
        return [found[0], found[-1]][: len(days)] == days and (len(days) > 1 or len(found) == 1) if found else None

    async def confirm(self) -> bool:
        """Press the calendar's OK; False when it has none."""
        button = await self.element("confirms()")
        if button is not None:
            await self.click(button)
        return button is not None

    async def close(self) -> None:
        """Close what was opened, where Escape closes nothing else."""
        state = await self.ask("state()")
        if not state["inline"] and await self.ask("look()") and not await self.ask("inDialog(el)"):
            await self.page.keyboard.press("Escape")
            await self.ask("until(() => !page.look(), 500)")

    async def text(self) -> str:
        return str((await self.ask("describe(el)"))["value"])

    async def reads(self, text: str, days: list[datetime.date]) -> str:
        """How sure it is that a text means these days: only, usual, may; empty when it does not. See date_words.js."""
        return str(await self.ask("reads(a[0], a[1])", text, [[day.year, day.month, day.day] for day in days]))
