"""Making a date field hold a date, whatever widget it is, and saying honestly when it does not."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from .outline import Trouble

if TYPE_CHECKING:
    from .session import Session, Tab


async def set_date(session: Session, tab: Tab, request: dict[str, Any]) -> str | None:
    raise Trouble("not yet")
