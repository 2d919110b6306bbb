"""Trying Threadhand without a model: the rehearsal model drives the same loop."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from bot.agent.parts import Parts
from bot.models.rehearsal import Rehearsal
from tests.support.office import MARIA, Wishes, office


def _rehearsing(parts: Parts) -> Parts:
    return replace(parts, model=Rehearsal(pace=0))


async def test_two_requests_in_one_message_are_done_under_one_plan(tmp_path: Path) -> None:
    async with office(tmp_path, [], Wishes(change=_rehearsing)) as work:
        thread, _ = await work.say(MARIA, "run echo one\nrun echo two")
        await work.settled(thread)
        [answer] = work.replies(thread)
        assert "**1. Run echo one**" in answer
        assert "**2. Run echo two**" in answer
        assert "I am the rehearsal model" in answer
        card = work.card(thread)
        assert (card.goal, card.state) == ("Run echo one; Run echo two", "done")


async def test_the_thread_is_summed_up_from_what_people_wrote(tmp_path: Path) -> None:
    async with office(tmp_path, [], Wishes(change=_rehearsing)) as work:
        thread = work.surface.thread()
        work.surface.say(thread, MARIA, "The launch moves to the 14th because the printer is late.", addressed=False)
        await work.say(MARIA, "summarise this thread", thread)
        await work.settled(thread)
        assert "The launch moves to the 14th because the printer is late." in work.replies(thread)[0]


async def test_a_question_waits_for_its_answer(tmp_path: Path) -> None:
    async with office(tmp_path, [], Wishes(change=_rehearsing)) as work:
        thread, _ = await work.say(MARIA, "ask me which colour: red, blue or green")
        question = await work.question(thread)
        assert question.questions[0].options == ("red", "blue", "green")
        await work.say(MARIA, "blue", thread)
        await work.settled(thread)
        assert "blue" in work.replies(thread)[0]
