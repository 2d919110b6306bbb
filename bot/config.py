"""Everything a deployment can set, and the only place that reads the environment.

Hides names of variables, defaults and how URLs are written: the rest of the program sees one frozen `Settings`.
`VARIABLES` is the same as data; docs/settings.md and `threadhand check` come from it.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field, SecretStr

from bot.machine_settings import MachineSettings
from bot.settings import Group, SettingsError, Variable, fill, secret_values, var, variables
from bot.written import DatabaseUrl, Folder, Keys, Level, OptionalFolder, Price, RedisUrl, Secret, Url

_HTTP = "an http:// or https:// address"
_COUNT = "a whole number above 0"
_MONEY = "an amount of US dollars above 0"
_SWITCH = "true or false"


def _viewer() -> Path | None:
    """The live page's packages where the project's own set-up puts them."""
    folder = Path(sys.prefix).parent / ".setup" / "web"
    return folder if folder.is_dir() else None


class SlackSettings(Group):
    """The connection to Slack: by Socket Mode (app token) or by HTTP (signing secret)."""

    bot_token: Secret = var("SLACK_BOT_TOKEN", None, "Token of the bot in one workspace.", "a bot token (xoxb-…)")
    app_token: Secret = var(
        "SLACK_APP_TOKEN",
        None,
        "App-level token: connects by Socket Mode, no public address needed.",
        "an app-level token (xapp-…)",
    )
    signing_secret: Secret = var(
        "SLACK_SIGNING_SECRET", None, "Checks requests that Slack sends by HTTP.", "the signing secret"
    )
    client_id: str = var(
        "SLACK_CLIENT_ID", "", "With the client secret: lets other workspaces install the app.", "the client id"
    )
    client_secret: Secret = var("SLACK_CLIENT_SECRET", None, "Belongs to the client id.", "the client secret")
    api_url: Url = var("SLACK_API_URL", "https://slack.com/api", "Where the Web API is.", _HTTP)
    rate: float = var(
        "THREADHAND_SLACK_RATE",
        1.0,
        "How often one process calls Slack, as a multiple of Slack's published limits: below 1 where several "
        "processes share a workspace.",
        "a number above 0",
        gt=0,
    )

    @property
    def configured(self) -> bool:
        """Whether there is a workspace to connect to, or a way for one to install the app."""
        return bool(self.bot_token or (self.client_id and self.client_secret))

    @property
    def socket(self) -> bool:
        """Whether events come by Socket Mode; otherwise they come by HTTP."""
        return self.app_token is not None

    @property
    def problem(self) -> str:
        """What is missing for a working connection, in one sentence; empty when nothing is."""
        if not self.configured:
            return "SLACK_BOT_TOKEN is not set (nor SLACK_CLIENT_ID and SLACK_CLIENT_SECRET, to be installed)"
        if not self.app_token and not self.signing_secret:
            return "neither SLACK_APP_TOKEN (Socket Mode) nor SLACK_SIGNING_SECRET (HTTP) is set"
        return ""


class ModelSettings(Group):
    """The language model."""

    api_key: Secret = var("OPENAI_API_KEY", None, "Key for the model's API.", "an API key")
    base_url: Url = var("OPENAI_BASE_URL", "", "Another server that speaks the Responses API.", _HTTP, shown="OpenAI's")
    name: str = var("THREADHAND_MODEL", "gpt-5.2", "Model to use.", "a model's name")
    price: Price = var(
        "THREADHAND_PRICE",
        None,
        "Price of a million tokens in US dollars: `input,cached input,output`.",
        "three amounts with commas between (1.25,0.125,10)",
        shown="a built-in table",
    )
    image_model: str = var(
        "THREADHAND_IMAGE_MODEL", "", "Model that draws pictures, at the same server; empty: none.", "a model's name"
    )
    image_price: Price = var(
        "THREADHAND_IMAGE_PRICE",
        None,
        "Price of a million tokens of the model that draws, in US dollars: `input,cached input,output`.",
        "three amounts with commas between (5,1.25,40)",
        shown="a built-in table",
    )

    @property
    def configured(self) -> bool:
        """Whether there is a model to call; otherwise the rehearsal model stands in."""
        return self.api_key is not None or bool(self.base_url)


class StorageSettings(Group):
    """Where sessions, files and keys are kept."""

    data_dir: Folder = var(
        "THREADHAND_DATA_DIR",
        Path("data"),
        "Folder for everything kept on disk.",
        "a folder",
        shown="./data",
        validate_default=True,
    )
    database_url: DatabaseUrl = var(
        "THREADHAND_DATABASE_URL",
        None,
        "The database: `sqlite:///path` or `postgresql://user:password@host/name`.",
        "sqlite:///path or postgresql://user:password@host/name",
        shown="SQLite in the data folder",
    )
    redis_url: RedisUrl = var(
        "THREADHAND_REDIS_URL",
        SecretStr("memory://"),
        "Wakes workers: `memory://` inside one process, `redis://host` for several.",
        "memory://, redis://host:port/0 or rediss://…",
    )
    secret_key: Keys = var(
        "THREADHAND_SECRET_KEY",
        None,
        "Encrypts stored tokens and signs links; several with commas between, the newest first, to change it.",
        "one or more texts of at least 32 characters with commas between",
        shown="made once, kept in the data folder",
    )

    @property
    def database(self) -> str:
        """URL of the database for SQLAlchemy's async engine. Holds the password: never log it."""
        if self.database_url:
            return self.database_url.get_secret_value()
        return f"sqlite+aiosqlite:///{self.data_dir / 'threadhand.db'}"

    @property
    def redis(self) -> str:
        """URL of the engine's Redis, or memory://. Holds the password: never log it."""
        return self.redis_url.get_secret_value()


