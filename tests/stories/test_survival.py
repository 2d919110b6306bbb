"""A computer that rests is saved and put away; one that is lost is said to be lost, and its files are back."""

from __future__ import annotations

import asyncio
import json
import shutil
from pathlib import Path

import pytest

from bot.entries import Entry
from bot.lost import Lost, Unsaved
from bot.saves import Bounds
from sandbox.bubblewrap import BubblewrapBackend, Settings
from sandbox.types import HOME
from tests.support.machine import FakeBackend
from tests.support.office import MARIA, Office, Wishes, office
from tests.support.replies import calls, says

NOTE = f"{HOME}/note.txt"


def mishaps(entries: list[Entry]) -> list[Lost | Unsaved]:
    return [entry for entry in entries if isinstance(entry, Lost | Unsaved)]


async def put_away(here: Office) -> None:
    """Time passes, and the machine is not needed."""
    await here.resting()
    await here.machines.put_away_idle()


SCRIPT = [
    calls("write_file", path="note.txt", content="forty-two"),
    says("Written."),
    calls("read_file", path="note.txt"),
    says("It says what it says."),
]


async def test_a_machine_that_rests_is_saved_stopped_and_there_again_for_a_follow_up(tmp_path: Path) -> None:
    backend = FakeBackend()
    async with office(tmp_path, SCRIPT, Wishes(backend=backend, idle=0.0)) as here:
        thread, _ = await here.say(MARIA, "write it down")
        await here.settled(thread)
        await put_away(here)
        assert len(await here.store.homes.saves(thread.session)) == 1
        first = backend.machines[thread.session]
        await here.say(MARIA, "what does it say?", thread, addressed=False)
        await here.settled(thread, 2)
        assert backend.machines[thread.session] is not first
        assert "forty-two" in str(here.server.requests[-1].body["input"])
        assert mishaps(await here.entries(thread)) == []


async def test_a_lost_computer_is_said_to_be_lost_and_its_files_are_back(tmp_path: Path) -> None:
    backend = FakeBackend()
    async with office(tmp_path, SCRIPT, Wishes(backend=backend, idle=0.0)) as here:
        thread, _ = await here.say(MARIA, "write it down")
        await here.settled(thread)
        await put_away(here)
        await backend.destroy(thread.session)
        await here.say(MARIA, "what does it say?", thread, addressed=False)
        await here.settled(thread, 2)
        [lost] = mishaps(await here.entries(thread))
        assert isinstance(lost, Lost)
        assert (lost.saved is not None, lost.files) == (True, 1)
        asked = json.dumps(here.server.requests[-1].body, ensure_ascii=False)
        assert "forty-two" in asked
        assert "The computer was lost; files are back as of" in asked
        assert "The computer was lost" in repr(here.card(thread))


async def test_a_computer_lost_without_a_save_is_not_silently_replaced(tmp_path: Path) -> None:
    backend = FakeBackend()
    async with office(tmp_path, SCRIPT, Wishes(backend=backend)) as here:
        thread, _ = await here.say(MARIA, "write it down")
        await here.settled(thread)
        await backend.destroy(thread.session)
        await here.say(MARIA, "what does it say?", thread, addressed=False)
        await here.settled(thread, 2)
        [lost] = mishaps(await here.entries(thread))
        assert isinstance(lost, Lost)
        assert lost.saved is None
        assert "its files with it" in json.dumps(here.server.requests[-1].body)


async def test_what_a_save_has_no_room_for_is_told(tmp_path: Path) -> None:
    wishes = Wishes(backend=FakeBackend(), idle=0.0, saves=Bounds(each=4))
    async with office(tmp_path, SCRIPT, wishes) as here:
        thread, _ = await here.say(MARIA, "write it down")
        await here.settled(thread)
        await put_away(here)
        await here.say(MARIA, "what does it say?", thread, addressed=False)
        await here.settled(thread, 2)
        [unsaved] = mishaps(await here.entries(thread))
        assert isinstance(unsaved, Unsaved)
        assert unsaved.left == (NOTE,)
        assert "too large to be saved" in json.dumps(here.server.requests[-1].body)


async def test_a_machine_that_is_needed_again_is_not_put_away(tmp_path: Path) -> None:
    async with office(tmp_path, SCRIPT, Wishes(backend=FakeBackend(), idle=0.0)) as here:
        thread, _ = await here.say(MARIA, "write it down")
        await here.settled(thread)
        await here.resting()
        computer = here.machines(thread)
        machine, away = await asyncio.gather(computer.machine(), computer.put_away())
        assert not away
        assert (await machine.exec("true", timeout=20)).exit_code == 0


@pytest.mark.slow
@pytest.mark.timeout(120)
async def test_a_real_machines_home_is_deleted_and_its_files_come_back(tmp_path: Path) -> None:
    script = [calls("shell", command="echo forty-two > note.txt"), *SCRIPT[1:]]
    backend = BubblewrapBackend(Settings(tmp_path / "state"))
    async with office(tmp_path, script, Wishes(backend=backend, idle=0.0)) as here:
        thread, _ = await here.say(MARIA, "write it down")
        await here.settled(thread)
        await put_away(here)
        await asyncio.to_thread(shutil.rmtree, tmp_path / "homes")
        await here.say(MARIA, "what does it say?", thread, addressed=False)
        await here.settled(thread, 2)
        [lost] = mishaps(await here.entries(thread))
        assert isinstance(lost, Lost)
        assert lost.files >= 1
        assert "forty-two" in json.dumps(here.server.requests[-1].body)


async def test_a_save_that_breaks_half_way_leaves_the_one_before(tmp_path: Path) -> None:
    backend = FakeBackend()
    async with office(tmp_path, SCRIPT, Wishes(backend=backend, idle=0.0)) as here:
        thread, _ = await here.say(MARIA, "write it down")
        await here.settled(thread)
        await put_away(here)
        [before] = await here.store.homes.saves(thread.session)
        computer = here.machines(thread)
        await computer.machine()
        backend.machines[thread.session].lose()
        await computer.rest()
        assert await computer.put_away()
        assert await here.store.homes.saves(thread.session) == [before]
