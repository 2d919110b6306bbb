"""How commands run in the machine: output, time, background programs, interruption, terminals."""

from __future__ import annotations

import asyncio
import contextlib
import sys
import venv
from collections.abc import Callable
from pathlib import Path
from typing import cast

import pytest

from sandbox.bubblewrap import BubblewrapBackend, Settings
from sandbox.types import Backend, Machine, MachineLost, MachineSpec, MachineUnavailable, NotFound, Terminals

SpecFor = Callable[[str], MachineSpec]


async def test_output_comes_as_it_is_printed(machine: Machine) -> None:
    came = asyncio.Event()
    running = asyncio.create_task(
        machine.exec("echo first; until [ -e go ]; do :; done; echo last", timeout=60, on_output=lambda _: came.set())
    )
    await asyncio.wait_for(came.wait(), 30)
    await machine.write("go", b"")
    assert (await running).text == "first\nlast\n"


async def test_both_outputs_and_the_exit_code_are_kept(machine: Machine) -> None:
    result = await machine.exec("echo out; echo err >&2; exit 7", timeout=30)
    assert result.text == "out\nerr\n"
    assert result.exit_code == 7
    assert (await machine.exec("kill -TERM $$", timeout=30)).exit_code == 143


async def test_long_output_keeps_its_head_and_tail_and_says_what_is_hidden(machine: Machine) -> None:
    result = await machine.exec("seq 1 200000", timeout=60)
    assert result.text.startswith("1\n2\n")
    assert result.text.endswith("\n200000\n")
    assert result.truncated
    assert f"{result.hidden:,} bytes of output are hidden" in result.text
    assert len(result.output) < 17_000


async def test_a_command_runs_in_the_folder_it_is_told(machine: Machine) -> None:
    await machine.write("project/a.txt", b"a")
    assert (await machine.exec("pwd; ls", timeout=30, cwd="project")).text == "/home/agent/project\na.txt\n"
    assert (await machine.exec("pwd", timeout=30)).text == "/home/agent\n"
    with pytest.raises(NotFound):
        await machine.exec("pwd", timeout=30, cwd="nowhere")


@pytest.mark.slow
async def test_the_input_is_empty_and_nothing_waits_for_it(machine: Machine) -> None:
    assert (await machine.exec("cat; read x; echo done", timeout=30)).text == "done\n"


@pytest.mark.slow
async def test_a_timeout_ends_all_that_was_started(machine: Machine) -> None:
    result = await machine.exec("(setsid sleep 611 &) ; sleep 612 & sleep 613", timeout=1)
    assert result.timed_out
    assert (await machine.exec("pgrep -c sleep", timeout=30)).text == "0\n"


async def test_an_interrupt_ends_programs_that_ignore_signals(machine: Machine) -> None:
    came = asyncio.Event()
    stubborn = "trap '' INT TERM HUP; (trap '' TERM; setsid sleep 614 &); echo up; while :; do sleep 1; done"
    running = asyncio.create_task(machine.exec(stubborn, timeout=600, on_output=lambda _: came.set()))
    await asyncio.wait_for(came.wait(), 30)
    await machine.interrupt()
    result = await running
    assert result.interrupted
    assert not result.timed_out
    assert (await machine.exec("pgrep -c sleep", timeout=30)).text == "0\n"


@pytest.mark.slow
async def test_cancelling_the_one_who_waits_ends_the_command(machine: Machine) -> None:
    came = asyncio.Event()
    running = asyncio.create_task(machine.exec("echo up; sleep 615", timeout=600, on_output=lambda _: came.set()))
    await asyncio.wait_for(came.wait(), 30)
    running.cancel()
    await asyncio.wait({running})
    gone = await machine.exec("while pgrep sleep >/dev/null; do :; done; echo gone", timeout=30)
    assert gone.text == "gone\n"


@pytest.mark.slow
async def test_a_server_left_in_the_background_goes_on(machine: Machine) -> None:
    started = await machine.exec("(while :; do echo noise; touch beat; sleep 0.05; done) & echo started", timeout=30)
    assert started.exit_code == 0
    assert "started" in started.text
    for _ in range(2):
        assert (await machine.exec("rm -f beat; until [ -e beat ]; do sleep 0.02; done", timeout=30)).exit_code == 0


@pytest.mark.slow
async def test_many_commands_run_side_by_side(machine: Machine) -> None:
    results = await asyncio.gather(*(machine.exec(f"echo {number}", timeout=60) for number in range(20)))
    assert [result.text for result in results] == [f"{number}\n" for number in range(20)]


@pytest.mark.slow
async def test_a_command_that_begins_while_another_is_ended_goes_on(machine: Machine) -> None:
    """Ending one command's runaway programs must not take those that began after it."""
    stopped = [machine.exec("(setsid sleep 617 &); sleep 617", timeout=0.02 * number) for number in range(15)]
    fine = [machine.exec(f"sleep 0.0{number}; echo fine", timeout=60) for number in range(15)]
    results = await asyncio.gather(*stopped, *fine)
    assert all(result.timed_out for result in results[:15])
    assert [result.text for result in results[15:]] == ["fine\n"] * 15


