"""Making a date field hold a date, whatever widget it is, and saying honestly when it does not.

Hides the kinds of widgets: the browser's own inputs, text fields with or without a mask, calendars. What was done
is always verified by what the page shows afterwards; what the page does not allow is refused, not forced.
"""

from __future__ import annotations

import datetime
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from playwright.async_api import ElementHandle

from .calendars import Calendar, find_calendar, script
from .outline import Trouble

if TYPE_CHECKING:
    from .session import Session, Tab

NATIVE = {
    "date": re.compile(r"\d{4}-\d\d-\d\d"),
    "month": re.compile(r"\d{4}-\d\d"),
    "week": re.compile(r"\d{4}-W\d\d"),
    "time": re.compile(r"\d\d:\d\d(:\d\d)?"),
    "datetime-local": re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d(:\d\d)?"),
}
SHAPES = {
    "date": "2027-03-05",
    "month": "2027-03",
    "week": "2027-W09",
    "time": "14:30",
    "datetime-local": "2027-03-05T14:30",
}
ORDER = re.compile(r"\b([dtjmay]{1,4})(\s?[./-]\s?)([dtjmay]{1,4})\2([dtjmay]{1,4})\b", re.IGNORECASE)
EXAMPLE = re.compile(r"(?<!\d)(\d{1,4})(\s?[./-]\s?)(\d{1,2})\2(\d{1,4})(?!\d)")


@dataclass(frozen=True, slots=True)
class Field:
    """What the page says about the field; see describe in dates.js."""

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


async def describe(element: ElementHandle) -> Field:
    return Field(**await element.evaluate(script("(page, el) => page.describe(el)")))


async def set_date(session: Session, tab: Tab, request: dict[str, Any]) -> str | None:
    """request: ref, date, and end for a range."""
    given = await tab.pages.element(str(request["ref"]))
    field = await describe(given)
    if field.disabled:
        raise Trouble("This field is disabled: the page does not let it be changed now.")
    start, end = str(request["date"]).strip(), str(request.get("end") or "").strip()
    if field.type in NATIVE:
        return await native(given, field, start, end)
    days = [day_of(start)] + ([day_of(end)] if end else [])
    if days != sorted(days):
        raise Trouble(f"The range ends before it begins: {start} to {end}.")
    if field.type in ("text", "tel", "search", "") and field.type and not field.readonly and not end:
        said = await typed(tab, given, field, days[0])
        if said is not None:
            return said
    calendar = await find_calendar(tab, given)
    return await chosen(calendar, given, days)


def day_of(text: str) -> datetime.date:
    try:
        return datetime.date.fromisoformat(text)
    except ValueError:
        words = f"{text!r} is not a day that exists. This field takes a day like 2027-03-05."
        raise Trouble(words) from None


async def native(given: ElementHandle, field: Field, value: str, end: str) -> str:
    if end:
        raise Trouble("This field holds one date. Set the field of the other date by itself.")
    if not NATIVE[field.type].fullmatch(value):
        raise Trouble(f"This is a {field.type} field: give it as {SHAPES[field.type]}, not {value!r}.")
    if field.type in ("date", "datetime-local"):
        day_of(value.partition("T")[0])
    if field.min and value < field.min:
        raise Trouble(f"The page allows nothing before {field.min}, so {value} was not set.")
    if field.max and value > field.max:
        raise Trouble(f"The page allows nothing after {field.max}, so {value} was not set.")
    if field.readonly:
        raise Trouble("This field is read-only.")
    element = await inner(given)
    try:
        await element.fill(value)
    except Exception as error:
        raise Trouble(f"{value} is not a {field.type} that exists, so it was not set.") from error
    after = await describe(given)
    if after.value.removesuffix(":00") != value.removesuffix(":00") and after.value != value:
        raise Trouble(f"The field did not keep {value}: it shows {after.value or 'nothing'}.")
    if after.invalid:
        await element.fill(field.value)
        raise Trouble(
            f"The page does not take {value}: {after.why or 'it marks the field as invalid'}. It was put back."
        )
    return f"The field holds {after.value}."


async def inner(given: ElementHandle) -> ElementHandle:
    handle = await given.evaluate_handle(script("(page, el) => page.field(el)"))
    return handle.as_element() or given


async def typed(tab: Tab, given: ElementHandle, field: Field, day: datetime.date) -> str | None:
    """Write the date as the field wants it; None when it does not hold what was typed."""
    template, sure = template_of(field)
    text = template.format(
        day=f"{day.day:02}", month=f"{day.month:02}", year=f"{day.year:04}", short=f"{day.year % 100:02}"
    )
    element = await inner(given)
    for keys in (text, re.sub(r"\D", "", text)):
        await element.click()
        await tab.page.keyboard.press("Control+A")
        await tab.page.keyboard.press("Delete")
        await tab.page.keyboard.type(keys, delay=20)
        await element.evaluate("el => el.blur()")
        await tab.page.wait_for_timeout(200)
        after = await describe(given)
        if after.value == text and after.invalid:
            raise Trouble(f"The page does not take {text}: {after.why or 'it marks the field as invalid'}.")
        if after.value == text:
            assumed = "" if sure or day.day == day.month else f", written in the order usual in {field.language}"
            return f"The field holds {text}{assumed}."
    return None


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


async def chosen(calendar: Calendar, given: ElementHandle, days: list[datetime.date]) -> str:
    """Pick the days in a calendar and see whether the page took them."""
    for place, day in enumerate(days):
        if place and not await calendar.look():
            await calendar.reopen()
        await calendar.pick(day)
    text = ""
    for attempt in range(2):
        text = (await describe(given)).value
        if all([await calendar.shows(text, day) for day in days]):
            return f"The field holds {text}."
        if len(days) == 1 and await calendar.selected() == days[0]:
            return f"The calendar shows {days[0]} as chosen{f'; the field shows {text}' if text else ''}."
        if attempt or not await calendar.confirm():
            break
    wanted = " to ".join(str(day) for day in days)
    raise Trouble(f"{wanted} was clicked in the calendar, but the field shows {text or 'nothing'}. Look at the page.")
