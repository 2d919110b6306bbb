"""Which kinds of machine there are. A new one is a line here, a name in the settings, and its own file."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from bot.config import Settings
from sandbox.bubblewrap import BubblewrapBackend
from sandbox.bubblewrap import Settings as BubblewrapSettings
from sandbox.types import Backend


def _bubblewrap(settings: Settings) -> Backend:
    folder = settings.storage.data_dir / "machines"
    return BubblewrapBackend(BubblewrapSettings(state=folder, machine_env=settings.machine.environment))


BACKENDS: Mapping[str, Callable[[Settings], Backend]] = {"bubblewrap": _bubblewrap}


def open_backend(settings: Settings) -> Backend:
    """The backend that THREADHAND_SANDBOX names. Close it when done."""
    return BACKENDS[settings.machine.sandbox](settings)
