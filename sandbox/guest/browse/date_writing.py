"""Writing a date into a text field that has no calendar, in the order the field wants.

Hides how a field says its order (a placeholder, a label, what it holds already, else the page's language) and masks
that put the separators in themselves. What does not stand there afterwards is taken back.
"""

from __future__ import annotations

import datetime
import re
from dataclasses import dataclass

from playwright.async_api import ElementHandle

from .calendars import Calendar
from .outline import Trouble

ORDER = re.compile(r"\b([dtjmay]{1,4})(\s?[./-]\s?)([dtjmay]{1,4})\2([dtjmay]{1,4})\b", re.IGNORECASE)
EXAMPLE = re.compile(r"(?<!\d)(\d{1,4})(\s?[./-]\s?)(\d{1,2})\2(\d{1,4})(?!\d)")


@dataclass(frozen=True, slots=True)
class Field:
    """What the page says about the field; see describe in date_field.js."""

    type: str
    value: str
    min: str
    max: str
    disabled: bool
    readonly: bool
    invalid: bool
    why: str
    language: str
    order: str
    hints: list[str]


async def describe(calendar: Calendar) -> Field:
    return Field(**await calendar.ask("describe(el)"))


async def inner(calendar: Calendar) -> ElementHandle:
    """The element that is written in, of whatever was given."""
    return await calendar.element("field(el)") or calendar.given


async def write(calendar: Calendar, field: Field, day: datetime.date) -> str:
    """Type the day; Trouble when the field does not hold it then."""
    template, sure = template_of(field)
    text = template.format(
        day=f"{day.day:02}", month=f"{day.month:02}", year=f"{day.year:04}", short=f"{day.year % 100:02}"
    )
    element = await inner(calendar)
    for keys in (text, re.sub(r"\D", "", text)):
        await enter(calendar, element, keys)
        after = await describe(calendar)
        if after.value != text:
            continue
        if after.invalid:
            why = after.why or "it marks the field as invalid"
            raise Trouble(f"The page does not take {text}: {why}. {await put_back(calendar, element, field)}")
        assumed = "" if sure or day.day == day.month else f", written in the order usual in {field.language}"
        return f"The field holds {text}{assumed}."
    raise Trouble(f"The field does not keep {text} when it is typed. {await put_back(calendar, element, field)}")


async def enter(calendar: Calendar, element: ElementHandle, keys: str) -> None:
    """Type instead of what stands there, and leave the field."""
    await element.click()
    await calendar.page.keyboard.press("Control+A")
    await calendar.page.keyboard.press("Delete")
    await calendar.page.keyboard.type(keys, delay=20)
    await element.evaluate("el => el.blur()")
    await calendar.page.wait_for_timeout(200)


async def put_back(calendar: Calendar, element: ElementHandle, field: Field) -> str:
    """What stood there before; says what stands there now."""
    await element.fill(field.value)
    await element.evaluate("el => el.blur()")
    now = (await describe(calendar)).value
    return "It was put back." if now == field.value else f"The field now shows {now or 'nothing'}."


def template_of(field: Field) -> tuple[str, bool]:
    """How the field writes dates, as a format string, and whether the page says so itself."""
    for hint in [*field.hints, field.value]:
        if found := ORDER.search(hint):
            template = from_letters([found[1], found[3], found[4]], found[2])
            if template:
                return template, True
        if found := EXAMPLE.search(hint):
            template = from_example([found[1], found[3], found[4]], found[2])
            if template:
                return template, True
    return field.order, False


def from_letters(parts: list[str], between: str) -> str:
    letters = "".join(parts).lower()
    meaning = {"d": "day", "t": "day", "m": "month", "y": "year", "a": "year", "j": "year" if "t" in letters else "day"}
    fields = [meaning[part[0].lower()] for part in parts]
    if sorted(fields) != ["day", "month", "year"]:
        return ""
    named = [
        "short" if field == "year" and len(part) == 2 else field for field, part in zip(fields, parts, strict=True)
    ]
    return between.join(f"{{{name}}}" for name in named)


def from_example(parts: list[str], between: str) -> str:
    if len(parts[0]) == 4:
        return between.join(("{year}", "{month}", "{day}"))
    if len(parts[2]) == 4 and int(parts[0]) > 12:
        return between.join(("{day}", "{month}", "{year}"))
    if len(parts[2]) == 4 and int(parts[1]) > 12:
        return between.join(("{month}", "{day}", "{year}"))
    return ""
