"""Credentials at rest."""

from __future__ import annotations

import pytest

from bot.vault import Vault, VaultError

KEY, OTHER = b"k" * 32, b"o" * 40
TOKEN = "xoxb-test-not-real"


def test_what_was_sealed_is_opened_by_the_same_key_and_context() -> None:
    sealed = Vault(KEY).seal(TOKEN, "slack/T1")
    assert TOKEN not in sealed
    assert sealed.isascii()
    assert Vault(KEY).open(sealed, "slack/T1") == TOKEN
    assert Vault(KEY).seal(TOKEN, "slack/T1") != sealed


def test_a_token_of_one_workspace_cannot_be_opened_for_another() -> None:
    sealed = Vault(KEY).seal(TOKEN, "slack/T1")
    with pytest.raises(VaultError, match=r"do not belong to slack/T2") as caught:
        Vault(KEY).open(sealed, "slack/T2")
    assert TOKEN not in str(caught.value)


@pytest.mark.parametrize("sealed", ["", "nonsense", "ü", "gAAAAA"])
def test_what_was_not_sealed_here_is_refused(sealed: str) -> None:
    with pytest.raises(VaultError, match="THREADHAND_SECRET_KEY"):
        Vault(KEY).open(sealed, "slack/T1")


def test_a_changed_text_is_refused() -> None:
    sealed = Vault(KEY).seal(TOKEN, "slack/T1")
    middle = len(sealed) // 2
    changed = sealed[:middle] + ("A" if sealed[middle] != "A" else "B") + sealed[middle + 1 :]
    with pytest.raises(VaultError):
        Vault(KEY).open(changed, "slack/T1")


def test_keys_rotate() -> None:
    old = Vault(OTHER).seal(TOKEN, "c")
    both = Vault(KEY, older=[OTHER])
    assert both.open(old, "c") == TOKEN
    assert Vault(KEY).open(both.renew(old, "c"), "c") == TOKEN
    with pytest.raises(VaultError):
        Vault(KEY).open(old, "c")


def test_a_short_key_is_refused_with_a_way_to_make_a_good_one() -> None:
    with pytest.raises(VaultError, match="openssl rand"):
        Vault(b"short")


def test_a_vault_does_not_show_its_key() -> None:
    assert "kkkk" not in repr(Vault(KEY))
