"""Reading the web: pages as text with numbered links, and search."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence

from pydantic import BaseModel, Field

from bot.session.state import shorten
from bot.tools.machine import clip
from bot.tools.types import Bench, Outcome, Tool
from policies.types import Effect


class WebOpen(BaseModel):
    """Open a page."""

    url: str = Field(description="http:// or https:// address.")
    page: int = Field(1, ge=1, description="Which part of a long page.")
    find: str = Field("", description="Show only the places where this text occurs.")


class WebSearch(BaseModel):
    """Search the web."""

    query: str = Field(min_length=1, max_length=400)
