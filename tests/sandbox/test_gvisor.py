"""A gVisor that cannot keep its promises is refused before any machine is started with it."""

from __future__ import annotations

from pathlib import Path

import pytest

from sandbox.gvisor import NEW_ENOUGH, GvisorBackend, Settings, built

IMAGE = Path(__file__).parents[2] / ".setup" / "image" / "base" / "rootfs"


@pytest.mark.slow
async def test_a_build_without_what_safe_files_need_is_refused_with_what_to_do(tmp_path: Path) -> None:
    found = await GvisorBackend(Settings(tmp_path / "state", IMAGE)).check()
    old = [problem for problem in found if "too old" in problem.what]
    assert bool(old) == (await built() < NEW_ENOUGH)
    assert all(problem.fatal and "package" in problem.fix for problem in old)


@pytest.mark.slow
async def test_a_missing_image_is_named(tmp_path: Path) -> None:
    found = await GvisorBackend(Settings(tmp_path / "state", tmp_path / "nothing")).check()
    assert any("holds no system for machines" in problem.what and problem.fatal for problem in found)
