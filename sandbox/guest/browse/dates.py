"""Making a date field hold a date, whatever widget it is, and saying honestly when it does not.

Hides the kinds of widgets: the browser's own inputs, text fields with or without a mask, calendars. What was done
is always verified by what the page shows afterwards; what the page does not allow is refused, not forced.
"""

from __future__ import annotations

import datetime
import re
from typing import TYPE_CHECKING, Any

from .calendars import Calendar, NoCalendar
from .date_choice import choose
from .date_writing import Field, describe, inner, write
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
TEXTS = ("text", "tel", "search")


async def set_date(session: Session, tab: Tab, request: dict[str, Any]) -> str | None:
    """request: ref, date, and end for a range."""
    given = await tab.pages.element(str(request["ref"]))
    calendar = await Calendar.of(tab.page, given)
    field = await describe(calendar)
    if field.disabled:
        raise Trouble("This field is disabled: the page does not let it be changed now.")
    start, end = str(request["date"]).strip(), str(request.get("end") or "").strip()
    if field.type in NATIVE:
        return await native(calendar, field, start, end)
    days = [day_of(start)] + ([day_of(end)] if end else [])
    if days != sorted(days):
        raise Trouble(f"The range ends before it begins: {start} to {end}.")
    try:
        return await choose(calendar, days)
    except NoCalendar:
        if field.type not in TEXTS or field.readonly or end:
            raise
    return await write(calendar, field, days[0])


def day_of(text: str) -> datetime.date:
    try:
        return datetime.date.fromisoformat(text)
    except ValueError:
        words = f"{text!r} is not a day that exists. This field takes a day like 2027-03-05."
        raise Trouble(words) from None


async def native(calendar: Calendar, field: Field, value: str, end: str) -> str:
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
    element = await inner(calendar)
    try:
        await element.fill(value)
    except Exception as error:
        raise Trouble(f"{value} is not a {field.type} that exists, so it was not set.") from error
    after = await describe(calendar)
    if after.value.removesuffix(":00") != value.removesuffix(":00") and after.value != value:
        raise Trouble(f"The field did not keep {value}: it shows {after.value or 'nothing'}.")
    if after.invalid:
        await element.fill(field.value)
        raise Trouble(
            f"The page does not take {value}: {after.why or 'it marks the field as invalid'}. It was put back."
        )
    return f"The field holds {after.value}."