class WebSettings(Group):
    """The web server."""

    host: str = var("THREADHAND_HOST", "127.0.0.1", "Address to listen on.", "an address")
    port: int = var(
        "THREADHAND_PORT", 8080, "Port to listen on.", "a port (1 to 65535, or 0 for any free one)", ge=0, le=65535
    )
    public_url: Url = var(
        "THREADHAND_PUBLIC_URL",
        "",
        "Address at which people and Slack reach the web server.",
        _HTTP,
        shown="http://HOST:PORT",
    )

    viewer: OptionalFolder = var(
        "THREADHAND_VIEWER",
        None,
        "Folder with what the live page needs to show screen and terminal (npm's node_modules); `none` for none.",
        "a folder with node_modules, or none",
        default_factory=_viewer,
        shown=".setup/web beside .venv, if it is there",
    )

    @property
    def url(self) -> str:
        """Where links lead, without a slash at the end."""
        return self.public_url or f"http://{self.host}:{self.port}"


class SearchSettings(Group):
    """Web search."""

    provider: Literal["off", "brave", "tavily", "serper", "searxng"] = var(
        "THREADHAND_SEARCH", "off", "Who answers web searches.", "off, brave, tavily, serper or searxng"
    )
    key: Secret = var("THREADHAND_SEARCH_KEY", None, "Key for brave, tavily or serper.", "an API key")
    url: Url = var(
        "THREADHAND_SEARCH_URL", "", "Address of your SearXNG, or another one for the provider's API.", _HTTP
    )

    @property
    def problem(self) -> str:
        """What is missing for the chosen provider; empty when nothing is."""
        match self.provider:
            case "off":
                return ""
            case "searxng":
                return "" if self.url else "THREADHAND_SEARCH_URL is not set: searxng needs its address"
            case name:
                return "" if self.key else f"THREADHAND_SEARCH_KEY is not set: {name} needs a key"


