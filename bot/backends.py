"""Which kinds of machine there are. A new one is a line here, a name in the settings, and its own file."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path

from bot.config import Settings, SettingsError
from sandbox.bubblewrap import BubblewrapBackend
from sandbox.bubblewrap import Settings as BubblewrapSettings
from sandbox.gvisor import GvisorBackend
from sandbox.gvisor import Settings as GvisorSettings
from sandbox.qemu import QemuBackend
from sandbox.qemu import Settings as QemuSettings
from sandbox.types import Backend


def _bubblewrap(settings: Settings) -> Backend:
    folder = settings.storage.data_dir / "machines"
    return BubblewrapBackend(BubblewrapSettings(state=folder, machine_env=settings.machine.environment))


def _image(settings: Settings) -> Path:
    if settings.machine.image is None:
        raise SettingsError(
            f"THREADHAND_SANDBOX={settings.machine.sandbox} needs a system for its machines: run make image, or set "
            "THREADHAND_IMAGE to a folder that it made."
        )
    return settings.machine.image


def _gvisor(settings: Settings) -> Backend:
    folder, platform = settings.storage.data_dir / "gvisor", settings.machine.gvisor_platform
    return GvisorBackend(GvisorSettings(folder, _image(settings) / "rootfs", platform))


def _qemu(settings: Settings) -> Backend:
    folder, accelerator = settings.storage.data_dir / "qemu", settings.machine.qemu_accelerator
    return QemuBackend(QemuSettings(folder, _image(settings), accelerator))


BACKENDS: Mapping[str, Callable[[Settings], Backend]] = {
    "bubblewrap": _bubblewrap,
    "gvisor": _gvisor,
    "qemu": _qemu,
}


def open_backend(settings: Settings) -> Backend:
    """The backend that THREADHAND_SANDBOX names. Close it when done."""
    return BACKENDS[settings.machine.sandbox](settings)
