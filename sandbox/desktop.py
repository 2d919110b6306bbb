"""The host's side of the machine's screen: its stream, and what this host must have for it.

Hides that the screen is a VNC server inside the machine. The stream is raw: whoever shows it to a person decides
on this side which of the person's messages pass.
"""

from __future__ import annotations

import contextlib
import shutil
from collections.abc import AsyncIterator
from pathlib import Path

from .link import Call
from .types import Problem

PACKAGES = {"chromium": "chromium", "Xvnc": "tigervnc-standalone-server", "openbox": "openbox"}


class Tunnel:
    """A byte stream to the screen's VNC (RFB) server, which asks for no password."""

    def __init__(self, call: Call) -> None:
        self._call = call
        self._pieces: AsyncIterator[bytes] = call.pieces()

    async def read(self) -> bytes:
        """The next bytes of the server; empty when it has hung up. Raises MachineError when there is no screen."""
        piece = await anext(self._pieces, b"")
        if not piece:
            await self._call.result()
        return piece

    async def write(self, data: bytes) -> None:
        """Send bytes to the server."""
        await self._call.send(data)

    async def close(self) -> None:
        """Hang up. Twice is fine."""
        await self._call.__aexit__()


FORBID = {
    "/proc/sys/kernel/apparmor_restrict_unprivileged_userns": "1",
    "/proc/sys/kernel/unprivileged_userns_clone": "0",
    "/proc/sys/user/max_user_namespaces": "0",
}
"""Settings of the kernel, and the value of each that keeps Chromium from having its own sandbox."""


def missing_desktop(machine_env: Path | None) -> list[Problem]:
    """What this host lacks for the visual browser; machines start without it."""
    found: list[Problem] = []
    lacking = [package for program, package in PACKAGES.items() if shutil.which(program) is None]
    if lacking:
        what = f"The visual browser cannot start: {', '.join(lacking)} missing."
        found.append(Problem(what, f"apt-get install {' '.join(lacking)}"))
    if machine_env is None or not list(machine_env.glob("lib/python*/site-packages/playwright")):
        what = "The visual browser cannot start: Playwright is missing in the machine's Python environment."
        found.append(Problem(what, "Run make setup."))
    for setting, value in FORBID.items():
        with contextlib.suppress(OSError):
            if Path(setting).read_text().strip() == value:
                what = (
                    "The visual browser runs without Chromium's own sandbox (web pages are kept apart less strictly)."
                )
                found.append(Problem(what, f"Allow user namespaces: change {setting}, which is {value}."))
    return found
