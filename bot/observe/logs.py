"""Sets up the process's logging: one handler, one chain, one redaction that nothing goes round.

Hides structlog and the habits of libraries: their own handlers are taken away, loggers that would print SQL
values or requests are held back, and what crashes the process is logged rather than printed.
"""

from __future__ import annotations

import logging
import sys
import threading
import traceback
from collections.abc import MutableMapping
from types import TracebackType
from typing import Any, TextIO, cast

import structlog
from structlog.typing import Processor

from bot.config import ObserveSettings
from bot.observe.redact import Redactor

OURS = ("bot", "connectors", "policies", "sandbox", "threadhand")
QUIET = (
    "aiosqlite",
    "asyncpg",
    "docket",
    "httpcore",
    "httpcore2",
    "httpx",
    "httpx2",
    "sqlalchemy",
    "alembic",
    "urllib3",
    "watchfiles",
    "websockets",
)
"""Held at warning whatever the level: below it they print statements with their values, each request, or all that
passes through a socket."""


class _Handler(logging.StreamHandler[TextIO]):
    """Writes lines. A line that cannot be made is reported without its arguments, which may hold anything."""

    def handleError(self, record: logging.LogRecord) -> None:
        kind = sys.exc_info()[0]
        name = kind.__name__ if kind else "Error"
        self.stream.write(f"a log line of {record.name}, line {record.lineno}, could not be written: {name}\n")


class _Redact:
    """The last step before a line is written: every key and value of the event, texts of exceptions too."""

    def __init__(self, redactor: Redactor) -> None:
        self._redactor = redactor

    def __call__(self, _: Any, __: str, event: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
        shown = self._redactor.value(dict(event))
        return shown if isinstance(shown, dict) else {"event": str(shown)}  # pyright: ignore[reportUnknownVariableType]


def _exception(_: Any, __: str, event: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    """A traceback as text, without the values of local variables."""
    info: object = event.pop("exc_info", None)
    if isinstance(info, tuple):
        info = cast("tuple[object, ...]", info)[1]
    error = sys.exc_info()[1] if info is True else info
    if isinstance(error, BaseException):
        event["exception"] = "".join(traceback.format_exception(error)).rstrip()
    return event


def start_logs(settings: ObserveSettings, redactor: Redactor, stream: TextIO | None = None) -> None:
    """Send all logging of this process to `stream` (stderr), redacted. Call it once, before anything is logged.

    Calling it again replaces the former set-up.
    """
    out = stream or cast(TextIO, sys.stderr)
    level = logging.getLevelNamesMapping()[settings.log_level.upper()]
    shared: list[Processor] = [
        structlog.contextvars.merge_contextvars,
        structlog.stdlib.add_logger_name,
        structlog.stdlib.add_log_level,
        structlog.stdlib.ExtraAdder(),
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        structlog.processors.StackInfoRenderer(),
    ]
    console = settings.log_format == "console" or (settings.log_format == "auto" and out.isatty())
    last: list[Processor] = [
        structlog.stdlib.ProcessorFormatter.remove_processors_meta,
        _exception,
        _Redact(redactor),
        structlog.dev.ConsoleRenderer(colors=out.isatty()) if console else structlog.processors.JSONRenderer(),
    ]
    handler = _Handler(out)
    handler.setFormatter(structlog.stdlib.ProcessorFormatter(foreign_pre_chain=shared, processors=last))
    _take_over(handler, level)
    structlog.configure(
        processors=[
            structlog.stdlib.filter_by_level,
            structlog.stdlib.PositionalArgumentsFormatter(),
            *(step for step in shared if not isinstance(step, structlog.stdlib.ExtraAdder)),
            structlog.stdlib.ProcessorFormatter.wrap_for_formatter,
        ],
        logger_factory=structlog.stdlib.LoggerFactory(),
        wrapper_class=structlog.stdlib.BoundLogger,
        cache_logger_on_first_use=False,
    )
    sys.excepthook = _log_crash
    threading.excepthook = lambda crash: _log_crash(crash.exc_type, crash.exc_value, crash.exc_traceback)


def _take_over(handler: logging.Handler, level: int) -> None:
    """Make `handler` the only one of the process, and set what each logger may say."""
    for name in list(logging.root.manager.loggerDict):
        logger = logging.getLogger(name)
        logger.handlers.clear()
        logger.propagate = True
        logger.disabled = False
    logging.root.handlers[:] = [handler]
    logging.root.setLevel(max(level, logging.INFO))
    for name in OURS:
        logging.getLogger(name).setLevel(level)
    for name in QUIET:
        for known in [name, *(other for other in logging.root.manager.loggerDict if other.startswith(f"{name}."))]:
            logging.getLogger(known).setLevel(max(level, logging.WARNING))
    logging.captureWarnings(True)


def _log_crash(kind: type[BaseException], error: BaseException | None, trace: TracebackType | None) -> None:
    """An exception nobody caught, through the same chain as any other line."""
    if issubclass(kind, KeyboardInterrupt | SystemExit):
        return
    logging.getLogger("threadhand").critical("stopped by an error", exc_info=(kind, error or kind(), trace))
