"""What the computers of a deployment are made of and may use."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Literal, get_args

from bot.settings import Group, var
from bot.written import Hosts, OptionalFolder

Sandbox = Literal["bubblewrap", "gvisor", "qemu"]
Accelerator = Literal["", "kvm", "tcg"]
_COUNT = "a whole number above 0"


def _beside() -> Path | None:
    """The machine's environment where the project's own set-up puts it: beside the environment we run in."""
    folder = Path(sys.prefix).parent / ".venv-machine"
    return folder if folder.is_dir() else None


def _image() -> Path | None:
    """The file system of machines where `make image` puts it."""
    folder = Path(sys.prefix).parent / ".setup" / "image" / "full"
    return folder if folder.is_dir() else None


class MachineSettings(Group):
    """The computer each session gets."""

    sandbox: Sandbox = var(
        "THREADHAND_SANDBOX", "bubblewrap", "What the machine is made of.", f"one of {', '.join(get_args(Sandbox))}"
    )
    image: OptionalFolder = var(
        "THREADHAND_IMAGE",
        None,
        "Folder with the system of machines that do not show the host's own, as `make image` makes it.",
        "a folder with rootfs, rootfs.erofs and vmlinuz",
        default_factory=_image,
        shown=".setup/image/full beside .venv, if it is there",
    )
    gvisor_platform: str = var(
        "THREADHAND_GVISOR_PLATFORM",
        "",
        "How gVisor catches system calls.",
        "systrap, kvm or ptrace; nothing for its own choice",
    )
    qemu_accelerator: Accelerator = var(
        "THREADHAND_QEMU_ACCEL",
        "",
        "What runs virtual machines: the processor (kvm), or qemu alone (tcg), ten to twenty times slower.",
        "kvm or tcg; nothing for kvm where a machine really boots with it",
    )
    environment: OptionalFolder = var(
        "THREADHAND_MACHINE_ENV",
        None,
        "Python environment that programs in the machine find; `none` for the system's.",
        "a folder with a Python environment, or none",
        default_factory=_beside,
        shown=".venv-machine beside .venv, if it is there",
    )
    memory_mb: int = var("THREADHAND_MACHINE_MEMORY_MB", 2048, "Memory of a session's machine, MiB.", _COUNT, ge=64)
    disk_mb: int = var("THREADHAND_MACHINE_DISK_MB", 4096, "Disk of a session's machine, MiB.", _COUNT, ge=16)
    processes: int = var("THREADHAND_MACHINE_PROCESSES", 256, "Processes of a session's machine.", _COUNT, ge=8)
    save_idle_seconds: float = var(
        "THREADHAND_SAVE_IDLE_SECONDS",
        600.0,
        "A machine that nobody has needed for so long is saved and stopped; the next use starts it again.",
        "seconds",
        gt=0,
    )
    save_mb: int = var(
        "THREADHAND_SAVE_MB",
        512,
        "Files of one save, MiB; the largest are left out first. 0 saves nothing.",
        _COUNT,
        ge=0,
    )
    egress_allow: Hosts = var(
        "THREADHAND_EGRESS_ALLOW",
        (),
        "Hosts that may be reached though their address is not public, as in an intranet.",
        "host or host:port, with commas between",
    )
