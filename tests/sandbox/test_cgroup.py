"""Control groups, both versions, on folders that look like the kernel's."""

from __future__ import annotations

from pathlib import Path

import pytest

from sandbox.cgroup import Group, Groups
from sandbox.types import Limits

LIMITS = Limits(memory_bytes=1000, processes=7, cpu=1.5)


@pytest.mark.parametrize("version", [1, 2])
async def test_limits_are_written_where_this_version_has_them(tmp_path: Path, version: int) -> None:
    if version == 1:
        folders = {name: tmp_path / name for name in ("memory", "pids", "cpu", "freezer")}
        group = Group(1, folders)
    else:
        group = Group(2, dict.fromkeys(("memory", "pids", "cpu"), tmp_path / "one"))
    for folder in group.folders.values():
        folder.mkdir(exist_ok=True)
    group.limit(LIMITS)
    written = {path.name: path.read_text() for path in tmp_path.rglob("*.*") if path.is_file()}
    assert written["pids.max"] == "7"
    if version == 1:
        assert written["memory.limit_in_bytes"] == "1000"
        assert int(written["cpu.cfs_quota_us"]) == 1.5 * int(written["cpu.cfs_period_us"])
    else:
        assert written["memory.max"] == "1000"
        assert written["cpu.max"] == "150000 100000"
    assert group.freeze(True)
    assert len(group.doors) == (4 if version == 1 else 1)


async def test_kills_for_memory_are_counted(tmp_path: Path) -> None:
    (tmp_path / "memory.events").write_text("low 0\noom 3\noom_kill 2\n")
    group = Group(2, {"memory": tmp_path, "pids": tmp_path})
    assert group.killed_for_memory() == 2
    assert group.refused_processes() == 0


async def test_a_host_without_groups_to_write_to_has_none(tmp_path: Path) -> None:
    assert Groups.find(tmp_path) is None
    (tmp_path / "memory").mkdir()
    assert Groups.find(tmp_path) is None
    assert Groups.find(tmp_path / "nowhere") is None


async def test_what_a_killed_bot_left_is_let_go(tmp_path: Path) -> None:
    for name in ("memory", "pids", "freezer"):
        (tmp_path / name / "threadhand" / "99999999-left").mkdir(parents=True)
        (tmp_path / name / "threadhand" / "1-alive").mkdir()
    groups = Groups.find(tmp_path)
    assert groups is not None
    groups.sweep()
    left = {path.name for path in tmp_path.glob("memory/threadhand/*")}
    assert left == {"1-alive"}
