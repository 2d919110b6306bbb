"""What every command begins with: settings, keys, redaction, logging; and how one ends with an error."""

from __future__ import annotations

from dataclasses import dataclass

from bot.config import Settings
from bot.keys import load_keys
from bot.observe import Redactor, start_logs


class Failure(Exception):
    """The command did not do it; the message is one line for a person. The exit code is 2."""


@dataclass(frozen=True, slots=True)
class Deployment:
    """What the environment says, ready to use. `keys` are the deployment's own, the newest first."""

    settings: Settings
    keys: tuple[bytes, ...]
    redactor: Redactor


def read_deployment() -> Deployment:
    """Settings and keys of this process; logging is set up with all of them hidden. Raises SettingsError."""
    settings = Settings.from_environment()
    keys = load_keys(settings.storage)
    redactor = Redactor.of((*settings.secrets(), *(key.decode() for key in keys)))
    start_logs(settings.observe, redactor)
    return Deployment(settings, keys, redactor)
