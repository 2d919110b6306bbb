"""What only virtual machines do: they start as copies of one that has booted, and keep a session's files on a disk."""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
import sys
import time
from collections.abc import AsyncIterator, Callable
from pathlib import Path

import pytest

from sandbox.qemu import QemuBackend, Settings, make_disk, shape_for
from sandbox.qemu_boot import initial, modules
from sandbox.qemu_template import Templates
from sandbox.types import Machine, MachineError, MachineLost, MachineSpec
from tests.support.waiting import until

from .conftest import IMAGE, LIMITS

SpecFor = Callable[[str], MachineSpec]
STARTS_ONE = """
import asyncio, sys
from pathlib import Path
from sandbox.qemu import QemuBackend, Settings
from sandbox.types import Limits, MachineSpec

async def main():
    limits = Limits(memory_bytes=192 * 1024**2, processes=96, disk_bytes=48 * 1024**2, cpu=2.0)
    backend = QemuBackend(Settings(Path(sys.argv[1]), Path(sys.argv[2]), "tcg"))
    machine = await backend.start(MachineSpec("s1", Path(sys.argv[3]), limits))
    await machine.write("kept.txt", b"of before")
    await machine.exec("sync", timeout=60)
    await backend.pause("s1")
    print("paused", flush=True)
    await asyncio.sleep(600)

asyncio.run(main())
"""


def settings(tmp_path: Path, accelerator: str = "tcg") -> Settings:
    """One template for all tests of a run."""
    return Settings(tmp_path.parent / "qemu", IMAGE, accelerator)


@pytest.fixture
async def qemu(tmp_path: Path) -> AsyncIterator[QemuBackend]:
    backend = QemuBackend(settings(tmp_path))
    yield backend
    await backend.close()


async def said(machine: Machine, command: str) -> str:
    return (await machine.exec(command, timeout=60)).text


def running(parent: int) -> list[int]:
    """The qemu processes that a process has started."""
    found: list[int] = []
    for folder in Path("/proc").glob("[0-9]*"):
        with contextlib.suppress(OSError):
            name, _, rest = (folder / "stat").read_text().partition("(")[2].rpartition(")")
            if name.startswith("qemu") and int(rest.split()[1]) == parent:
                found.append(int(folder.name))
    return found


@pytest.mark.slow
async def test_files_are_there_again_after_a_restart_of_the_bot(tmp_path: Path, spec_for: SpecFor) -> None:
    first = QemuBackend(settings(tmp_path))
    machine = await first.start(spec_for("s1"))
    await machine.write("report/march.txt", b"written just now")
    await first.pause("s1")
    await first.close()
    second = QemuBackend(settings(tmp_path))
    again = await second.start(spec_for("s1"))
    assert await again.read("report/march.txt") == b"written just now"
    await second.destroy("s1")
    assert not spec_for("s1").home.exists()
    await second.close()


@pytest.mark.slow
async def test_copies_of_one_machine_have_random_numbers_of_their_own(qemu: QemuBackend, spec_for: SpecFor) -> None:
    ask = (
        "cat /proc/sys/kernel/random/boot_id; head -c 16 /dev/urandom | base64; "
        "python3 -c 'import random, uuid; print(random.random(), uuid.uuid4())'; mktemp -u"
    )
    machines = [await qemu.start(spec_for(name)) for name in ("s1", "s2")]
    one, other = [(await said(machine, ask)).splitlines() for machine in machines]
    assert len(one) == len(other) == 4
    assert not set(one) & set(other)


@pytest.mark.slow
async def test_the_clock_is_right_in_a_copy_and_after_a_pause(qemu: QemuBackend, spec_for: SpecFor) -> None:
    machine = await qemu.start(spec_for("s1"))
    for _ in range(2):
        before = time.time()
        shown = float(await said(machine, "date +%s.%N"))
        assert before - 0.5 <= shown <= time.time() + 0.5
        assert await qemu.pause("s1")
        paused = time.monotonic()
        await until(lambda since=paused: time.monotonic() - since > 1.5)


