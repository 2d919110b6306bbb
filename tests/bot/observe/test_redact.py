"""No credential survives, whatever it stands in; ordinary words do."""

from __future__ import annotations

import base64
import json
from urllib.parse import quote, quote_plus

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from bot.observe import Redactor
from bot.observe.redact import HIDDEN

LETTERS = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789"
SECRET = st.text(st.characters(blacklist_categories=["Cs", "Cc"]), min_size=8, max_size=40).filter(str.strip)
BODY = st.text(LETTERS, min_size=12, max_size=40)
AROUND = st.text(st.characters(blacklist_categories=["Cs"]), max_size=30)


@given(SECRET, AROUND, AROUND)
def test_a_known_secret_does_not_survive_in_any_way_it_is_written(secret: str, before: str, after: str) -> None:
    redactor = Redactor.of([secret])
    for written in (secret, quote(secret, safe=""), quote_plus(secret), json.dumps(secret)[1:-1], repr(secret)[1:-1]):
        assert written not in redactor.text(f"{before}{written}{after}").replace(HIDDEN, "\0")
    encoded = base64.b64encode(secret.encode()).decode().rstrip("=")
    assert encoded not in redactor.text(f"x {encoded} y")


@given(SECRET, st.sampled_from(["event", "url", "anything"]))
def test_a_known_secret_does_not_survive_inside_a_value(secret: str, key: str) -> None:
    value = {key: [{"deep": (secret, secret.encode())}], secret: 1, "error": ValueError(secret)}
    shown = json.dumps(Redactor.of([secret]).value(value), ensure_ascii=False)
    assert secret not in shown.replace(HIDDEN, "\0")


@pytest.mark.parametrize(
    "written",
    [
        "xoxb-{}",
        "xoxe.xoxp-1-{}",
        "xapp-1-A0-{}",
        "sk-{}",
        "sk-proj-{}",
        "ghp_{}",
        "gho_{}",
        "github_pat_{}",
        "Bearer {}",
        "authorization: bearer {}",
        "Authorization: {}",
        "headers={{'Authorization': '{}'}}",
        '{{"authorization": "{}"}}',
        "[(b'authorization', b'{}')]",
        "Cookie: session={}; path=/",
        "https://user:{}@host/path",
        "postgresql+asyncpg://u:{}@h/x",
        "https://h/p?token={}",
        "https://h/p?a=1&api_key={}&b=2",
        "https://h/cb?code={}",
        "https://h/p?X-Amz-Signature={}",
        "client_secret={}&grant_type=x",
        "'client_secret': '{}'",
        "password={}",
        "eyJhbGciOiJub25l.{}.c2ln",
        "https://hooks.slack.com/actions/T0/{}",
        "[SQL: insert into t values (?)]\n[parameters: ('{}',)]",
        "DETAIL:  Key (name)=({}) already exists.",
        "-----BEGIN RSA PRIVATE KEY-----\n{}\n-----END RSA PRIVATE KEY-----",
        "-----BEGIN PRIVATE KEY-----\n{}",
    ],
)
@given(body=BODY)
def test_what_looks_like_a_credential_does_not_survive(written: str, body: str) -> None:
    assume(body not in written)
    assert body not in Redactor().text(f"before {written.format(body)} after")


@given(BODY)
def test_what_stands_under_a_telling_name_is_hidden_whatever_it_looks_like(body: str) -> None:
    for key in ("token", "bot_token", "Authorization", "set-cookie", "client_secret", "api_key", "response_url"):
        assert Redactor().value({key: body}) == {key: HIDDEN}


@pytest.mark.parametrize(
    "text",
    [
        "session 4f2a0c1b9d8e7f6a5b4c3d2e took step 12 in 0.31 s",
        "input_tokens=1200 status=200 key=4f2a:17",
        "GET https://example.com/a/b?page=2&q=task-list 200",
        "the desk-lamp risk-free ask-me-anything",
        "the database is at /var/lib/threadhand/threadhand.db",
        "needs authorization, then goes on",
        "code 200, mail to bob@example.com",
    ],
)
def test_ordinary_words_are_left_alone(text: str) -> None:
    assert Redactor().text(text) == text


def test_numbers_stay_numbers() -> None:
    assert Redactor().value({"tokens": 12, "cost": 0.5, "ok": True, "none": None}) == {
        "tokens": 12,
        "cost": 0.5,
        "ok": True,
        "none": None,
    }


def test_a_value_that_cannot_be_printed_does_not_stop_the_line() -> None:
    class Broken:
        def __str__(self) -> str:
            raise RuntimeError("no")

    assert Redactor().value({"x": Broken()}) == {"x": "<Broken that cannot be printed: RuntimeError>"}


def test_a_value_that_contains_itself_ends_somewhere() -> None:
    loop: list[object] = []
    loop.append(loop)
    assert Redactor().value(loop)


def test_very_short_values_are_not_looked_for() -> None:
    assert Redactor.of(["a", ""]).text("a cat") == "a cat"
