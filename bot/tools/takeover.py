"""Asking a person to act on the machine's screen themselves: a sign-in, a second factor, a puzzle for humans.

The call waits, for days if need be, until somebody took the screen over and gave it back, or answers in words.
"""

from __future__ import annotations

from pydantic import BaseModel, Field

from bot.handover import SCREEN_TOOL
from bot.tools.types import Bench, Outcome, Tool
from policies.types import Effect


class RequestTakeover(BaseModel):
    """Ask a person to do something on your screen."""

    what: str = Field(
        min_length=1,
        max_length=300,
        description="What the person has to do, as the end of 'This needs …': 'your sign-in at portal.example.com'.",
    )


def sentence(arguments: RequestTakeover) -> str:
    """What the thread reads."""
    what = " ".join(arguments.what.split()).rstrip(".")
    return f"This needs {what}. I wait; nothing you type is recorded."


async def _never(_: Bench, arguments: RequestTakeover) -> Outcome:
    del arguments
    return Outcome("Nobody could be asked.", ok=False)


TOOL = Tool(
    SCREEN_TOOL,
    "Ask the person to take over your screen for something only they can do: sign in, confirm with a phone, solve a "
    "puzzle meant for people. Open the page in the browser first. Waits until they have given the screen back. Never "
    "ask for a password in words.",
    RequestTakeover,
    Effect.READ,
    _never,
    lambda arguments: f"Ask for a hand on the screen: {arguments.what}",
)
