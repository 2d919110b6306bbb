"""The first program of a virtual machine, from its initial memory: it brings the machine's system and goes there.

Hides the kernel's modules and the way from the initial memory to the read-only system on the first disk.
"""

from __future__ import annotations

import os
import time

from .kernel import MS_MOVE, MS_RDONLY, load_module, mount

SYSTEM, HERE, THERE = "/dev/vda", "/opt/threadhand", "/new"
NEXT = "import sys; sys.path.insert(0, '/opt/threadhand'); from guest.power import main; main()"
DISK_SECONDS = 60.0


def main() -> None:
    mount("devtmpfs", "/dev", "devtmpfs")
    for name in sorted(os.listdir("/modules")):
        load_module(f"/modules/{name}")
    wait_for(SYSTEM)
    mount(SYSTEM, THERE, "erofs", MS_RDONLY)
    mount("tmpfs", f"{THERE}{HERE}", "tmpfs", 0, "mode=0755,size=16777216")
    os.mkdir(f"{THERE}{HERE}/bin", 0o755)
    move(HERE, f"{THERE}{HERE}")
    remove("/modules")
    remove("/usr")
    mount("/dev", f"{THERE}/dev", "", MS_MOVE)
    os.chdir(THERE)
    mount(THERE, "/", "", MS_MOVE)
    os.chroot(".")
    os.chdir("/")
    os.execv("/usr/bin/python3", ["python3", "-I", "-S", "-B", "-c", NEXT])  # noqa: S606


def wait_for(path: str) -> None:
    """Disks appear a little after their module was loaded."""
    until = time.monotonic() + DISK_SECONDS
    while not os.path.exists(path):
        if time.monotonic() > until:
            raise SystemExit(f"{path} did not appear.")
        time.sleep(0.01)


def move(source: str, target: str) -> None:
    """Copy a folder and let go of its files: what is left here stays in memory."""
    for name in os.listdir(source):
        one, other = f"{source}/{name}", f"{target}/{name}"
        if os.path.isdir(one):
            os.makedirs(other, 0o755, exist_ok=True)
            move(one, other)
        else:
            with open(one, "rb") as old, open(other, "wb") as new:
                new.write(old.read())
            os.unlink(one)


def remove(folder: str) -> None:
    """Free the memory of what is not needed any more."""
    for name in os.listdir(folder):
        path = f"{folder}/{name}"
        if os.path.isdir(path) and not os.path.islink(path):
            remove(path)
        else:
            os.unlink(path)
