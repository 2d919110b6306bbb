"""What an administrator may write into the environment, and what comes of it."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from bot.config import VARIABLES, Settings, unknown_variables
from bot.settings import SettingsError

PASSWORD = "not-a-real-password"


def test_an_empty_environment_is_a_complete_deployment() -> None:
    settings = Settings.load({})
    assert settings.storage.database == f"sqlite+aiosqlite:///{Path('data').absolute()}/threadhand.db"
    assert settings.storage.redis == "memory://"
    assert settings.web.url == "http://127.0.0.1:8080"
    assert (settings.limits.max_steps, settings.limits.max_tokens, settings.limits.max_cost) == (100, 2_000_000, 5.0)
    assert not settings.model.configured
    assert not settings.slack.configured
    assert settings.secrets() == ()


def test_blank_variables_count_as_not_set() -> None:
    assert Settings.load({"THREADHAND_PORT": "  ", "OPENAI_API_KEY": ""}) == Settings.load({})


def test_settings_cannot_be_changed_once_read() -> None:
    with pytest.raises(ValidationError):
        Settings.load({}).web.port = 1


@pytest.mark.parametrize(
    ("written", "meant"),
    [
        ("sqlite:////var/lib/th.db", "sqlite+aiosqlite:////var/lib/th.db"),
        ("sqlite:///th.db", "sqlite+aiosqlite:///th.db"),
        ("sqlite+aiosqlite:////var/lib/th.db", "sqlite+aiosqlite:////var/lib/th.db"),
        ("postgres://u:p@h:5432/th", "postgresql+asyncpg://u:p@h:5432/th"),
        ("postgresql://h/th?sslmode=require", "postgresql+asyncpg://h/th?ssl=require"),
        ("postgresql+asyncpg://h/th", "postgresql+asyncpg://h/th"),
    ],
)
def test_a_database_may_be_written_in_any_usual_way(written: str, meant: str) -> None:
    assert Settings.load({"THREADHAND_DATABASE_URL": written}).storage.database == meant


@pytest.mark.parametrize(
    ("name", "value", "expected"),
    [
        ("THREADHAND_PORT", "eighty", "'eighty' is not a port (1 to 65535, or 0 for any free one)"),
        ("THREADHAND_PORT", "70000", "'70000' is not a port"),
        ("THREADHAND_MAX_COST", "0", "'0' is not an amount of US dollars above 0"),
        ("THREADHAND_MAX_COST", "inf", "'inf' is not an amount"),
        ("THREADHAND_PRICE", "1,2", "'1,2' is not three amounts"),
        ("THREADHAND_PRICE", "1,nan,2", "'1,nan,2' is not three amounts"),
        ("THREADHAND_SEARCH", "bing", "'bing' is not off, brave, tavily, serper or searxng"),
        ("THREADHAND_EGRESS_ALLOW", "wiki:99999", "'wiki:99999' is not host or host:port"),
        ("THREADHAND_EGRESS_ALLOW", "https://wiki", "'https://wiki' is not host or host:port"),
        ("THREADHAND_PUBLIC_URL", "example.com", "'example.com' is not an http:// or https:// address"),
        ("THREADHAND_ALLOW_GUESTS", "perhaps", "'perhaps' is not true or false"),
        ("THREADHAND_REDIS_URL", "localhost", "its value is not memory://"),
        ("THREADHAND_DATABASE_URL", "mysql://h/x", "its value is not sqlite:///path"),
        ("THREADHAND_DATABASE_URL", "sqlite://", "its value is not sqlite:///path"),
        ("THREADHAND_SECRET_KEY", "short", "its value is not one or more texts of at least 32 characters"),
    ],
)
def test_a_wrong_value_is_named_with_what_is_expected(name: str, value: str, expected: str) -> None:
    with pytest.raises(SettingsError, match=re.escape(f"{name}: {expected}")):
        Settings.load({name: value})


def test_all_wrong_values_are_reported_at_once() -> None:
    with pytest.raises(SettingsError) as caught:
        Settings.load({"THREADHAND_PORT": "x", "THREADHAND_MAX_STEPS": "many", "THREADHAND_SEARCH": "bing"})
    assert len(str(caught.value).splitlines()) == 3


def test_a_wrong_secret_is_not_repeated_in_the_message() -> None:
    with pytest.raises(SettingsError) as caught:
        Settings.load({"THREADHAND_DATABASE_URL": f"mysql://u:{PASSWORD}@h/x", "THREADHAND_SECRET_KEY": "abc-secret"})
    assert PASSWORD not in str(caught.value)
    assert "abc-secret" not in str(caught.value)


def test_secrets_do_not_show_when_settings_are_printed() -> None:
    settings = Settings.load(
        {
            "SLACK_BOT_TOKEN": "xoxb-test-not-real",
            "OPENAI_API_KEY": "sk-test-not-real",
            "THREADHAND_DATABASE_URL": f"postgres://u:{PASSWORD}@h/th",
            "THREADHAND_REDIS_URL": "redis://:other-password@h/0",
        }
    )
    for secret in ("xoxb-test-not-real", "sk-test-not-real", PASSWORD, "other-password"):
        assert secret not in repr(settings)
        assert secret not in str(settings.model_dump())
        assert secret in settings.secrets()


def test_a_password_is_known_as_written_and_as_meant() -> None:
    secrets = Settings.load({"THREADHAND_DATABASE_URL": "postgres://u:p%40ss-word@h/th"}).secrets()
    assert {"p%40ss-word", "p@ss-word"} <= set(secrets)


def test_each_key_of_a_rotation_is_a_secret() -> None:
    secrets = Settings.load({"THREADHAND_SECRET_KEY": f"{'n' * 32}, {'o' * 32}"}).secrets()
    assert {"n" * 32, "o" * 32} <= set(secrets)


def test_hosts_and_prices_are_read_from_one_line() -> None:
    settings = Settings.load(
        {"THREADHAND_EGRESS_ALLOW": "Wiki.corp:8443, 10.0.0.7,[::1]:80,", "THREADHAND_PRICE": "1.25,0.125,10"}
    )
    assert settings.machine.egress_allow == ("wiki.corp:8443", "10.0.0.7", "[::1]:80")
    assert settings.model.price == (1.25, 0.125, 10.0)


def test_a_machine_without_a_python_environment_can_be_asked_for(tmp_path: Path) -> None:
    assert Settings.load({"THREADHAND_MACHINE_ENV": "none"}).machine.environment is None
    assert Settings.load({"THREADHAND_MACHINE_ENV": str(tmp_path)}).machine.environment == tmp_path


def test_a_search_provider_without_what_it_needs_says_so() -> None:
    assert "THREADHAND_SEARCH_KEY" in Settings.load({"THREADHAND_SEARCH": "brave"}).search.problem
    assert "THREADHAND_SEARCH_URL" in Settings.load({"THREADHAND_SEARCH": "searxng"}).search.problem
    assert Settings.load({"THREADHAND_SEARCH": "tavily", "THREADHAND_SEARCH_KEY": "k"}).search.problem == ""


def test_slack_says_what_it_lacks() -> None:
    assert "SLACK_BOT_TOKEN" in Settings.load({}).slack.problem
    assert "SLACK_APP_TOKEN" in Settings.load({"SLACK_BOT_TOKEN": "xoxb-test-not-real"}).slack.problem
    whole = Settings.load({"SLACK_BOT_TOKEN": "xoxb-test-not-real", "SLACK_APP_TOKEN": "xapp-test-not-real"}).slack
    assert whole.problem == ""
    assert whole.socket


def test_a_misspelt_variable_is_noticed() -> None:
    assert unknown_variables({"THREADHAND_PROT": "1", "THREADHAND_PORT": "1", "PATH": "/"}) == ("THREADHAND_PROT",)


def test_every_variable_says_what_it_is_for() -> None:
    assert len({variable.name for variable in VARIABLES}) == len(VARIABLES)
    for variable in VARIABLES:
        assert variable.what, variable.name
        assert variable.expects, variable.name
        assert variable.secret == bool(re.search("TOKEN$|SECRET|_KEY$|DATABASE_URL|REDIS_URL", variable.name))


@given(st.dictionaries(st.sampled_from([variable.name for variable in VARIABLES]), st.text(max_size=40), max_size=8))
def test_whatever_is_written_there_is_a_setting_or_a_clear_refusal(environ: dict[str, str]) -> None:
    refusal = ""
    try:
        Settings.load(environ)
    except SettingsError as error:
        refusal = str(error)
    assert all(line.split(":")[0] in environ for line in refusal.split("\n") if line)
