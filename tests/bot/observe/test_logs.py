"""Lines that reach an operator: readable, complete, and without a credential whichever library wrote them."""

from __future__ import annotations

import io
import json
import logging
import sys
import threading
import warnings
from collections.abc import Callable, Generator, Iterator
from contextlib import contextmanager
from typing import Any

import aiohttp
import aiosqlite
import docket
import openai
import pytest
import slack_bolt
import slack_sdk
import structlog
import uvicorn
from sqlalchemy import text
from sqlalchemy.ext.asyncio import create_async_engine

from bot.config import ObserveSettings, Settings
from bot.observe import Redactor, start_logs

LIBRARIES = (aiohttp, aiosqlite, docket, openai, slack_bolt, slack_sdk, uvicorn)
ENVIRON = {"SLACK_BOT_TOKEN": "xoxb-test-not-real", "THREADHAND_SECRET_KEY": "an-obviously-fake-key-made-for-tests"}


@contextmanager
def restored() -> Generator[None]:
    """Logging as it was before, whatever is set up inside."""
    root, hooks = logging.root, (sys.excepthook, threading.excepthook)
    handlers = {name: list(logging.getLogger(name).handlers) for name in root.manager.loggerDict}
    levels = {name: logging.getLogger(name).level for name in root.manager.loggerDict}
    before = list(root.handlers), root.level
    try:
        yield
    finally:
        root.handlers[:], root.level = before
        sys.excepthook, threading.excepthook = hooks
        logging.captureWarnings(False)
        for name in root.manager.loggerDict:
            logging.getLogger(name).handlers[:] = handlers.get(name, [])
            logging.getLogger(name).setLevel(levels.get(name, logging.NOTSET))
        structlog.reset_defaults()


Lines = Callable[[], list[dict[str, Any]]]


@pytest.fixture
def logged() -> Iterator[Lines]:
    """What has been logged so far, at level debug, as values."""
    stream = io.StringIO()
    settings = Settings.load(ENVIRON)
    with restored():
        start_logs(ObserveSettings(log_level="debug", log_format="json"), Redactor.of(settings.secrets()), stream)
        yield lambda: [json.loads(line) for line in stream.getvalue().splitlines()]


def test_a_line_says_when_where_and_what(logged: Lines) -> None:
    structlog.get_logger("bot.worker").info("session done", session="4f2a", steps=3)
    [line] = logged()
    assert line.pop("timestamp").endswith("Z")
    assert line == {"event": "session done", "session": "4f2a", "steps": 3, "level": "info", "logger": "bot.worker"}


def test_a_secret_is_hidden_in_events_fields_and_library_lines(logged: Lines) -> None:
    structlog.get_logger("bot.x").warning("sent xoxb-test-not-real", headers={"Authorization": "Bearer abcdefgh"})
    logging.getLogger("slack_sdk.web").error(
        "token %s refused", "xoxb-test-not-real", extra={"url": "https://a:b12@c/"}
    )
    logging.getLogger("httpcore.connection").warning("key %r", "an-obviously-fake-key-made-for-tests")
    shown = json.dumps(logged())
    for secret in ("test-not-real", "abcdefgh", "b12", "obviously-fake"):
        assert secret not in shown
    assert shown.count("[hidden]") == 5


def test_an_error_is_shown_with_its_cause_and_without_secrets(logged: Lines) -> None:
    try:
        try:
            raise ValueError("xoxb-test-not-real is wrong")
        except ValueError as error:
            raise RuntimeError("could not start") from error
    except RuntimeError:
        structlog.get_logger("bot.x").exception("failed")
    [line] = logged()
    assert "RuntimeError: could not start" in line["exception"]
    assert "ValueError: [hidden] is wrong" in line["exception"]


async def test_values_of_statements_are_never_logged(logged: Lines) -> None:
    values = {"a": " ".join(("a", "private", "sentence"))}
    engine = create_async_engine("sqlite+aiosqlite://", echo=False)
    async with engine.begin() as connection:
        await connection.execute(text("create table t (a text)"))
        await connection.execute(text("insert into t values (:a)"), values)
        try:
            await connection.execute(text("insert into missing values (:a)"), values)
        except Exception:  # noqa: BLE001  which error it is does not matter here
            structlog.get_logger("bot.store").exception("failed")
    await engine.dispose()
    assert "a private sentence" not in json.dumps(logged())
    assert "insert into missing" in json.dumps(logged())


def test_no_library_has_a_handler_of_its_own(logged: Lines) -> None:
    assert logged() == []
    assert {library.__name__ for library in LIBRARIES} <= set(sys.modules)
    own = [name for name in logging.root.manager.loggerDict if logging.getLogger(name).handlers]
    assert own == []
    on_top = [type(handler).__module__ for handler in logging.root.handlers]
    assert [module for module in on_top if not module.startswith("_pytest.")] == ["bot.observe.logs"]


def test_a_handler_set_up_before_is_taken_away() -> None:
    leak = io.StringIO()
    with restored():
        logger = logging.getLogger("uvicorn.access")
        logger.addHandler(logging.StreamHandler(leak))
        logger.propagate = False
        start_logs(ObserveSettings(log_format="json"), Redactor(), out := io.StringIO())
        logger.info("GET /?token=abcdefgh 200")
    assert leak.getvalue() == ""
    assert "token=[hidden]" in out.getvalue()


def test_a_crash_is_logged_like_everything_else(logged: Lines) -> None:
    error = RuntimeError("xoxb-test-not-real")
    sys.excepthook(RuntimeError, error, None)
    sys.excepthook(KeyboardInterrupt, KeyboardInterrupt(), None)
    [line] = logged()
    assert line["level"] == "critical"
    assert line["exception"] == "RuntimeError: [hidden]"


def test_a_line_with_wrong_arguments_does_not_print_them() -> None:
    with restored():
        start_logs(ObserveSettings(log_format="json"), Redactor.of(["a-secret-value"]), out := io.StringIO())
        logging.getLogger("slack_sdk").warning("%d %d", "a-secret-value")
    assert "a-secret-value" not in out.getvalue()
    assert "slack_sdk" in out.getvalue()


def test_warnings_are_lines_too(logged: Lines) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("always")
        logging.captureWarnings(True)
        warnings.warn("use xoxb-test-not-real no more", stacklevel=1)
    assert "use [hidden] no more" in logged()[0]["event"]


def test_in_a_terminal_lines_are_for_people() -> None:
    with restored():
        start_logs(ObserveSettings(log_format="console"), Redactor(), out := io.StringIO())
        structlog.get_logger("bot.web").info("listening", url="http://127.0.0.1:8080")
        structlog.get_logger("bot.web").debug("not shown at info")
    assert "listening" in out.getvalue()
    assert "url=http://127.0.0.1:8080" in out.getvalue()
    assert "not shown" not in out.getvalue()
