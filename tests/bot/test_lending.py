"""A real machine lent to a person: they send what they like, the agent's programs send nothing in their name."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path

from bot.floor import Floor
from bot.heard import Thread
from bot.machines import Machines, SessionComputer, Yard
from bot.store import Blobs, EgressRow
from sandbox.bubblewrap import BubblewrapBackend, Ids, Settings
from sandbox.egress.address import Addresses
from sandbox.egress.authority import Authority
from sandbox.egress.upstream import Upstream
from sandbox.machine import GuestMachine
from sandbox.types import Limits
from tests.support.origin import Origin, origin
from tests.support.waiting import until, until_true

SMALL = Limits(memory_bytes=256 * 1024**2, processes=64, disk_bytes=32 * 1024**2)


@dataclass
class Bench:
    """One session's computer and a site it may reach."""

    computer: SessionComputer
    site: Origin
    folder: Path
    rows: list[EgressRow] = field(default_factory=list[EgressRow])


@asynccontextmanager
async def bench(folder: Path, ids: Ids | None = None) -> AsyncGenerator[Bench]:
    async with origin("127.0.0.1") as site:
        upstream = Upstream(Addresses(frozenset({f"127.0.0.1:{site.port}"})))
        rows: list[EgressRow] = []

        async def record(session: str, row: EgressRow) -> None:
            del session
            rows.append(row)

        backend = BubblewrapBackend(Settings(folder / "state", ids=ids))
        blobs = Blobs(folder / "blobs")
        yard = Yard(backend, upstream, Authority(folder / "ca"), blobs, record, folder / "homes", SMALL)
        machines = Machines(yard)
        try:
            yield Bench(machines(Thread("fake", "w", "c", "1")), site, folder, rows)
        finally:
            await machines.close()


async def test_a_persons_form_is_sent_and_nothing_of_it_is_kept(tmp_path: Path) -> None:
    async with bench(tmp_path) as here:
        await here.computer.machine()
        await here.computer.lend("fake/maria")
        machine = await here.computer.lent_machine()
        await machine.exec(f"curl -sS -d password=correct-horse {here.site.url('/login')}", timeout=30)
        assert [visit.body for visit in here.site.writes()] == [b"password=correct-horse"]
        assert here.computer.take_held() == ()
        await until(lambda: bool(here.rows))
        assert [row.sha256 for row in here.rows] == [""]
        await here.computer.lend("")
        late = await machine.exec(f"curl -sS -d password=correct-horse {here.site.url('/late')}", timeout=30)
        assert "nothing of theirs is sent unasked or kept" in late.text
        assert here.computer.take_held() == ()
        files = [path for path in (tmp_path / "blobs").rglob("*") if path.is_file()]
        assert [path for path in files if b"correct-horse" in path.read_bytes()] == []


async def test_a_program_left_running_sends_nothing_while_a_person_has_the_machine(tmp_path: Path) -> None:
    async with bench(tmp_path) as here:
        machine = await here.computer.machine()
        url = here.site.url("/steal")
        loop = f"while :; do date +%N > tick; curl -s -m 5 -d agent=1 {url} >/dev/null; sleep 0.05; done"
        await machine.exec(f"setsid bash -c '{loop}' >/dev/null 2>&1 &", timeout=10)

        async def kept() -> bool:
            return len(here.computer.take_held()) > 0

        await until_true(kept)
        await here.computer.lend("fake/maria")
        lent = await here.computer.lent_machine()
        before = await lent.read("tick")
        await lent.exec(f"sleep 1; curl -sS -d person=1 {url}", timeout=30)
        assert await lent.read("tick") == before
        await here.computer.lend("")

        async def goes_on() -> bool:
            return await lent.read("tick") != before

        await until_true(goes_on)
        assert {visit.body for visit in here.site.writes()} == {b"person=1"}


async def test_the_floor_tells_whoever_waits_of_each_change() -> None:
    floor = Floor()
    assert not floor.private
    floor.give("maria")
    assert floor.curtained("ben")
    assert not floor.curtained("maria")
    floor.give("")
    assert floor.private, "what her page still sends is not kept"
    assert not floor.curtained("ben")


async def test_where_all_users_are_one_nothing_is_sent_in_a_persons_name(tmp_path: Path) -> None:
    async with bench(tmp_path, "same") as here:
        machine = await here.computer.machine()
        await here.computer.lend("fake/maria")
        said = await machine.exec(f"curl -sS -d agent=1 {here.site.url('/steal')}", timeout=30)
        assert "nothing of theirs is sent unasked or kept" in said.text
        assert here.site.writes() == []
        assert here.computer.take_held() == ()


async def test_a_persons_shell_keeps_no_history_and_reads_nothing_the_agent_left(tmp_path: Path) -> None:
    async with bench(tmp_path) as here:
        machine = await here.computer.machine()
        await machine.exec("echo 'touch spied' > .bashrc; echo 'touch spied' > .bash_profile", timeout=30)
        await here.computer.lend("fake/maria")
        lent = await here.computer.lent_machine()
        assert isinstance(lent, GuestMachine)
        shell = await lent.terminal()
        await shell.write(b": correct-horse; history -a; touch ready; exit\n")
        while await shell.read():
            pass
        names = {one.name for one in await lent.list()}
        assert "ready" in names
        assert names & {"spied", ".bash_history"} == set()
