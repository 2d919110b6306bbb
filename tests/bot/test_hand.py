"""`hand`: programs in a real machine speak to their session, which judges what they ask like its own calls."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path
from typing import Any

import pytest

from bot.broker import Broker, Said
from bot.entries import Finished, Judged, Planned
from bot.heard import Press
from bot.scripted import Requested
from sandbox.bubblewrap import BubblewrapBackend, Settings
from sandbox.guest import hand
from tests.support.office import MARIA, Wishes, office
from tests.support.replies import calls, says


def machines(folder: Path) -> Wishes:
    return Wishes(backend=BubblewrapBackend(Settings(folder / "state")))


async def test_a_script_plans_notes_and_delivers(tmp_path: Path) -> None:
    script = (
        "set -e; echo hello > report.txt; "
        "hand plan 'A report for Maria' --done 'Read it' --doing 'Write it' --todo 'Check it'; "
        "hand note 'the report is short'; hand deliver report.txt --name final.txt; hand status"
    )
    async with office(tmp_path, [calls("shell", command=script), says("Here it is.")], machines(tmp_path)) as here:
        thread, _ = await here.say(MARIA, "make a report")
        state = await here.settled(thread)
        [plan] = [entry for _, entry in state.entries if isinstance(entry, Planned)]
        assert [(step.text, step.state) for step in plan.steps] == [
            ("Read it", "done"),
            ("Write it", "doing"),
            ("Check it", "todo"),
        ]
        assert state.notes == ["the report is short"]
        assert [file.name for file in state.runs[0].files] == ["final.txt"]
        asked = {entry.call for _, entry in state.entries if isinstance(entry, Requested)}
        assert {entry.call for _, entry in state.entries if isinstance(entry, Judged)} >= asked
        [shell] = [e for _, e in state.entries if isinstance(e, Finished) and e.call not in asked]
        assert shell.ok, shell.output
        status = json.loads(shell.output[shell.output.index("{") :])
        assert (status["goal"], status["files"]) == ("A report for Maria", ["final.txt"])


async def test_a_script_asks_and_waits_for_the_answer_while_it_runs(tmp_path: Path) -> None:
    command = "answer=$(hand ask 'Which colour?' --option blue --option green); echo \"got: $answer\" > colour.txt"
    async with office(tmp_path, [calls("shell", command=command), says("Done.")], machines(tmp_path)) as here:
        thread, _ = await here.say(MARIA, "paint it")
        question = await here.question(thread)
        assert question.questions[0].options == ("blue", "green")
        await here.hear(thread, Press(MARIA, question.ask, question.version, "blue"))
        await here.settled(thread)
        await here.resting()
        machine = await here.machines(thread).machine()
        assert b"blue" in await machine.read("colour.txt")


async def test_what_a_script_asked_is_withdrawn_when_its_command_ends(tmp_path: Path) -> None:
    command = "hand ask 'Still there?' >/dev/null 2>&1 & for i in $(seq 200); do sleep 0.1; [ -e go ] && exit; done"
    async with office(tmp_path, [calls("shell", command=command), says("Done.")], machines(tmp_path)) as here:
        thread, _ = await here.say(MARIA, "try")
        question = await here.question(thread)
        machine = await here.machines(thread).machine()
        await machine.write("go", b"")
        state = await here.settled(thread)
        decided = state.asks[question.ask].decided
        assert decided is not None
        assert decided.verdict == "withdrawn"
        assert here.replies(thread) == ["Done."]


async def test_a_program_gets_no_tool_but_the_few_and_none_without_a_command(tmp_path: Path) -> None:
    other = "python3 - <<'E'\nimport sys; sys.path[:0] = []\nimport socket, json\n" + (
        "s = socket.socket(socket.AF_UNIX); s.connect('/run/threadhand/broker')\n"
        's.sendall(json.dumps({"do": "shell", "arguments": {"command": "id"}}).encode() + b"\\n")\n'
        "print(s.recv(4096).decode())\nE"
    )
    async with office(tmp_path, [calls("shell", command=other), says("Done.")], machines(tmp_path)) as here:
        thread, _ = await here.say(MARIA, "try")
        state = await here.settled(thread)
        [shell] = [entry for _, entry in state.entries if isinstance(entry, Finished)]
        assert "hand cannot 'shell'" in shell.output
        await here.resting()
        machine = await here.machines(thread).machine()
        said = await machine.exec("hand note hello", timeout=30)
        assert said.exit_code == 1
        assert "not running a command" in said.text


@pytest.mark.parametrize(
    "line", [b"\n", b"[]\n", b"{}\n", b'{"do": 1, "arguments": 2}\n', b"\xff\xfe\n", b"x" * 70_000]
)
async def test_noise_on_the_socket_is_refused(tmp_path: Path, line: bytes) -> None:
    async def never(word: str, arguments: dict[str, Any]) -> Said:
        raise AssertionError((word, arguments))

    broker = Broker(tmp_path / "b")
    broker.answer = never
    await broker.start()
    try:
        reader, writer = await asyncio.open_unix_connection(str(broker.socket))
        writer.write(line)
        writer.write_eof()
        try:
            said = await asyncio.wait_for(reader.read(), 20)
        except ConnectionResetError:
            said = b""
        assert said == b"" or json.loads(said)["ok"] is False
        writer.close()
    finally:
        await broker.close()


def test_the_words_of_hand_become_the_arguments_of_tools() -> None:
    given = hand.parser().parse_args(["plan", "Goal", "--todo", "b", "--done", "a"])
    assert hand.request(given) == {
        "do": "plan",
        "arguments": {"goal": "Goal", "steps": [{"text": "b", "state": "todo"}, {"text": "a", "state": "done"}]},
    }
    given = hand.parser().parse_args(["ask", "Which?", "--default", "blue"])
    assert hand.request(given)["arguments"] == {"questions": [{"text": "Which?", "options": [], "default": "blue"}]}
