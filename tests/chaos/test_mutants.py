"""The guards are really tested: with any of them taken out, a quick test fails.

Each mutant is a copy of the program with one guard changed; the test that is to notice runs against the copy.
"""

from __future__ import annotations

import asyncio
import os
import shutil
import sys
from dataclasses import dataclass
from pathlib import Path

import pytest

pytestmark = [pytest.mark.slow, pytest.mark.timeout(180)]

ROOT = Path(__file__).resolve().parents[2]
PARTS = ("bot", "connectors", "policies", "sandbox", "tests", "pyproject.toml")
STORE = "tests/bot/store/test_store.py"
CRASH = "tests/stories/test_crash.py"
FAILED = 1
"""pytest's exit code when tests ran and failed; others mean that they did not run."""


@dataclass(frozen=True, slots=True)
class Mutant:
    """`guard` stands once in `path` and becomes `without`; then `caught_by` has to fail."""

    path: str
    guard: str
    without: str
    caught_by: str


MUTANTS = {
    "writes are not fenced": Mutant(
        "bot/store/lease.py",
        "mine = (SESSIONS.c.id == self.session) & (SESSIONS.c.fence == self.fence)",
        "mine = SESSIONS.c.id == self.session",
        f"{STORE}::test_a_worker_whose_session_was_taken_over_can_do_nothing_more[sqlite]",
    ),
    "a session is let go with messages unread": Mutant(
        "bot/store/lease.py",
        "quiet = SESSIONS.c.consumed == SESSIONS.c.inbox_seq",
        "quiet = SESSIONS.c.id == self.session",
        f"{STORE}::test_release_is_refused_while_a_message_is_unread[sqlite]",
    ),
    "a refused release leaves no trace": Mutant(
        "bot/store/lease.py",
        "update(SESSIONS).where(self._ours()).values(unfinished=True)",
        "update(SESSIONS).where(self._ours()).values(unfinished=SESSIONS.c.unfinished)",
        f"{STORE}::test_a_worker_that_dies_after_a_refused_release_leaves_its_session_due[sqlite]",
    ),
    "an event that comes twice is two messages": Mutant(
        "bot/store/posts.py",
        "            key=letter.key,\n            at=database.moment(),",
        "            key=letter.key + __import__('secrets').token_hex(4),\n            at=database.moment(),",
        f"{STORE}::test_many_at_once_with_duplicates_are_each_kept_once[sqlite]",
    ),
    "a ring during the last step is forgotten": Mutant(
        "bot/worker.py",
        "            self._again.add(session)\n",
        "            self._again.discard(session)\n",
        "tests/chaos/test_wakeup.py",
    ),
    "posts are repeated without a look": Mutant(
        "bot/agent/speaker.py",
        "message = await self.surface.post(self.book.lease.thread, content, duty.key, look=look)",
        "message = await self.surface.post(self.book.lease.thread, content, duty.key, look=False)",
        f"{CRASH}::test_a_chat_that_drops_connections_gets_everything_once[lost after-post]",
    ),
    "posts are not announced": Mutant(
        "bot/agent/speaker.py",
        "            await self.book.write(Posting(self.book.now(), duty.key, duty.what))\n"
        "        self.book.lease.guard()\n"
        "        message = await self._finish",
        "            pass\n        self.book.lease.guard()\n        message = await self._finish",
        f"{CRASH}::test_a_chat_that_drops_connections_gets_everything_once[lost after-post]",
    ),
    "a worker acts on a lease that ran out": Mutant(
        "bot/store/lease.py",
        "        if left < min(MARGIN, MARGIN_SHARE * term.seconds):\n",
        "        if left < -1e9:\n",
        "tests/bot/store/test_clocks.py",
    ),
    "a write to the outside is not put to a person": Mutant(
        "policies/builtin.py",
        'return Decision("ask", "outside-writes-ask", "It changes something outside this thread\'s machine.")',
        'return Decision("auto", "outside-writes-ask", "It changes something outside this thread\'s machine.")',
        "tests/stories/test_approval.py",
    ),
    "the model is not told what nobody read": Mutant(
        "bot/context.py",
        "            if number in builder.unsaid:\n",
        "            if number in ():\n",
        "tests/bot/test_overtaken.py",
    ),
}


@pytest.mark.parametrize("name", MUTANTS)
async def test_without_its_guard_a_test_fails(tmp_path: Path, name: str) -> None:
    mutant = MUTANTS[name]
    await asyncio.to_thread(_copy, tmp_path)
    source = tmp_path / mutant.path
    text = source.read_text(encoding="utf-8")
    moved = f"the guard of {name!r} stands {text.count(mutant.guard)} times in {mutant.path}: give its text anew"
    assert text.count(mutant.guard) == 1, moved
    source.write_text(text.replace(mutant.guard, mutant.without), encoding="utf-8")
    code, said = await _pytest(tmp_path, mutant.caught_by)
    assert code == FAILED, f"{mutant.caught_by} does not notice that {name} (exit code {code}):\n{said[-3000:]}"


def _copy(folder: Path) -> None:
    ignore = shutil.ignore_patterns("__pycache__", "*.pyc")
    for part in PARTS:
        if (ROOT / part).is_dir():
            shutil.copytree(ROOT / part, folder / part, ignore=ignore)
        else:
            shutil.copy(ROOT / part, folder / part)


async def _pytest(folder: Path, test: str) -> tuple[int, str]:
    """Run one test against the copy in `folder`: its exit code and what it printed."""
    command = (sys.executable, "-m", "pytest", "-q", "-x", "-p", "no:cacheprovider", test)
    process = await asyncio.create_subprocess_exec(
        *command,
        cwd=folder,
        env={**os.environ, "PYTHONPATH": str(folder), "PYTHONDONTWRITEBYTECODE": "1"},
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
    )
    said, _ = await process.communicate()
    return process.returncode or 0, said.decode(errors="replace")
