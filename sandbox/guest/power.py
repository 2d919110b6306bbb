"""Process 1 of a virtual machine: it makes the places, and does what only the kernel's owner can do.

Hides that a machine may be the copy of another: up to `ready` it knows nothing of a session, and only then the host
says what time it is, what random numbers begin with, and that the session's disk is there. It speaks with the host on a
port of its own, one JSON object a line: the first begins the session, `now` sets the clock after a pause, `off` brings
all to the disk.
"""

from __future__ import annotations

import fcntl
import glob
import json
import os
import select
import signal
import socket
import struct
import sys
import time

from . import program
from .confine import hide_self
from .desktop import BROWSER_HOME, RUN, X11
from .frames import Message
from .kernel import (
    MS_BIND,
    MS_NODEV,
    MS_NOSUID,
    detach,
    forget_cached,
    keep_only,
    mount,
    power_off,
    reseed,
)

PORT, DISK, HELD = "/dev/host", "/dev/home", "/mnt"
NODES = {"null": (1, 3), "zero": (1, 5), "full": (1, 7), "random": (1, 8), "urandom": (1, 9), "tty": (5, 0)}
LINKS = {"ptmx": "pts/ptmx", "fd": "/proc/self/fd", "stdin": "fd/0", "stdout": "fd/1", "stderr": "fd/2"}
KEPT = (0, 1, 3, 5, 6, 7)
"""The guest program's powers: CHOWN, DAC_OVERRIDE, FOWNER, KILL, SETGID, SETUID."""
HOMES = {"agent": ("/home/agent", 1000, 0o755), "browser": (BROWSER_HOME, 1001, 0o700)}
SMALL = "size=16777216"
LINE_MAX = 4096
SIOCSIFFLAGS, IFF_UP = 0x8914, 1


def main() -> None:
    hide_self()
    os.umask(0)
    line = os.open(found("/dev/vport*p1"), os.O_RDWR)
    devices()
    places()
    loopback_up()
    say(line, {"ready": True})
    try:
        begin(hear(line))
    except (OSError, ValueError, KeyError) as error:
        say(line, {"error": f"{error}"})
        power_off()
    guest = start_guest()
    say(line, {"started": True})
    attend(line, guest)
    power_off()


def found(pattern: str) -> str:
    """A device, once it is there."""
    while not (paths := glob.glob(pattern)):
        time.sleep(0.01)
    return paths[0]


def devices() -> None:
    """In place of all the kernel's devices, the few that programs need."""
    port, disk = os.stat(found("/dev/vport*p2")).st_rdev, os.stat("/dev/vdb").st_rdev
    detach("/dev")
    mount("tmpfs", "/dev", "tmpfs", MS_NOSUID, f"mode=0755,{SMALL}")
    for name, (major, minor) in NODES.items():
        os.mknod(f"/dev/{name}", 0o020666, os.makedev(major, minor))
    os.mknod(PORT, 0o020600, port)
    os.mknod(DISK, 0o060600, disk)
    for name, target in LINKS.items():
        os.symlink(target, f"/dev/{name}")
    for name in ("pts", "shm"):
        os.mkdir(f"/dev/{name}", 0o755)
    mount("devpts", "/dev/pts", "devpts", MS_NOSUID, "newinstance,ptmxmode=0666,mode=0620")


def places() -> None:
    """What is not the image's and no session's."""
    mount("proc", "/proc", "proc", MS_NOSUID | MS_NODEV)
    for file, value in (("kernel/dmesg_restrict", 1), ("vm/dirty_expire_centisecs", 200), ("vm/panic_on_oom", 0)):
        with open(f"/proc/sys/{file}", "w") as setting:
            setting.write(str(value))
    scratch("/run", "0755", SMALL)
    os.mkdir("/run/threadhand", 0o755)
    os.mkdir(RUN, 0o700)
    scratch("/etc/chromium", "0755", SMALL)


def scratch(place: str, mode: str, size: str) -> None:
    mount("tmpfs", place, "tmpfs", MS_NOSUID | MS_NODEV, f"mode={mode},{size}")


def loopback_up() -> None:
    with socket.socket() as any_socket:
        fcntl.ioctl(any_socket, SIOCSIFFLAGS, struct.pack("16sh14x", b"lo", IFF_UP))


def begin(first: Message) -> None:
    """Become the machine of one session."""
    set_clock(first)
    reseed(bytes.fromhex(str(first["seed"])))
    for place in ("/tmp", "/dev/shm"):  # noqa: S108
        scratch(place, "1777", f"size={int(first['scratch'])}")
    os.mkdir(X11, 0o700)
    forget_cached(DISK)
    mount(DISK, HELD, "ext4", MS_NOSUID | MS_NODEV, "discard,commit=2")
    os.unlink(DISK)
    for name, (place, owner, mode) in HOMES.items():
        kept = f"{HELD}/{name}"
        if not os.path.isdir(kept):
            os.mkdir(kept, mode)
            os.chown(kept, owner, owner)
        mount(kept, place, "", MS_BIND)
    detach(HELD)


def set_clock(request: Message) -> None:
    time.clock_settime(time.CLOCK_REALTIME, float(request["now"]))


def start_guest() -> int:
    """The guest program, as a process with no more power than it needs."""
    process = os.fork()
    if process:
        return process
    try:
        os.setsid()
        os.dup2(os.open("/dev/null", os.O_RDWR), 0)
        keep_only(KEPT)
        sys.argv = ["guest", "device", PORT]
        program.main()
    finally:
        os._exit(0)


def attend(line: int, guest: int) -> None:
    """Until the guest ends or the host is gone: do what the host says, and bury the dead."""
    ended = os.pidfd_open(guest)
    waiting = select.poll()
    waiting.register(line, select.POLLIN)
    waiting.register(ended, select.POLLIN)
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)
    while all(descriptor != ended for descriptor, _ in waiting.poll()):
        request = hear(line)
        if "now" in request:
            set_clock(request)
        elif "off" in request:
            os.sync()
            say(line, {"off": True})
        else:
            return


def hear(line: int) -> Message:
    """One line, byte by byte: what follows it may be for later."""
    got = b""
    while not got.endswith(b"\n") and len(got) < LINE_MAX:
        piece = os.read(line, 1)
        if not piece:
            return {}
        got += piece
    return json.loads(got)


def say(line: int, message: Message) -> None:
    os.write(line, json.dumps(message).encode() + b"\n")
