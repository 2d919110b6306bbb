"""The machine as bubblewrap's command line.

Hides bubblewrap's options and the layout of the machine's file system: the host's /usr read-only, a home that
is kept, scratch space that is not, and nothing else of the host.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from .guest.desktop import BROWSER_HOME, RUN, X11
from .guest.forward import BROKER, CERTIFICATE, GATE, HAND
from .guest_system import CAPABILITIES, FILES, GUEST, UID, command
from .launcher import STAGE
from .types import HOME, Limits

ETC = (
    "/etc/alternatives", "/etc/ld.so.cache", "/etc/ld.so.conf", "/etc/ld.so.conf.d", "/etc/fonts",
    "/etc/localtime", "/etc/mime.types", "/etc/magic", "/etc/ssl/certs", "/etc/ssl/openssl.cnf",
    "/etc/bash.bashrc", "/etc/profile", "/etc/profile.d", "/etc/terminfo", "/etc/libreoffice",
    "/var/cache/fontconfig",
)  # fmt: skip
LINKS = ("bin", "sbin", "lib", "lib32", "lib64", "libx32")


@dataclass(slots=True)
class Mounts:
    """Host paths and where they appear inside; when staged, bubblewrap is told their stand-ins."""

    staged: bool
    places: dict[str, str] = field(default_factory=dict[str, str])

    def source(self, path: Path) -> str:
        if not self.staged:
            return str(path)
        return self.places.setdefault(str(path), f"{STAGE}/{len(self.places)}")


@dataclass(frozen=True, slots=True)
class Layout:
    """What of the host the machine sees. folders: host path -> path inside, read-only; etc: folder with the
    machine's passwd, group, hosts and nsswitch.conf; browser: what the visual browser keeps (profile, cookies)."""

    home: Path
    etc: Path
    guest: Path
    python: Path
    folders: tuple[tuple[Path, str], ...]
    browser: Path
    gate: tuple[Path, Path] | None
    limits: Limits
    broker: Path | None = None


def arguments(layout: Layout, mounts: Mounts, *, mapped: bool, filter_fd: int) -> list[str]:
    """The whole command, bubblewrap first, guest program last."""
    out = ["bwrap", "--unshare-pid", "--unshare-net", "--unshare-ipc", "--unshare-uts", "--unshare-cgroup-try"]
    out += ["--hostname", "machine", "--die-with-parent", "--new-session", "--as-pid-1", "--clearenv"]
    if mapped:
        out += ["--cap-drop", "ALL"]
        for capability in CAPABILITIES:
            out += ["--cap-add", f"CAP_{capability}"]
    else:
        out += ["--unshare-user", "--uid", str(UID), "--gid", str(UID), "--cap-drop", "ALL"]
    out += system()
    out += own(layout, mounts)
    out += ["--remount-ro", "/dev", "--remount-ro", "/"]
    out += ["--chdir", "/", "--add-seccomp-fd", str(filter_fd)]
    return [*out, "--", *command(str(layout.python))]


def system() -> list[str]:
    """What every machine sees of the host's system."""
    out = ["--ro-bind", "/usr", "/usr"]
    for name in LINKS:
        path = Path("/", name)
        if path.is_symlink():
            out += ["--symlink", str(path.readlink()), f"/{name}"]
        elif path.is_dir():
            out += ["--ro-bind", str(path), str(path)]
    out += ["--perms", "0755", "--dir", "/etc", *parents("/etc/ssl/x"), *parents("/var/cache/x")]
    for path in ETC:
        out += ["--ro-bind-try", path, path]
    return [*out, "--proc", "/proc", "--dev", "/dev"]


def own(layout: Layout, mounts: Mounts) -> list[str]:
    """What is this session's."""
    scratch = str(max(layout.limits.disk_bytes // 4, 16 * 1024**2))
    out = ["--perms", "1777", "--size", scratch, "--tmpfs", "/tmp"]  # noqa: S108
    out += ["--perms", "0755", "--dir", "/var", "--symlink", "/tmp", "/var/tmp"]  # noqa: S108
    out += ["--perms", "1777", "--size", scratch, "--tmpfs", "/dev/shm"]  # noqa: S108
    for name in FILES:
        out += ["--ro-bind", mounts.source(layout.etc / name), f"/etc/{name}"]
    for host, inside in ((layout.guest, GUEST), *layout.folders):
        out += [*parents(inside), "--ro-bind", mounts.source(host), inside]
    out += [*parents(HOME), "--bind", mounts.source(layout.home), HOME]
    out += [*parents(BROWSER_HOME), "--bind", mounts.source(layout.browser), BROWSER_HOME]
    for folder, perms in ((RUN, "0700"), (X11, "0700"), ("/etc/chromium", "0755")):
        out += [*parents(folder), "--perms", perms, "--size", str(16 * 1024**2), "--tmpfs", folder]
    if layout.gate:
        socket, certificate = layout.gate
        out += [*parents(GATE), "--bind", mounts.source(socket), GATE]
        out += ["--ro-bind", mounts.source(certificate), CERTIFICATE]
    if layout.broker:
        out += [*parents(BROKER), "--bind", mounts.source(layout.broker), BROKER]
        out += [*parents(HAND), "--ro-bind", mounts.source(layout.etc / "hand"), HAND]
    return out


def parents(path: str) -> Iterator[str]:
    """Make the folders above `path`; bubblewrap would make them so that only root may pass."""
    for folder in reversed(Path(path).parents):
        if str(folder) not in ("/", "/usr", "/tmp"):  # noqa: S108
            yield from ("--perms", "0755", "--dir", str(folder))
