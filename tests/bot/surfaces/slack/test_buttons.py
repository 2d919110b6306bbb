"""People press buttons on questions, confirmations, cards and answers; forged and outside clicks are told apart."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest

from bot.entries import Query
from bot.heard import Halt, Person, Press, Rating, Resume
from bot.outgoing import CardStep, Confirmation, Question, Record, Reply, StatusCard
from bot.surfaces.slack.home import HomeFacts, HomeLine
from policies.types import Card, Fact
from tests.support.slack import MARIA, Heap, SlackBench, listening, slack_bench
from tests.support.waiting import until

CARD = Card("Send this mail to bob@acme.com?", (Fact("to", "bob@acme.com"),), yes="Send", no="Don't send")
ASK = Confirmation("a1", 3, MARIA, CARD, "only Maria can decide")


@asynccontextmanager
async def office(tmp_path: Path) -> AsyncGenerator[tuple[SlackBench, Heap]]:
    async with slack_bench(tmp_path) as bench:
        heap = Heap()
        async with listening(bench, heap, _facts):
            yield bench, heap


async def _facts(workspace: str, person: Person) -> HomeFacts:
    running = (HomeLine(f"A model for <!channel> {person.name}", "https://hand.example/s/1"),)
    return HomeFacts(running=running, admin=(HomeLine("Budget: 5 USD a session"),))


async def one(heap: Heap, kind: type[Any]) -> Any:
    await until(lambda: len(heap.of(kind)) == 1)
    return heap.of(kind)[0]


@pytest.mark.parametrize(("label", "choice"), [("Send", "yes"), ("Don't send", "no")])
async def test_a_confirmation_is_decided_with_a_button(tmp_path: Path, label: str, choice: str) -> None:
    async with office(tmp_path) as (bench, heap):
        thread = await bench.thread("hello")
        message = await bench.surface.post(thread, ASK, "k1")
        assert await bench.driver.press("maria", "#general", message, label) == {}
        assert await one(heap, Press) == Press(MARIA, "a1", 3, choice)
        assert thread in {where for where, _, _ in heap.items.values()}


async def test_a_record_has_no_buttons_left(tmp_path: Path) -> None:
    async with office(tmp_path) as (bench, _):
        thread = await bench.thread("hello")
        message = await bench.surface.post(thread, ASK, "k1")
        await bench.surface.update(thread, message, Record("Send this mail?", "Maria approved at 14:02"))
        (shown,) = await bench.raw(thread)
        assert not [block for block in shown["blocks"] if block["type"] == "actions"]


async def test_a_change_is_written_into_a_dialog(tmp_path: Path) -> None:
    async with office(tmp_path) as (bench, heap):
        thread = await bench.thread("hello")
        message = await bench.surface.post(thread, ASK, "k1")
        await bench.driver.press("maria", "#general", message, "Change…")
        view = await modal(bench)
        assert await bench.driver.submit_view("maria", view, {"text": "  "}) != {}
        assert await bench.driver.submit_view("maria", view, {"text": "no, only bob"}) == {}
        press = await one(heap, Press)
        assert press == Press(MARIA, "a1", 3, "change", "no, only bob")
        assert {where for where, _, _ in heap.items.values()} == {thread}


async def modal(bench: SlackBench) -> str:
    async def top() -> str:
        opened = await bench.driver.modals("maria")
        return str(opened[-1]["id"]) if opened else ""

    return await bench.driver.wait_until(top, "a dialog")


async def test_questions_are_answered_with_a_button_or_in_words(tmp_path: Path) -> None:
    async with office(tmp_path) as (bench, heap):
        thread = await bench.thread("hello")
        queries = (Query("Fiscal year from?", ("January", "April")), Query("Currency?", ("USD", "EUR")))
        message = await bench.surface.post(thread, Question("q1", 1, MARIA, queries), "k1")
        await bench.driver.press("maria", "#general", message, "EUR")
        assert await one(heap, Press) == Press(MARIA, "q1", 1, "EUR", answers={"1": "EUR"})
        await bench.driver.press("maria", "#general", message, "th_else:0")
        await bench.driver.submit_view("maria", await modal(bench), {"text": "July"})
        await until(lambda: len(heap.of(Press)) == 2)
        assert heap.of(Press)[1] == Press(MARIA, "q1", 1, "July", "July", {"0": "July"})


async def test_stop_go_on_and_thumbs(tmp_path: Path) -> None:
    async with office(tmp_path) as (bench, heap):
        thread = await bench.thread("hello")
        card = await bench.surface.post(thread, StatusCard("a chart", "working", (CardStep("Read", "doing"),)), "card")
        await bench.driver.press("ben", "#general", card, "Stop")
        assert (await one(heap, Halt)).author.id == "TACME/UBEN"
        answer = await bench.surface.post(thread, Reply("Stopped.", resume=True, feedback=True), "k2")
        await bench.driver.press("maria", "#general", answer, "Go on")
        assert await one(heap, Resume) == Resume(MARIA)
        await bench.driver.press("maria", "#general", answer, "good")
        assert await one(heap, Rating) == Rating(MARIA, answer, True)


async def test_a_click_that_cannot_be_written_down_shows_the_person_so(tmp_path: Path) -> None:
    async with office(tmp_path) as (bench, heap):
        thread = await bench.thread("hello")
        await until(lambda: len(heap.calls) == 1)
        message = await bench.surface.post(thread, ASK, "k1")
        await bench.driver.limits(ack_seconds=0.5)
        heap.broken = 1
        assert "error" in await bench.driver.press("maria", "#general", message, "Send")
        await bench.driver.limits(ack_seconds=3.0)
        assert await bench.driver.press("maria", "#general", message, "Send") == {}
        assert await one(heap, Press) == Press(MARIA, "a1", 3, "yes")


async def test_somebody_from_another_company_is_known_as_such(tmp_path: Path) -> None:
    async with office(tmp_path) as (bench, heap):
        bench.channel = "CSHARED"
        thread = await bench.thread("hello")
        message = await bench.surface.post(thread, ASK, "k1")
        await bench.driver.press("olga", "#acme-shared", message, "Send")
        assert (await one(heap, Press)).author == Person("TPARTNER/UOLGA", "olga", "outsider")


async def test_forged_clicks_mean_nothing(tmp_path: Path) -> None:
    async with office(tmp_path) as (bench, heap):
        thread = await bench.thread("hello")
        await until(lambda: len(heap.items) == 1)
        await bench.driver.limits(ack_seconds=0.5)
        action: dict[str, Any] = {"action_id": "th_yes", "block_id": "ask:x:c", "value": "a1", "action_ts": "1.0"}
        payload: dict[str, Any] = {
            "type": "block_actions",
            "user": {"id": "UMARIA", "team_id": "TELSEWHERE"},
            "team": {"id": "TACME"},
            "channel": {"id": "CGENERAL"},
            "message": {"ts": thread.root},
            "actions": [action],
            "trigger_id": "1.2.3",
        }
        await bench.driver.forge(payload)
        await bench.driver.forge({**payload, "actions": [{**action, "action_id": "other"}]})
        await bench.driver.forge({**payload, "actions": []})
        await bench.driver.forge({**payload, "channel": {}, "message": {}})
        press = await one(heap, Press)
        assert (press.version, press.author.standing) == (0, "outsider")


async def test_home_shows_a_person_what_is_theirs(tmp_path: Path) -> None:
    async with office(tmp_path) as (bench, _):
        for person, settings in (("maria", False), ("ada", True)):
            await bench.driver.open_home(person)

            async def home(who: str = person) -> str:
                return str(await bench.driver.home(who) or "")

            text = await bench.driver.wait_until(home, "App Home")
            assert "A model for &lt;!channel&gt;" in text
            assert "https://hand.example/s/1" in text
            assert ("5 USD a session" in text) == settings


async def test_a_direct_conversation_begins_with_suggestions(tmp_path: Path) -> None:
    async with office(tmp_path) as (bench, _):
        await bench.driver.open_messages("maria")

        async def suggested() -> Any:
            return (await bench.driver.status())["prompts"]

        assert "Summarise a thread" in str(await bench.driver.wait_until(suggested, "prompts"))
