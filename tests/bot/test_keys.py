"""The deployment's own secret: given, or made once."""

from __future__ import annotations

import stat
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from bot.config import Settings
from bot.keys import load_keys
from bot.settings import SettingsError
from bot.vault import Vault


def keys(folder: Path, **environ: str) -> tuple[bytes, ...]:
    return load_keys(Settings.load({"THREADHAND_DATA_DIR": str(folder), **environ}).storage)


def test_a_key_is_made_once_and_only_we_can_read_it(tmp_path: Path) -> None:
    first = keys(tmp_path / "new")
    assert keys(tmp_path / "new") == first
    assert stat.S_IMODE((tmp_path / "new" / "secret.key").stat().st_mode) == 0o600
    assert [path.name for path in (tmp_path / "new").iterdir()] == ["secret.key"]


def test_processes_that_start_together_agree_on_the_key(tmp_path: Path) -> None:
    with ThreadPoolExecutor(16) as pool:
        found = set(pool.map(keys, [tmp_path] * 64))
    assert len(found) == 1


def test_a_given_key_is_used_and_nothing_is_written(tmp_path: Path) -> None:
    new, old = "n" * 40, "o" * 40
    assert keys(tmp_path, THREADHAND_SECRET_KEY=f"{new}, {old}") == (new.encode(), old.encode())
    assert list(tmp_path.iterdir()) == []


def test_a_made_key_is_good_for_the_vault_and_a_rotated_one_still_opens(tmp_path: Path) -> None:
    [old] = keys(tmp_path)
    sealed = Vault(old).seal("xoxb-test-not-real", "T1")
    new, *older = keys(tmp_path, THREADHAND_SECRET_KEY=f"{'n' * 40},{old.decode()}")
    assert Vault(new, older).open(sealed, "T1") == "xoxb-test-not-real"


def test_a_damaged_key_file_is_not_used(tmp_path: Path) -> None:
    (tmp_path / "secret.key").write_text("short")
    with pytest.raises(SettingsError, match="damaged"):
        keys(tmp_path)
