"""What App Home shows a person: read off the sessions' projections and the settings, nothing else."""

from __future__ import annotations

from collections.abc import Awaitable, Callable

from bot.config import Settings
from bot.heard import Person
from bot.store import SessionRow, Store
from bot.surfaces.slack.home import HomeFacts, HomeLine

RECENT = 8


def home_facts(store: Store, settings: Settings) -> Callable[[str, Person], Awaitable[HomeFacts]]:
    """The facts of one person in one workspace."""

    async def facts(workspace: str, person: Person) -> HomeFacts:
        rows = await store.sessions(workspace=workspace, person=person.id, limit=60)
        waiting = tuple(_line(row) for row in rows if row.status == "waiting")
        running = tuple(_line(row) for row in rows if row.status == "working")
        ended = [row for row in rows if row.status in ("done", "stopped", "failed")]
        admin = await _admin(store, settings, workspace) if person.standing == "admin" else ()
        return HomeFacts(running, waiting, tuple(_line(row) for row in ended[:RECENT]), admin)

    return facts


def _line(row: SessionRow) -> HomeLine:
    waits = f" (waits for {row.waiting_for})" if row.waiting_for else ""
    return HomeLine(f"{row.title or 'Untitled'}: {row.status}{waits}")


async def _admin(store: Store, settings: Settings, workspace: str) -> tuple[HomeLine, ...]:
    """What an admin wants to know at a glance."""
    limits, model = settings.limits, settings.model
    spent = await store.spent(workspace, None, await store.now())
    shared = "on" if limits.allow_shared_channels else "off"
    guests = "on" if limits.allow_guests else "off"
    return (
        HomeLine(f"Model: {model.name if model.configured else 'rehearsal (no model is connected)'}"),
        HomeLine(f"Spent today: {spent.cost:.2f} USD of {limits.workspace_daily_cost:g}, {spent.tokens:,} tokens"),
        HomeLine(f"Guests: {guests}. Shared channels: {shared}."),
        HomeLine(f"A request may cost {limits.max_cost:g} USD and take {limits.max_steps} steps."),
    )