@pytest.mark.slow
async def test_files_written_by_hand_belong_to_the_programs(machine: Machine) -> None:
    await machine.write("scripts/run.sh", b"#!/bin/sh\necho ran >> log\nexec cat log", mode=0o755)
    assert (await machine.exec("./run.sh", timeout=30, cwd="scripts")).text == "ran\n"
    assert await machine.read("scripts/log") == b"ran\n"
    assert (await machine.exec("rm -r scripts && ls", timeout=30)).text == ""


async def test_the_machine_that_dies_is_said_to_be_lost(backend: Backend, spec_for: SpecFor) -> None:
    machine = await backend.start(spec_for("s1"))
    running = asyncio.create_task(machine.exec("sleep 616", timeout=600))
    await machine.write("kept.txt", b"kept")
    await machine.close()
    with pytest.raises(MachineLost, match="files are kept"):
        await running
    again = await backend.start(spec_for("s1"))
    assert await again.read("kept.txt") == b"kept"


@pytest.mark.slow
async def test_a_machine_that_cannot_start_says_why(backend: Backend, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("in the way")
    with pytest.raises((MachineUnavailable, OSError)):
        await backend.start(MachineSpec("s1", tmp_path / "file"))


async def test_a_terminal_echoes_resizes_and_ends(machine: Machine) -> None:
    terminal = await cast("Terminals", machine).terminal(rows=30, columns=100)
    await terminal.write(b"PS1=; stty size; tty; stty -echo\n")
    await terminal.resize(40, 120)
    await terminal.write(b"stty size; exit\n")
    seen = b""
    while piece := await asyncio.wait_for(terminal.read(), 30):
        seen += piece
    assert b"30 100" in seen or b"40 120" in seen
    assert b"/dev/pts/" in seen
    assert b"40 120" in seen
    await terminal.close()


@pytest.mark.slow
async def test_a_terminal_that_prints_much_waits_for_its_reader(machine: Machine) -> None:
    terminal = await cast("Terminals", machine).terminal()
    await terminal.write(b'stty -echo; seq 1 400000; echo the-""end; exit\n')
    size, tail = 0, b""
    while piece := await asyncio.wait_for(terminal.read(), 30):
        size += len(piece)
        tail = (tail + piece)[-200:]
    assert size > 2_000_000
    assert b"the-end" in tail
    await terminal.close()


async def test_programs_find_the_libraries_of_the_machines_environment(tmp_path: Path, spec_for: SpecFor) -> None:
    env = tmp_path / "env"
    venv.create(env, symlinks=True)
    (next(env.glob("lib/python*/site-packages")) / "only_there.py").write_text("print('found')")
    backend = BubblewrapBackend(Settings(tmp_path / "state", machine_env=env))
    machine = await backend.start(spec_for("s1"))
    try:
        result = await machine.exec("python3 -c 'import only_there'; echo $MPLBACKEND $HOME", timeout=30)
        assert result.text == "found\nAgg /home/agent\n"
    finally:
        await backend.close()


KILLED = """
import asyncio, sys
from pathlib import Path
from sandbox.bubblewrap import BubblewrapBackend, Settings
from sandbox.types import MachineSpec

async def main():
    backend = BubblewrapBackend(Settings(Path(sys.argv[1]) / "state"))
    machine = await backend.start(MachineSpec("killed", Path(sys.argv[1]) / "home"))
    await machine.exec("(setsid sleep 618.25 &); echo", timeout=60)
    if sys.argv[2] == "paused":
        assert await backend.pause("killed")
    print("ready", flush=True)
    await asyncio.sleep(600)

asyncio.run(main())
"""


@pytest.mark.slow
@pytest.mark.parametrize("state", ["running", "paused"])
async def test_nothing_of_a_machine_outlives_a_killed_bot(tmp_path: Path, state: str) -> None:
    bot = await asyncio.create_subprocess_exec(
        sys.executable, "-c", KILLED, str(tmp_path), state, stdout=asyncio.subprocess.PIPE
    )
    assert bot.stdout is not None
    assert await asyncio.wait_for(bot.stdout.readline(), 60) == b"ready\n"
    assert left_over()
    bot.kill()
    await bot.wait()
    if state == "paused":
        BubblewrapBackend(Settings(tmp_path / "state"))
    async with asyncio.timeout(30):
        while left_over():  # noqa: ASYNC110  (another process is waited for)
            await asyncio.sleep(0.05)


def left_over() -> list[str]:
    """Programs of the machine above that the host still has."""
    found: list[str] = []
    for file in Path("/proc").glob("[0-9]*/cmdline"):
        with contextlib.suppress(OSError):
            if b"618.25" in file.read_bytes() and b"asyncio" not in file.read_bytes():
                found.append(file.parent.name)
    return found