class LimitSettings(Group):
    """What a run, a person and a workspace may use."""

    max_steps: int = var("THREADHAND_MAX_STEPS", 100, "Steps of one run.", _COUNT, gt=0)
    max_minutes: float = var(
        "THREADHAND_MAX_MINUTES",
        60.0,
        "Minutes one run may work; waiting for people does not count.",
        "a number of minutes above 0",
        gt=0,
    )
    max_tokens: int = var("THREADHAND_MAX_TOKENS", 2_000_000, "Tokens of one run.", _COUNT, gt=0)
    max_cost: float = var("THREADHAND_MAX_COST", 5.0, "US dollars one run may cost.", _MONEY, gt=0)
    person_daily_cost: float = var(
        "THREADHAND_PERSON_DAILY_COST", 50.0, "US dollars a day for one person.", _MONEY, gt=0
    )
    workspace_daily_cost: float = var(
        "THREADHAND_WORKSPACE_DAILY_COST", 500.0, "US dollars a day for one workspace.", _MONEY, gt=0
    )
    context_tokens: int = var(
        "THREADHAND_CONTEXT_TOKENS",
        200_000,
        "Size of the model's context; older parts are summarised before it is full.",
        _COUNT,
        ge=1000,
    )
    concurrency: int = var("THREADHAND_CONCURRENCY", 20, "Sessions one process works on at a time.", _COUNT, gt=0)
    lease_seconds: float = var(
        "THREADHAND_LEASE_SECONDS",
        15.0,
        "Seconds after which another process takes over the sessions of one that died or hangs.",
        "a number of seconds, 1 or more",
        ge=1,
    )
    file_limit_mb: int = var(
        "THREADHAND_FILE_LIMIT_MB", 100, "Largest file taken in or handed over, MiB.", _COUNT, gt=0
    )
    ask_minutes: float = var(
        "THREADHAND_ASK_MINUTES",
        120.0,
        "Minutes until the defaults of a question hold.",
        "a number of minutes above 0",
        gt=0,
    )
    allow_guests: bool = var(
        "THREADHAND_ALLOW_GUESTS", False, "Whether guests of the workspace may give it work.", _SWITCH
    )
    allow_shared_channels: bool = var(
        "THREADHAND_ALLOW_SHARED_CHANNELS",
        False,
        "Whether it works in channels shared with other organisations.",
        _SWITCH,
    )


class ObserveSettings(Group):
    """Logs and traces."""

    log_level: Level = var(
        "THREADHAND_LOG_LEVEL", "info", "Least important lines to log.", "debug, info, warning or error"
    )
    log_format: Literal["console", "json", "auto"] = var(
        "THREADHAND_LOG_FORMAT",
        "auto",
        "Form of log lines; `auto` is console in a terminal, else json.",
        "console, json or auto",
    )
    otlp_endpoint: Url = var(
        "OTEL_EXPORTER_OTLP_ENDPOINT",
        "",
        "OpenTelemetry collector (OTLP over HTTP); traces are sent when it is set.",
        _HTTP,
    )


class Settings(BaseModel):
    """All settings of a deployment, frozen."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    slack: SlackSettings = Field(default_factory=SlackSettings)
    model: ModelSettings = Field(default_factory=ModelSettings)
    storage: StorageSettings = Field(default_factory=StorageSettings)
    machine: MachineSettings = Field(default_factory=MachineSettings)
    web: WebSettings = Field(default_factory=WebSettings)
    search: SearchSettings = Field(default_factory=SearchSettings)
    limits: LimitSettings = Field(default_factory=LimitSettings)
    observe: ObserveSettings = Field(default_factory=ObserveSettings)

    @classmethod
    def load(cls, environ: Mapping[str, str]) -> Settings:
        """The settings of that environment. Raises SettingsError with a line for each wrong value."""
        groups: dict[str, Any] = {}
        problems: list[str] = []
        for name, model in GROUPS.items():
            groups[name], wrong = fill(name, model, environ)
            problems += dict.fromkeys(wrong)
        if problems:
            raise SettingsError("\n".join(problems))
        return cls(**groups)

    @classmethod
    def from_environment(cls) -> Settings:
        """The settings of this process. Raises SettingsError."""
        return cls.load(os.environ)

    def secrets(self) -> tuple[str, ...]:
        """Every secret value, to be kept out of logs; the longest first."""
        found = set(secret_values(tuple(getattr(self, name) for name in GROUPS)))
        return tuple(sorted((value for value in found if value), key=len, reverse=True))


GROUPS: dict[str, type[Group]] = {
    "slack": SlackSettings,
    "model": ModelSettings,
    "storage": StorageSettings,
    "machine": MachineSettings,
    "web": WebSettings,
    "search": SearchSettings,
    "limits": LimitSettings,
    "observe": ObserveSettings,
}

VARIABLES: tuple[Variable, ...] = tuple(entry for name, model in GROUPS.items() for entry in variables(name, model))
"""Every variable there is, by group."""


def unknown_variables(environ: Mapping[str, str] | None = None) -> tuple[str, ...]:
    """Variables (of this process) that look like ours and are not: a misspelt one would be ignored in silence."""
    names = {variable.name for variable in VARIABLES}
    given = os.environ if environ is None else environ
    return tuple(sorted(name for name in given if name.startswith("THREADHAND_") and name not in names))
