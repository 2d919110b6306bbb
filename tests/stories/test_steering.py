"""Questions, stops, limits, edits: how a person keeps hold of the work."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from pathlib import Path

from bot.agent.parts import Parts
from bot.heard import Halt, Press, Resume
from bot.outgoing import Record
from bot.session.steps import Allowance
from tests.support.machine import FakeBackend
from tests.support.office import BEN, MARIA, Wishes, office
from tests.support.posting import posting
from tests.support.replies import Call, Turn, calls, says

TWO = [
    {"text": "Fiscal year from", "options": ["January", "April"], "default": "January"},
    {"text": "Currency", "options": ["USD", "EUR"], "default": "USD"},
]


async def test_a_csv_becomes_a_chart_and_a_summary_delivered_as_files(tmp_path: Path) -> None:
    script = [
        calls("shell", command="cat inbox/sales.csv"),
        calls("shell", command="make chart.png PNG"),
        calls("shell", command="make summary.md All is well"),
        Turn.of(Call("deliver_file", {"path": "chart.png"}), Call("deliver_file", {"path": "summary.md"})),
        says("Sales grew; the chart and a summary are below."),
    ]
    async with office(tmp_path, script, Wishes(backend=FakeBackend(posting))) as work:
        sales = work.surface.attach("sales.csv", b"q,eur\nQ1,5\nQ2,7\n", "text/csv")
        thread, _ = await work.say(MARIA, "chart this and sum it up", files=(sales,))
        state = await work.settled(thread)
        assert "Q2,7" in str(work.server.requests[1].body["input"])
        assert [file.name for file in work.surface.files(thread)] == ["chart.png", "summary.md"]
        assert state.runs[0].answered


async def test_several_questions_are_answered_one_by_one_with_buttons(tmp_path: Path) -> None:
    async with office(tmp_path, [calls("ask", questions=TWO), says("April in EUR it is.")]) as work:
        thread, _ = await work.say(MARIA, "build the deck")
        card = await work.question(thread)
        assert card.deadline.endswith("January, USD.")
        await work.press(thread, BEN, card, "", answers={"0": "January"})
        await work.press(thread, MARIA, card, "", answers={"0": "April"})
        await work.press(thread, MARIA, card, "", answers={"nonsense": "x"})
        await work.press(thread, MARIA, card, "", answers={"1": "EUR"})
        await work.settled(thread)
        assert "Fiscal year from April\\nCurrency EUR" in str(work.server.requests[-1].body["input"])
        assert [one.to.name for one in work.surface.whispers] == ["Ben", "Maria"]
        assert "Maria answered" in work.shown(thread, Record)[0].outcome


async def test_silence_means_the_defaults(tmp_path: Path) -> None:
    async with office(tmp_path, [calls("ask", questions=TWO), says("January, USD.")]) as work:
        thread, _ = await work.say(MARIA, "build the deck")
        await work.question(thread)
        await work.resting()
        work.clock.ahead += timedelta(hours=3)
        await work.settled(thread)
        assert "the defaults hold" in str(work.server.requests[-1].body["input"])


async def test_work_goes_on_while_a_question_is_open_and_its_answer_is_taken_up(tmp_path: Path) -> None:
    script = [calls("ask", questions=TWO, meanwhile=True), says("Without an answer."), says("With April and EUR.")]
    async with office(tmp_path, script) as work:
        thread, _ = await work.say(MARIA, "build the deck")
        await work.question(thread)
        await work.until(thread, lambda state: state.run and state.run.steps == 2)
        await work.resting()
        assert work.replies(thread) == []
        assert work.card(thread).state == "waiting"
        await work.say(MARIA, "April and EUR", thread, addressed=False)
        await work.settled(thread)
        assert work.replies(thread) == ["With April and EUR."]


async def test_stop_and_go_on_keeps_the_wishes_and_the_files(tmp_path: Path) -> None:
    held = says("word " * 60, "final_answer").hold(2)
    script = [
        calls("shell", command="make a.txt hello"),
        calls("deliver_file", path="a.txt"),
        held,
        says("Here it is."),
    ]
    async with office(tmp_path, script, Wishes(backend=FakeBackend(posting))) as work:
        thread, _ = await work.say(MARIA, "make the file")
        await held.held()
        await work.hear(thread, Halt(MARIA))
        await work.settled(thread)
        await held.gone()
        [told] = work.replies(thread)
        assert told.startswith("Maria stopped me.")
        assert "Prepared a.txt" in told
        assert "go on" in told
        await work.resting()
        await work.hear(thread, Resume(MARIA))
        await work.settled(thread, run=2)
        assert [file.name for file in work.surface.files(thread)] == ["a.txt"]
        assert work.card(thread).goal == "make the file"
        assert work.replies(thread)[-1] == "Here it is."
        await work.hear(thread, Resume(MARIA))
        await work.surface.until(lambda: work.surface.whispers)
        assert "nothing left" in work.surface.whispers[0].text


async def test_a_limit_is_said_and_go_on_goes_on(tmp_path: Path) -> None:
    def two_steps(parts: Parts) -> Parts:
        return replace(parts, allowance=Allowance(steps=2))

    script = [calls("shell", command="echo 1"), calls("shell", command="echo 2"), says("Done at last.")]
    async with office(tmp_path, script, Wishes(change=two_steps)) as work:
        thread, _ = await work.say(MARIA, "count")
        await work.settled(thread)
        assert "I have used the 2 steps one request may take." in work.replies(thread)[0]
        assert work.card(thread).state == "failed"
        await work.say(MARIA, "go on", thread, addressed=False)
        await work.settled(thread, run=2)
        assert work.replies(thread)[-1] == "Done at last."


async def test_status_is_told_while_the_model_thinks_and_does_not_disturb_it(tmp_path: Path) -> None:
    held = says("Seven.").hold(0)
    async with office(tmp_path, [held]) as work:
        thread, _ = await work.say(MARIA, "count the chairs")
        await held.held()
        await work.say(MARIA, "how far are you?", thread, addressed=False)
        [told] = await work.surface.until(lambda: work.replies(thread))
        assert told.startswith("Thinking")
        held.release()
        await work.settled(thread)
        assert len(work.server.requests) == 1


async def test_an_edit_after_the_answer_redoes_it_and_so_does_the_next_one(tmp_path: Path) -> None:
    async with office(tmp_path, [says("Q2."), says("Q3."), says("Q4.")]) as work:
        thread, message = await work.say(MARIA, "chart Q2")
        await work.settled(thread)
        await work.edit(thread, message, "chart Q3")
        await work.settled(thread, run=2)
        await work.edit(thread, message, "chart Q4")
        await work.settled(thread, run=3)
        assert work.replies(thread) == ["Q2.", "Q3.", "Q4."]
        assert 'changed the message "chart Q3"' in str(work.server.requests[-1].body["input"])


async def test_an_edit_after_a_stop_starts_nothing(tmp_path: Path) -> None:
    held = says("Q2.").hold(0)
    async with office(tmp_path, [held, says("Q3.")]) as work:
        thread, message = await work.say(MARIA, "chart Q2")
        await held.held()
        await work.say(MARIA, "st\u200bop", thread)
        await work.settled(thread)
        await work.edit(thread, message, "chart Q3")
        await work.until(thread, lambda state: state.said[message.ts].text == "chart Q3")
        await work.resting()
        assert len(work.server.requests) == 1
        await work.say(MARIA, "continue", thread)
        await work.settled(thread, run=2)
        assert "chart Q3" in str(work.server.requests[-1].body["input"])


async def test_a_stop_and_a_new_request_at_once_end_the_one_and_do_the_other(tmp_path: Path) -> None:
    def script(received: object) -> Turn:
        return says("New.") if "something else" in str(received) else calls("shell", command="sleep 600")

    async with office(tmp_path, script) as work:
        thread, _ = await work.say(MARIA, "the old thing")
        await work.until(thread, lambda state: any(call.phase == "running" for call in state.pending))
        stop = work.surface.say(thread, MARIA, "stop")
        more = work.surface.say(thread, MARIA, "something else")
        await work.store.post(thread, stop, "m:stop", opens=False)
        await work.store.post(thread, more, "m:more", opens=False)
        await work.worker.nudge(thread.session)
        state = await work.settled(thread, run=2)
        assert "settled:1" in state.posted
        assert work.replies(thread)[-1] == "New."
        assert not state.pending


async def test_a_colleague_mutes_and_a_follow_up_comes_days_later(tmp_path: Path) -> None:
    async with office(tmp_path, [says("One."), says("Two."), says("Three.")]) as work:
        thread, _ = await work.say(MARIA, "first")
        await work.settled(thread)
        await work.say(MARIA, "mute", thread, addressed=False)
        await work.say(MARIA, "anyone for lunch?", thread, addressed=False)
        await work.say(MARIA, "!aside not for you", thread)
        await work.resting()
        work.clock.ahead += timedelta(days=3)
        await work.say(MARIA, "second", thread)
        await work.settled(thread, run=2)
        await work.restart()
        await work.say(MARIA, "unmute", thread, addressed=False)
        await work.say(MARIA, "third", thread, addressed=False)
        await work.settled(thread, run=3)
        assert work.replies(thread) == ["One.", "Two.", "Three."]
        assert "lunch" not in str(work.server.requests[-1].body)


async def test_a_deleted_constraint_is_withdrawn(tmp_path: Path) -> None:
    held, again = says("x").hold(0), says("y").hold(0)
    async with office(tmp_path, [held, again, says("All colours.")]) as work:
        thread, _ = await work.say(MARIA, "list the chairs")
        await held.held()
        _, wish = await work.say(MARIA, "only blue ones", thread, addressed=False)
        await again.held()
        await work.delete(thread, wish)
        await again.gone()
        await work.settled(thread)
        assert work.replies(thread) == ["All colours."]
        assert "It no longer counts" in str(work.server.requests[-1].body["input"])


async def test_an_unknown_ask_is_refused(tmp_path: Path) -> None:
    async with office(tmp_path, [says("Hello.")]) as work:
        thread, _ = await work.say(MARIA, "hello")
        await work.settled(thread)
        await work.hear(thread, Press(MARIA, "no such", 1, "yes"))
        [told] = await work.surface.until(lambda: work.surface.whispers)
        assert "don't know this question" in told.text
