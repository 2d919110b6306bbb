"""What every backend gets from the roster, with guests to which the host comes in each of the ways there are."""

from __future__ import annotations

import asyncio
import dataclasses
from collections.abc import Awaitable, Callable
from pathlib import Path

import pytest

from sandbox.guest_system import Inside
from sandbox.roster import Kind, Launched, Roster, browser_home
from sandbox.types import MachineLost, MachineSpec, MachineUnavailable

from .streamed import Process, Streamed, no_problems

SpecFor = Callable[[str], MachineSpec]


@pytest.mark.parametrize("way", ["pipes", "device", "listen"])
async def test_a_guest_serves_the_host_however_it_comes(way: str, spec_for: SpecFor, tmp_path: Path) -> None:
    roster = Streamed(tmp_path / "state", way).roster()
    machine = await roster.start(spec_for("s1"))
    assert (await machine.exec("echo hello; cat", timeout=30)).text == "hello\n"
    content = bytes(range(256)) * 4000
    await machine.write("a.bin", content)
    assert await machine.read("a.bin") == content
    assert "token" not in [entry.name for entry in await machine.list()]
    await roster.close()
    with pytest.raises(MachineLost):
        await machine.exec("true", timeout=30)


async def test_all_who_ask_at_once_get_the_same_machine(spec_for: SpecFor, tmp_path: Path) -> None:
    roster = Streamed(tmp_path / "state", "pipes").roster()
    machines = await asyncio.gather(*(roster.start(spec_for("s1")) for _ in range(5)))
    assert all(machine is machines[0] for machine in machines)
    assert not await roster.pause("s1")
    assert not await roster.pause("nobody")
    await roster.close()


async def test_destroying_deletes_the_home_and_what_the_browser_kept(spec_for: SpecFor, tmp_path: Path) -> None:
    roster = Streamed(tmp_path / "state", "pipes").roster()
    spec = spec_for("s1")
    await (await roster.start(spec)).write("a.txt", b"a")
    await roster.destroy("s1")
    assert not spec.home.exists()
    assert not browser_home(spec.home).exists()


async def test_the_probe_of_a_host_starts_a_machine(tmp_path: Path) -> None:
    assert await Streamed(tmp_path / "state", "pipes").roster().check() == ()


async def test_a_guest_that_was_given_another_token_hangs_up(spec_for: SpecFor, tmp_path: Path) -> None:
    streamed = Streamed(tmp_path / "state", "listen")

    async def launch(spec: MachineSpec) -> Launched:
        return dataclasses.replace(await streamed.launch(spec), token="another")

    with pytest.raises(MachineUnavailable, match="did not start"):
        await roster_of(tmp_path, launch).start(spec_for("s1"))


async def test_a_machine_that_does_not_start_says_why(spec_for: SpecFor, tmp_path: Path) -> None:
    async def launch(spec: MachineSpec) -> Launched:
        with (tmp_path / "complaints").open("w+b", buffering=0) as complaints:
            child = await asyncio.create_subprocess_exec(
                "sh", "-c", "echo no such image >&2", stdin=-1, stdout=-1, stderr=complaints
            )
        assert child.stdout
        assert child.stdin
        process = Process(child, (tmp_path / "complaints").open("r+b"))
        return Launched(child.stdout, child.stdin, process.end, process.said)

    roster = roster_of(tmp_path, launch)
    with pytest.raises(MachineUnavailable, match="no such image"):
        await roster.start(spec_for("s1"))
    (problem,) = await roster.check()
    assert problem.fatal
    assert "no such image" in problem.what


def roster_of(folder: Path, launch: Callable[[MachineSpec], Awaitable[Launched]]) -> Roster:
    return Roster(Kind("odd", folder / "odd", Inside(), launch, no_problems))
