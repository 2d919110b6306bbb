"""The commands as people and scripts run them: in a process of their own, with nothing but an environment."""

from __future__ import annotations

import asyncio
import hashlib
import json
import os
import stat
import sys
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from pathlib import Path

import pytest
import yaml

from bot.entries import Finished, Noted, Said
from bot.store import Store
from tests.bot.store.makers import ANN, AT, leased, opened, tamper, thread

PROGRAM = Path(sys.executable).with_name("threadhand")


@dataclass(frozen=True, slots=True)
class Ended:
    """How a command ended."""

    code: int
    out: str
    err: str


Run = Callable[..., Awaitable[Ended]]


@pytest.fixture
def threadhand(tmp_path: Path) -> Run:
    """Runs `threadhand` with these words and variables, on a data folder of the test."""

    async def run(*words: str, **variables: str) -> Ended:
        kept = {name: value for name, value in os.environ.items() if name in ("PATH", "HOME", "LANG")}
        environ = {**kept, "THREADHAND_DATA_DIR": str(tmp_path), "COLUMNS": "120", **variables}
        pipe = asyncio.subprocess.PIPE
        process = await asyncio.create_subprocess_exec(
            PROGRAM, *words, env=environ, cwd=tmp_path, stdin=asyncio.subprocess.DEVNULL, stdout=pipe, stderr=pipe
        )
        out, err = await process.communicate()
        assert process.returncode is not None
        return Ended(process.returncode, out.decode(), err.decode())

    return run


async def session_in(folder: Path) -> str:
    """A session with four entries; its id."""
    store = await Store.open(f"sqlite:///{folder}/threadhand.db")
    session = await opened(store, thread())
    lease = await leased(store, session)
    await lease.append(
        Said(AT, "k", ANN, "1700000000.000100", "make a chart\x1b[2J\nof sales", "request"),
        Noted(AT, "the token is xoxb-test-not-real"),
        Noted(AT, "x" * 500),
        Finished(AT, "call_1", True, "done"),
        consumed=1,
    )
    await lease.release(wake_at=None)
    await store.close()
    return session


async def test_a_wrong_setting_is_one_clear_line(threadhand: Run) -> None:
    ended = await threadhand("serve", THREADHAND_PORT="eighty")
    assert (ended.code, ended.out) == (2, "")
    assert ended.err == "threadhand: THREADHAND_PORT: 'eighty' is not a port (1 to 65535, or 0 for any free one)\n"


async def test_with_debug_an_error_shows_where_it_came_from(threadhand: Run) -> None:
    ended = await threadhand("serve", "--debug", THREADHAND_PORT="eighty")
    assert ended.code == 2
    assert "Traceback" in ended.err


async def test_serving_without_a_chat_says_what_is_missing(threadhand: Run) -> None:
    ended = await threadhand("serve", THREADHAND_PORT="0")
    assert ended.code == 2
    assert "SLACK_BOT_TOKEN" in ended.err
    assert "threadhand check" in ended.err
    assert "Traceback" not in ended.err


async def test_a_command_that_does_not_exist_is_named(threadhand: Run) -> None:
    ended = await threadhand("frobnicate")
    assert ended.code == 2
    assert "frobnicate" in ended.err
    assert "Traceback" not in ended.err


async def test_check_reports_parts_and_ends_with_one_when_something_is_missing(threadhand: Run) -> None:
    ended = await threadhand("check", "slack", "data", "settings", THREADHAND_PROT="1")
    assert ended.code == 1
    assert [line.split()[0] for line in ended.out.splitlines() if not line.startswith(" ")] == ["WARN", "OK", "MISSING"]
    assert "Did you mean THREADHAND_PORT?" in ended.out
    assert "SLACK_BOT_TOKEN" in ended.out


async def test_check_of_what_is_there_ends_with_zero(threadhand: Run) -> None:
    ended = await threadhand("check", "data", "database")
    assert ended.code == 0, ended.out


@pytest.mark.slow
async def test_check_of_an_unknown_part_says_which_there_are(threadhand: Run) -> None:
    ended = await threadhand("check", "coffee")
    assert ended.code == 2
    assert "sandbox" in ended.err


async def test_the_manifest_is_for_socket_mode_unless_there_is_an_address(threadhand: Run) -> None:
    by_socket = yaml.safe_load((await threadhand("slack", "manifest")).out)
    assert by_socket["settings"]["socket_mode_enabled"] is True
    by_http = json.loads(
        (await threadhand("slack", "manifest", "--public-url", "https://b.example", "--format", "json")).out
    )
    assert by_http["settings"]["socket_mode_enabled"] is False
    assert by_http["settings"]["event_subscriptions"]["request_url"].startswith("https://b.example/")


async def test_a_manifest_cannot_be_for_both_ways(threadhand: Run) -> None:
    ended = await threadhand("slack", "manifest", "--socket", "--public-url", "https://b.example")
    assert ended.code == 2
    assert "either" in ended.err


@pytest.mark.slow
async def test_the_database_is_brought_to_the_schema_when_told(threadhand: Run, tmp_path: Path) -> None:
    before = await threadhand("db", "current")
    assert before.code == 2
    assert "threadhand db upgrade" in before.err
    assert (await threadhand("db", "upgrade")).code == 0
    assert (await threadhand("db", "current")).code == 0
    key = tmp_path / "secret.key"
    assert stat.S_IMODE(key.stat().st_mode) == 0o600


async def test_a_journal_reads_as_a_timeline(threadhand: Run, tmp_path: Path) -> None:
    session = await session_in(tmp_path)
    assert session in (await threadhand("journal", "list")).out
    shown = await threadhand("journal", "show", session)
    lines = shown.out.splitlines()
    assert len(lines) == 4
    assert "Ann (request): make a chart [2J of sales" in lines[0]
    assert "the token is [hidden]" in lines[1]
    assert lines[2].endswith("…")
    assert "call_1 ok after 0.0 s: done" in lines[3]


@pytest.mark.slow
async def test_an_exported_journal_can_be_checked_by_anybody(threadhand: Run, tmp_path: Path) -> None:
    session = await session_in(tmp_path)
    head = "0" * 64
    for number, line in enumerate((await threadhand("journal", "export", session)).out.splitlines(), 1):
        fields = json.loads(line)
        text = line.partition(',"entry":')[2][:-1]
        head = hashlib.sha256(f"{head}\n{text}".encode()).hexdigest()
        assert (fields["session"], fields["number"], fields["hash"]) == (session, number, head)


@pytest.mark.slow
async def test_a_changed_journal_is_found_out(threadhand: Run, tmp_path: Path) -> None:
    session = await session_in(tmp_path)
    whole = await threadhand("journal", "verify", session)
    assert (whole.code, whole.out) == (0, "Whole: 4 entries, each as it was written.\n")
    await tamper(f"sqlite:///{tmp_path}/threadhand.db", "update journal set entry = replace(entry, 'xxx', 'yyy')")
    broken = await threadhand("journal", "verify", session)
    assert broken.code == 1
    assert "BROKEN at entry 3" in broken.out


@pytest.mark.slow
async def test_a_session_that_does_not_exist_is_named(threadhand: Run, tmp_path: Path) -> None:
    await session_in(tmp_path)
    ended = await threadhand("journal", "show", "nobody")
    assert ended.code == 2
    assert "nobody" in ended.err
