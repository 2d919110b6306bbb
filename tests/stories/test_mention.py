"""From a mention to an answer, as the person in the thread sees it."""

from pathlib import Path

from tests.support.office import MARIA, office
from tests.support.replies import calls, says


async def test_a_mention_is_answered_under_one_card(tmp_path: Path) -> None:
    script = [
        calls("plan", goal="Count the words", steps=[{"text": "Count", "state": "doing"}]),
        calls("shell", command="echo 42"),
        says("There are 42 words."),
    ]
    async with office(tmp_path, script) as work:
        thread, message = await work.say(MARIA, "count the words please")
        await work.settled(thread)
        assert work.replies(thread) == ["There are 42 words."]
        card = work.card(thread)
        assert (card.goal, card.state) == ("Count the words", "done")
        assert [mark.mark for mark in work.surface.marks if mark.ts == message.ts] == ["seen", "working", "done"]