@pytest.mark.slow
async def test_the_disk_and_the_ports_are_not_the_agents(qemu: QemuBackend, spec_for: SpecFor) -> None:
    machine = await qemu.start(spec_for("s1"))
    assert (await machine.exec("cat /dev/host /dev/home", timeout=60)).exit_code != 0
    assert await said(machine, "ls /dev | tr '\\n' ' '") == (
        "fd full host null ptmx pts random shm stderr stdin stdout tty urandom zero "
    )
    assert await said(machine, "cat /home/browser/x /mnt/* 2>&1 | grep -c -i -e denied -e such; ls /sys") == "2\n"
    powers = await said(machine, "grep Cap /proc/self/status | grep -v 0000000000000000")
    assert powers.split() == ["CapBnd:", "00000000000000eb"]


@pytest.mark.slow
async def test_a_machine_that_broke_down_is_lost_and_its_files_are_not(qemu: QemuBackend, spec_for: SpecFor) -> None:
    machine = await qemu.start(spec_for("s1"))
    await machine.write("kept.txt", b"of before")
    await said(machine, "sync")
    for process in running(os.getpid()):
        os.kill(process, signal.SIGKILL)
    with pytest.raises(MachineLost):
        await machine.exec("sleep 100", timeout=60)
    again = await qemu.start(spec_for("s1"))
    assert await again.read("kept.txt") == b"of before"


@pytest.mark.slow
async def test_no_machine_outlives_the_bot(tmp_path: Path, spec_for: SpecFor, qemu: QemuBackend) -> None:
    """Not even one that is paused; the next bot goes on with its files."""
    home, state = str(spec_for("s1").home), str(settings(tmp_path).state)
    arguments = ("-c", STARTS_ONE, state, str(IMAGE), home)
    bot = await asyncio.create_subprocess_exec(sys.executable, *arguments, stdout=asyncio.subprocess.PIPE)
    assert bot.stdout
    assert await asyncio.wait_for(bot.stdout.readline(), 120) == b"paused\n"
    (machine,) = running(bot.pid)
    bot.kill()
    await bot.wait()
    await until(lambda: not Path(f"/proc/{machine}").exists())
    again = await qemu.start(spec_for("s1"))
    assert await again.read("kept.txt") == b"of before"


@pytest.mark.slow
async def test_where_no_copy_can_be_made_a_machine_boots(tmp_path: Path, spec_for: SpecFor) -> None:
    templates = Templates(tmp_path / "templates", IMAGE, "tcg")
    shape = shape_for(spec_for("s1"))
    templates.failed.add(shape)
    await make_disk(tmp_path / "disk", shape.disk_bytes)
    machine = await templates.machine(shape, tmp_path / "disk", None)
    await machine.begin(LIMITS.disk_bytes, 60)
    await machine.end()
    assert list((tmp_path / "templates").iterdir()) == []


@pytest.mark.slow
async def test_the_processors_virtualisation_is_used_only_where_a_machine_boots_with_it(
    tmp_path: Path, spec_for: SpecFor
) -> None:
    backend = QemuBackend(settings(tmp_path, accelerator=""))
    machine = await backend.start(spec_for("s1"))
    assert await said(machine, "echo ready") == "ready\n"
    await backend.close()


async def test_a_host_without_an_image_is_told_what_to_do(tmp_path: Path) -> None:
    problems = await QemuBackend(Settings(tmp_path / "state", tmp_path / "nothing", "tcg")).check()
    assert any("make image" in problem.fix for problem in problems if problem.fatal)


@pytest.mark.slow
async def test_an_image_that_is_no_system_starts_no_machine(tmp_path: Path, spec_for: SpecFor) -> None:
    image = tmp_path / "image"
    image.mkdir()
    for name in ("rootfs", "modules", "vmlinuz"):
        (image / name).symlink_to(IMAGE / name)
    (image / "rootfs.erofs").write_bytes(bytes(1024**2))
    backend = QemuBackend(Settings(tmp_path / "state", image, "tcg"))
    with pytest.raises(MachineError, match="did not start"):
        await backend.start(spec_for("s1"))
    assert running(os.getpid()) == []


def test_what_is_booted_from_holds_each_module_after_those_it_needs() -> None:
    names = [path.stem for path in modules(IMAGE / "modules")]
    assert names.index("virtio_ring") < names.index("virtio") < names.index("virtio_blk")
    assert "erofs" in names
    assert initial(IMAGE) == initial(IMAGE)
