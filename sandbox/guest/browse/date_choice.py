"""Choosing days in a field's calendar, and telling from the page whether it took them.

Hides when a click in a calendar is proof: only what the field shows afterwards, or the day that the calendar itself
marks, makes a date 'set'. Whatever else happens is told with what the field holds then.
"""

from __future__ import annotations

import asyncio
import datetime

from .calendars import Calendar, NoCalendar
from .outline import Trouble

TAKE_SECONDS = 1.5


def between(days: list[datetime.date]) -> str:
    return " to ".join(str(day) for day in days)


async def choose(calendar: Calendar, days: list[datetime.date]) -> str:
    """Pick the day, or both ends of a range; NoCalendar when there is nothing to pick in."""
    before = await calendar.text()
    partner = await calendar.element("partner(el)") if len(days) == 2 else None
    if partner is not None:
        return await both(calendar, await Calendar.of(calendar.page, partner), days)
    try:
        await calendar.open()
        return await chosen(calendar, before, days)
    except Trouble as trouble:
        kind = NoCalendar if isinstance(trouble, NoCalendar) else Trouble
        raise kind(f"{trouble} {await left(calendar, before)}") from None


async def left(calendar: Calendar, before: str) -> str:
    """Close the calendar and say what a refused field holds."""
    await calendar.close()
    now = await calendar.text()
    if now == before:
        return f"The field is as it was: {now or 'empty'}."
    return f"The field now shows {now or 'nothing'}; before it was {before or 'empty'}."


async def both(first: Calendar, second: Calendar, days: list[datetime.date]) -> str:
    """A range between two fields, each with a date of its own."""
    before = [await first.text(), await second.text()]
    try:
        await first.open()
        await chosen(first, before[0], days[:1])
        await second.open()
        await chosen(second, before[1], days[1:])
        now = f"{await first.text()} – {await second.text()}"
        if not await first.reads(now, days):
            raise Trouble(f"The two fields did not keep {between(days)}.")
        return f"The fields hold {now}."
    except Trouble as trouble:
        await second.close()
        now = f"{await first.text()} – {await second.text()}"
        was = " – ".join(before)
        told = "The fields are as they were" if now == was else "The two fields now show"
        raise Trouble(f"{trouble} {told}: {now}.") from None


async def chosen(calendar: Calendar, before: str, days: list[datetime.date]) -> str:
    if await calendar.marks(days) and (not before or await calendar.reads(before, days)):
        await calendar.close()
        return f"The field holds {before}." if before else f"The calendar shows {between(days)} as chosen."
    for day in reversed(days):
        await calendar.lead(day)
    await calendar.pick(days[0])
    for day in days[1:]:
        await calendar.lead(day)
        await calendar.pick(day)
    return await taken(calendar, before, days)


async def taken(calendar: Calendar, before: str, days: list[datetime.date]) -> str:
    """What to say when the page took the days; Trouble when it is not proven that it did."""
    inline = (await calendar.ask("state()"))["inline"]
    text = await shown(calendar, days, TAKE_SECONDS / 3)
    sure = await calendar.reads(text, days)
    confirmed = (not inline or not sure) and await calendar.confirm()
    if confirmed or not sure:
        text = await shown(calendar, days, TAKE_SECONDS)
        sure = await calendar.reads(text, days)
    if sure in ("only", "usual") and text != before:
        return f"The field holds {text}."
    marks = await calendar.marks(days)
    if marks is None and sure:
        await calendar.open()
        marks = await calendar.marks(days)
        await calendar.close()
    if marks and (sure or not await calendar.ask("readable(a[0])", text)):
        shows = f"; the field shows {text}" if text else ""
        return f"The field holds {text}." if sure else f"The calendar shows {between(days)} as chosen{shows}."
    if sure and marks is None and text != before:
        return f"The field holds {text}."
    raise Trouble(f"{between(days)} was clicked in the calendar, but the page did not take it.")


async def shown(calendar: Calendar, days: list[datetime.date], seconds: float) -> str:
    """The field's text, as soon as it reads as the days or time is up."""
    loop = asyncio.get_running_loop()
    end = loop.time() + seconds
    while True:
        text = await calendar.text()
        if await calendar.reads(text, days) or loop.time() > end:
            return text
        await asyncio.sleep(0.04)
