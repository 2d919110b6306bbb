"""A person takes the machine over, the session rests, and goes on when it is given back."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

from bot.agent.parts import Parts
from bot.entries import Entry, Finished, Replied
from bot.handover import GaveBack, TookOver
from bot.heard import GiveBack, Person, TakeOver, Thread
from bot.outgoing import Question
from bot.tools import machine as machine_tools
from bot.tools import takeover
from bot.tools import thread as thread_tools
from bot.tools.types import Toolbox
from tests.support.machine import FakeBackend, FakeMachine
from tests.support.office import BEN, GUS, MARIA, Wishes, office
from tests.support.replies import calls, says
from tests.support.waiting import until

PAGE = "Invoices (https://portal.example.com/invoices)"


def _page(thread: Thread) -> str:
    return f"https://bot.example/live/{thread.session}"


def _link(thread: Thread, person: Person) -> str:
    return f"{_page(thread)}?for={person.name}"


def wishes(backend: FakeBackend | None = None) -> Wishes:
    """A toolbox that can ask for a takeover, links that can be read."""

    def change(parts: Parts) -> Parts:
        box = Toolbox.of(*machine_tools.TOOLS, *thread_tools.TOOLS, takeover.TOOL)
        return replace(parts, toolbox=box, watch=_page, invite=_link)

    return Wishes(backend=backend, change=change)


def kinds(entries: list[Entry]) -> list[str]:
    return [entry.kind for entry in entries]


async def test_it_asks_for_a_sign_in_waits_and_goes_on_by_itself(tmp_path: Path) -> None:
    script = [calls("request_takeover", what="your sign-in at portal.example.com"), says("Three invoices are open.")]
    async with office(tmp_path, script, wishes()) as here:
        thread, _ = await here.say(MARIA, "which invoices are open?")
        asked: Question = await here.question(thread)
        assert "your sign-in at portal.example.com. I wait; nothing you type is recorded." in asked.questions[0].text
        assert asked.screen == f"https://bot.example/live/{thread.session}"
        await here.resting()
        here.clock.ahead = timedelta(days=5)
        await here.hear(thread, TakeOver(MARIA))
        await here.until(thread, lambda state: state.hold is not None)
        await here.resting()
        assert here.card(thread).headline == "Waiting for Maria to give my screen back"
        await here.hear(thread, GiveBack(MARIA, PAGE))
        await here.settled(thread)
        assert here.replies(thread) == ["Three invoices are open."]
        sent = json.dumps(here.server.requests[-1].body)
        assert PAGE in sent
        assert "Maria answered: gave the screen back" in sent


async def test_a_takeover_cuts_the_model_short_and_nothing_it_said_counts(tmp_path: Path) -> None:
    held = says("This is a long answer that must not stand. " * 8).hold(2)
    async with office(tmp_path, [held, says("After you.")], wishes()) as here:
        thread, _ = await here.say(MARIA, "think hard")
        await held.held()
        await here.hear(thread, TakeOver(MARIA))
        await here.until(thread, lambda state: state.hold is not None)
        await here.resting()
        assert not [entry for entry in await here.entries(thread) if isinstance(entry, Replied)]
        await here.hear(thread, GiveBack(MARIA))
        await here.settled(thread)
        assert here.replies(thread) == ["After you."]


async def test_a_running_command_is_ended_and_the_machine_is_the_persons(tmp_path: Path) -> None:
    backend = FakeBackend()
    script = [calls("shell", command="sleep 600"), says("It was cut off.")]
    async with office(tmp_path, script, wishes(backend)) as here:
        thread, _ = await here.say(MARIA, "wait long")
        await until(lambda: any("sleep" in one for m in backend.machines.values() for one in m.commands))
        await here.hear(thread, TakeOver(MARIA))
        await here.until(thread, lambda state: state.hold is not None and not state.pending)
        computer = here.machines(thread)
        await until(lambda: computer.floor.holder == MARIA.id)
        machine: FakeMachine = backend.machines[thread.session]
        assert "kill -STOP" in machine.commands[-1]
        await here.hear(thread, GiveBack(MARIA))
        state = await here.settled(thread)
        assert computer.floor.holder == ""
        assert "kill -CONT" in machine.commands[-1]
        [finished] = [entry for _, entry in state.entries if isinstance(entry, Finished)]
        assert finished.unknown
        assert "Maria took my screen over" in finished.output


async def test_one_person_at_a_time_and_only_those_it_works_for(tmp_path: Path) -> None:
    script = [calls("request_takeover", what="a hand"), says("Thanks.")]
    async with office(tmp_path, script, wishes()) as here:
        thread, _ = await here.say(MARIA, "help")
        await here.question(thread)
        for stranger in (BEN, GUS):
            await here.hear(thread, TakeOver(stranger))
        await here.until(thread, lambda state: len(state.refused) == 2)
        await here.hear(thread, TakeOver(MARIA))
        await here.until(thread, lambda state: state.hold is not None)
        await here.say(BEN, "I can help too, use the blue form", thread)
        await here.hear(thread, TakeOver(BEN))
        state = await here.until(thread, lambda state: len(state.refused) == 3)
        assert "Maria has my screen" in state.refused[-1].why
        await here.hear(thread, GiveBack(BEN))
        await here.hear(thread, GiveBack(MARIA))
        state = await here.settled(thread)
        assert kinds([entry for _, entry in state.entries]).count("gave_back") == 1


async def test_a_hold_lapses_without_a_sign_of_life_and_a_sign_of_life_prolongs_it(tmp_path: Path) -> None:
    async with office(tmp_path, [calls("request_takeover", what="a hand"), says("Thanks.")], wishes()) as here:
        thread, _ = await here.say(MARIA, "help")
        await here.question(thread)
        await here.hear(thread, TakeOver(MARIA))
        first = (await here.until(thread, lambda state: state.hold is not None)).hold
        await here.hear(thread, TakeOver(MARIA))
        state = await here.until(thread, lambda state: state.hold is not None and state.hold != first)
        assert first is not None
        assert state.hold is not None
        assert state.hold.until >= first.until
        await here.resting()
        here.clock.ahead = timedelta(minutes=31)
        await here.hear(thread, GiveBack(BEN))  # any ring: the session looks at the time
        state = await here.until(thread, lambda state: state.hold is None)
        assert state.entries[-1][1] == GaveBack(state.entries[-1][1].at, f"lapsed:{_last_hold(state.entries)}", None)
        assert state.open_asks, "the sign-in is still wanted"
        await here.say(MARIA, "done, I signed in", thread, addressed=False)
        await here.settled(thread)


def _last_hold(entries: list[tuple[int, Entry]]) -> str:
    return [entry.key for _, entry in entries if isinstance(entry, TookOver)][-1]


async def test_a_personal_link_is_whispered_and_never_written_down(tmp_path: Path) -> None:
    async with office(tmp_path, [says("Hello.")], wishes()) as here:
        thread, _ = await here.say(MARIA, "hi")
        await here.settled(thread)
        await here.say(MARIA, "let me watch", thread, addressed=False)
        await here.surface.until(lambda: here.surface.whispers or None)
        assert "?for=Maria" in here.surface.whispers[0].text
        assert here.surface.whispers[0].to == MARIA
        assert "?for=" not in "".join(repr(entry) for entry in await here.entries(thread))
