"""Each limit on one request, one person and one workspace is said once, plainly, and what may go on goes on."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from bot.agent.parts import Parts, Tariff
from bot.session.steps import Allowance
from tests.support.office import BEN, MARIA, Wishes, office
from tests.support.replies import Tokens, Turn, calls, says

DEAR = Tokens(input=40_000, output=20_000)


def allowed(**limits: float) -> Wishes:
    """What one request may take."""
    values = {"steps": 40, "minutes": 120.0, "tokens": 10_000_000, "cost": 100.0} | limits
    allowance = Allowance(int(values["steps"]), values["minutes"], int(values["tokens"]), values["cost"])
    return Wishes(change=lambda parts: replace(parts, allowance=allowance))


def priced(parts: Parts, tariff: Tariff, spent: dict[str | None, float]) -> Parts:
    """Days on which so much was spent already, by person; None for the whole workspace."""

    async def today(workspace: str, person: str | None) -> float:
        del workspace
        return spent.get(person, 0.0)

    return replace(parts, tariff=tariff, spent_today=today)


def dear(turn: Turn) -> Turn:
    turn.tokens = DEAR
    return turn


@pytest.mark.parametrize(
    ("limits", "told"),
    [
        ({"steps": 2}, "I have used the 2 steps one request may take."),
        ({"tokens": 60_000}, "one request may take 60,000."),
        ({"minutes": 0.00001}, "the most one request may take."),
    ],
)
async def test_a_request_that_took_its_share_says_so_and_goes_on_when_told_to(
    tmp_path: Path, limits: dict[str, float], told: str
) -> None:
    script = [dear(calls("shell", command=f"echo {number}")) for number in range(2)]
    async with office(tmp_path, [*script, says("Done at last.")], allowed(**limits)) as here:
        thread, _ = await here.say(MARIA, "count")
        await here.settled(thread)
        [said] = here.replies(thread)
        assert told in said
        assert here.card(thread).state == "failed"
        for run in range(2, 5):
            await here.say(MARIA, "go on", thread, addressed=False)
            await here.settled(thread, run)
            if here.replies(thread)[-1] == "Done at last.":
                return
        raise AssertionError(here.replies(thread))


@pytest.mark.parametrize(
    ("whose", "told"),
    [(MARIA.id, "the 50 USD a person may spend in a day"), (None, "the 500 USD it may spend in a day")],
)
async def test_a_day_that_is_used_up_is_said_and_others_or_tomorrow_are_not_hindered(
    tmp_path: Path, whose: str | None, told: str
) -> None:
    spent: dict[str | None, float] = {whose: 60.0 if whose else 600.0}
    wishes = Wishes(change=lambda parts: priced(parts, Tariff(50.0, 500.0), spent))
    async with office(tmp_path, [says("Here you are."), says("Here you are.")], wishes) as here:
        thread, _ = await here.say(MARIA, "hello")
        await here.settled(thread)
        assert told in here.replies(thread)[0]
        assert here.server.requests == []
        if whose is not None:
            other, _ = await here.say(BEN, "hello")
            await here.settled(other)
            assert here.replies(other) == ["Here you are."]
        spent.clear()
        await here.say(MARIA, "and now?", thread)
        await here.surface.until(lambda: "Here you are." in here.replies(thread))
