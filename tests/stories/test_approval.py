"""A program in the machine wants to send something: nothing leaves before the right person agreed, and then once."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from bot.heard import Thread
from bot.outgoing import Confirmation, Record
from tests.support.machine import FakeBackend
from tests.support.office import BEN, GUS, MARIA, Office, Wishes, office
from tests.support.origin import Origin, origin
from tests.support.posting import posting
from tests.support.replies import Call, Turn, calls, says

BODY = "order 7 blue chairs"


@asynccontextmanager
async def shop(folder: Path, *later: Turn) -> AsyncGenerator[tuple[Office, Origin, Thread, Confirmation]]:
    """Maria asked for an order; it is written, held, and its confirmation stands in the thread."""
    async with origin("127.0.0.1") as site:
        script = [calls("shell", command=f"post {site.url('/orders')} {BODY}"), *later]
        wishes = Wishes(backend=FakeBackend(posting), allow=frozenset({f"127.0.0.1:{site.port}"}))
        async with office(folder, script, wishes) as work:
            thread, _ = await work.say(MARIA, "order seven blue chairs")
            yield work, site, thread, await work.confirmation(thread)


async def test_an_approved_order_arrives_exactly_once_and_unchanged(tmp_path: Path) -> None:
    async with shop(tmp_path, says("Ordered.")) as (work, site, thread, card):
        assert (site.visits, card.card.quote, card.to.name) == ([], BODY, "Maria")
        assert "127.0.0.1" in card.card.heading
        await work.press(thread, MARIA, card, "yes")
        await work.settled(thread)
        assert [(visit.method, visit.path, visit.body) for visit in site.writes()] == [
            ("POST", "/orders", BODY.encode())
        ]
        [record] = work.shown(thread, Record)
        assert "Maria approved" in record.outcome
        assert "sent" in record.outcome
        assert work.replies(thread)[-1] == "Ordered."


@pytest.mark.parametrize(
    ("choice", "text", "told"),
    [("no", "", "said no"), ("change", "only five chairs", "only five chairs")],
)
async def test_a_refused_or_changed_order_never_leaves(tmp_path: Path, choice: str, text: str, told: str) -> None:
    async with shop(tmp_path, says("All right.")) as (work, site, thread, card):
        await work.press(thread, MARIA, card, choice, text=text)
        await work.settled(thread)
        assert site.visits == []
        assert told in str(work.server.requests[-1].body["input"])
        assert work.replies(thread)[-1] == "All right."


async def test_others_clicks_and_forgeries_are_told_privately_and_do_nothing(tmp_path: Path) -> None:
    async with shop(tmp_path, says("Ordered.")) as (work, site, thread, card):
        await work.press(thread, BEN, card, "yes")
        await work.press(thread, GUS, card, "yes")
        await work.press(thread, MARIA, replace(card, ask="forged"), "yes")
        await work.press(thread, MARIA, replace(card, version=card.version + 1), "yes")
        await work.say(BEN, "yes", thread)
        await work.surface.until(lambda: len(work.surface.whispers) == 5)
        assert site.visits == []
        assert (await work.state(thread)).open_asks
        assert [one.to.name for one in work.surface.whispers] == ["Ben", "Gus", "Maria", "Maria", "Ben"]
        await work.press(thread, MARIA, card, "yes")
        await work.press(thread, MARIA, card, "no")
        await work.settled(thread)
        assert len(site.writes()) == 1
        assert "already settled" in (await work.surface.until(lambda: work.surface.whispers[5:]))[0].text


async def test_a_plain_yes_of_the_requester_approves(tmp_path: Path) -> None:
    async with shop(tmp_path, says("Ordered.")) as (work, site, thread, _):
        await work.say(MARIA, "yes, send it", thread, addressed=False)
        await work.settled(thread)
        assert len(site.writes()) == 1


async def test_only_bob_withdraws_the_confirmation_and_is_taken_up(tmp_path: Path) -> None:
    async with shop(tmp_path, says("Then only Bob.")) as (work, site, thread, card):
        await work.say(MARIA, "no, only bob", thread, addressed=False)
        await work.settled(thread)
        assert site.visits == []
        assert "no, only bob" in str(work.server.requests[-1].body["input"])
        assert "Withdrawn" in work.shown(thread, Record)[0].outcome
        await work.press(thread, MARIA, card, "yes")
        await work.surface.until(lambda: work.surface.whispers)
        assert site.visits == []


async def test_an_approval_waits_for_days_and_through_a_restart_without_a_worker(tmp_path: Path) -> None:
    async with shop(tmp_path, says("Ordered.")) as (work, site, thread, card):
        await work.resting()
        assert work.card(thread).headline == "Waiting for Maria's yes"
        await work.restart()
        work.clock.ahead += timedelta(days=4)
        await work.resting()
        await work.press(thread, MARIA, card, "yes")
        await work.settled(thread)
        assert len(site.writes()) == 1


async def test_silence_is_never_a_yes(tmp_path: Path) -> None:
    async with shop(tmp_path, says("Nobody answered, so nothing was ordered.")) as (work, site, thread, _):
        await work.resting()
        work.clock.ahead += timedelta(days=8)
        await work.settled(thread)
        assert site.visits == []
        assert "nobody decided in time" in str(work.server.requests[-1].body["input"])


async def test_two_orders_want_two_decisions(tmp_path: Path) -> None:
    async with origin("127.0.0.1") as site:
        both = Turn.of(
            Call("shell", {"command": f"post {site.url('/a')} one"}),
            Call("shell", {"command": f"post {site.url('/b')} two"}),
        )
        script = [both, says("Done."), says("Done."), says("Done.")]
        wishes = Wishes(backend=FakeBackend(posting), allow=frozenset({f"127.0.0.1:{site.port}"}))
        async with office(tmp_path, script, wishes) as work:
            thread, _ = await work.say(MARIA, "order both")
            first, second = await work.surface.until(
                lambda: cards if len(cards := work.shown(thread, Confirmation)) == 2 else None
            )
            await work.say(MARIA, "yes", thread)
            await work.surface.until(lambda: work.surface.whispers)
            assert site.visits == []
            await work.press(thread, MARIA, second, "no")
            await work.press(thread, MARIA, first, "yes")
            await work.settled(thread)
            assert [visit.body for visit in site.writes()] == [b"one"]
