"""A gVisor machine as an OCI bundle.

Hides the bundle's config.json: an image's files read-only, a home that is kept, scratch space that is not, no network,
and user ids of the machine's own.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path

from .bwrap_args import Mounts
from .guest.desktop import BROWSER_HOME, RUN, X11
from .guest.forward import HAND
from .guest_system import CAPABILITIES, GUEST, GUEST_SOURCE, command
from .ids import ROOT_BASE
from .launcher import RANGE
from .roster import browser_home
from .types import HOME, MachineSpec

Mount = dict[str, object]
SMALL = "size=16777216"
PYTHON = "/usr/bin/python3"
NAMESPACES = ("pid", "network", "ipc", "uts", "mount", "user")


@dataclass(frozen=True, slots=True)
class Files:
    """What of the host a machine sees, besides its home. image: the folder with its system; programs: the folder with
    the command `hand`, where the machine has a broker."""

    image: Path
    programs: Path | None


def write(bundle: Path, spec: MachineSpec, files: Files) -> dict[str, str]:
    """Put config.json into the folder `bundle`. Returns which host path it expects where: see launcher.stage."""
    staged = Mounts(staged=True)
    ids = [{"containerID": 0, "hostID": ROOT_BASE, "size": RANGE}]
    config = {
        "ociVersion": "1.0.2",
        "process": process(),
        "root": {"path": staged.source(files.image), "readonly": True},
        "hostname": "machine",
        "mounts": mounts(spec, files, staged),
        "linux": {
            "namespaces": [{"type": kind} for kind in NAMESPACES],
            "uidMappings": ids,
            "gidMappings": ids,
        },
    }
    (bundle / "config.json").write_text(json.dumps(config))
    return staged.places


def process() -> dict[str, object]:
    """The guest program, on its standard input and output."""
    capabilities = [f"CAP_{name}" for name in CAPABILITIES]
    return {
        "terminal": False,
        "user": {"uid": 0, "gid": 0},
        "args": command(PYTHON, "pipes"),
        "env": ["PATH=/usr/local/bin:/usr/bin:/bin"],
        "cwd": "/",
        "capabilities": dict.fromkeys(("bounding", "effective", "permitted"), capabilities),
        "noNewPrivileges": True,
    }


def mounts(spec: MachineSpec, files: Files, staged: Mounts) -> list[Mount]:
    """Everything that is not the image's."""
    scratch = f"size={max(spec.limits.disk_bytes // 4, 16 * 1024**2)}"
    found = [
        mount("/proc", "proc"),
        mount("/dev", "tmpfs"),
        mount("/dev/shm", "tmpfs", "mode=1777", scratch),  # noqa: S108
        mount("/tmp", "tmpfs", "mode=1777", "nosuid", "nodev", scratch),  # noqa: S108
        mount("/run", "tmpfs", "mode=0755", SMALL),
        mount("/run/threadhand", "tmpfs", "mode=0755", SMALL),
        mount("/etc/chromium", "tmpfs", "mode=0755", SMALL),
        mount(RUN, "tmpfs", "mode=0700", SMALL),
        mount(X11, "tmpfs", "mode=0700", SMALL),
    ]
    shown = [(spec.home, HOME, "rw"), (browser_home(spec.home), BROWSER_HOME, "rw"), (GUEST_SOURCE, GUEST, "ro")]
    if files.programs:
        shown.append((files.programs, str(Path(HAND).parent), "ro"))
    for path, place, access in shown:
        source = staged.source(path.resolve())
        found.append({"destination": place, "type": "bind", "source": source, "options": ["rbind", access]})
    return found


def mount(place: str, kind: str, *options: str) -> Mount:
    return {"destination": place, "type": kind, "source": kind, "options": list(options)}
