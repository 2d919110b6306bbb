"""Which user ids a machine may have.

Hides how they are come by: root takes a range that nobody hands out, an ordinary user has what /etc/subuid and
/etc/subgid say, or only their own id.
"""

from __future__ import annotations

import contextlib
import getpass
import os
import shutil
from pathlib import Path
from typing import Literal

from . import launcher

Ids = Literal["root", "subids", "same"]

ROOT_BASE = 0x70010000
"""First of the 65,536 user ids that machines use when the bot is root: a range nobody else hands out."""


def best_ids() -> Ids:
    if os.geteuid() == 0:
        return "root"
    return "subids" if shutil.which("newuidmap") and subordinate_base() else "same"


def subordinate_base() -> int | None:
    """The first id of this user's range, when both files give it the same one of at least 65,535."""
    names = {getpass.getuser(), str(os.getuid())}
    found: list[set[int]] = []
    for file in ("/etc/subuid", "/etc/subgid"):
        with contextlib.suppress(OSError):
            lines = [line.split(":") for line in Path(file).read_text().splitlines()]
            fits = [line for line in lines if len(line) == 3 and line[0] in names]
            found.append({int(line[1]) for line in fits if int(line[2]) >= launcher.RANGE - 1})
    both = found[0] & found[1] if len(found) == 2 else set[int]()
    return min(both, default=None)
