"""What a virtual machine's first programs ask of its kernel.

Hides the system calls that Python has no function for. Needed before the machine's own Python is there, so it imports
next to nothing.
"""

from __future__ import annotations

import ctypes
import fcntl
import os
import struct

MS_RDONLY, MS_NOSUID, MS_NODEV, MS_BIND, MS_MOVE = 0x1, 0x2, 0x4, 0x1000, 0x2000
MNT_DETACH = 2
FINIT_MODULE, CAPSET = 313, 126
PR_CAPBSET_DROP = 24
CAPABILITY_VERSION = 0x20080522
CAPABILITIES_MAX = 64
BLKFLSBUF = 0x1261
RNDADDENTROPY, RNDRESEEDCRNG = 0x40085203, 0x5207
POWER_OFF = 0x4321FEDC

libc = ctypes.CDLL(None, use_errno=True)


def checked(result: int, what: str) -> None:
    if result != 0:
        number = ctypes.get_errno()
        raise OSError(number, f"{what}: {os.strerror(number)}")


def mount(source: str, target: str, kind: str = "", flags: int = 0, options: str = "") -> None:
    arguments = (source.encode(), target.encode(), kind.encode() or None, ctypes.c_ulong(flags))
    checked(libc.mount(*arguments, options.encode() or None), f"mount on {target}")


def detach(target: str) -> None:
    """Take a mount away; what is open or mounted from it elsewhere stays."""
    checked(libc.umount2(target.encode(), MNT_DETACH), f"unmount {target}")


def load_module(path: str) -> None:
    descriptor = os.open(path, os.O_RDONLY)
    checked(libc.syscall(FINIT_MODULE, descriptor, b"", 0), f"load {path}")
    os.close(descriptor)


def forget_cached(device: str) -> None:
    """Drop what the kernel has read of a disk before its content was changed from outside."""
    descriptor = os.open(device, os.O_RDONLY)
    fcntl.ioctl(descriptor, BLKFLSBUF, 0)
    os.close(descriptor)


def reseed(seed: bytes) -> None:
    """Make the kernel's random numbers different from those of every machine with another seed."""
    descriptor = os.open("/dev/urandom", os.O_RDWR)
    fcntl.ioctl(descriptor, RNDADDENTROPY, struct.pack(f"ii{len(seed)}s", len(seed) * 8, len(seed), seed))
    fcntl.ioctl(descriptor, RNDRESEEDCRNG, 0)
    os.close(descriptor)


def keep_only(capabilities: tuple[int, ...]) -> None:
    """Give up every other power of root, for good."""
    for number in set(range(CAPABILITIES_MAX)) - set(capabilities):
        libc.prctl(PR_CAPBSET_DROP, number, 0, 0, 0)
    low = sum(1 << number for number in capabilities)
    header = struct.pack("Ii", CAPABILITY_VERSION, 0)
    checked(libc.syscall(CAPSET, header, struct.pack("6I", low, low, 0, 0, 0, 0)), "capset")


def power_off() -> None:
    """Everything is on the disk; the machine is no more."""
    os.sync()
    libc.reboot(POWER_OFF)
