"""What a program of the agent is given up before it runs: identity, limits, system calls.

Hides the system calls for it. Runs in the child between fork and exec, so it allocates little and never
returns to the event loop.
"""

from __future__ import annotations

import contextlib
import ctypes
import os
import resource
import signal
from dataclasses import dataclass

PR_SET_NO_NEW_PRIVS = 38
PR_SET_SECCOMP = 22
PR_SET_DUMPABLE = 4
PR_SET_CHILD_SUBREAPER = 36
SECCOMP_MODE_FILTER = 2

libc = ctypes.CDLL(None, use_errno=True)


class SockFprog(ctypes.Structure):
    _fields_ = [("length", ctypes.c_ushort), ("filter", ctypes.c_void_p)]


@dataclass(frozen=True, slots=True)
class Confinement:
    """uid and gid to become when the guest is root, the filter (compiled BPF, empty for none), and resource
    limits: processes of the user, bytes of one file, bytes of one process's data (0: unlimited)."""

    uid: int
    gid: int
    filter: bytes
    processes: int
    file_bytes: int
    data_bytes: int

    def apply(self) -> None:
        """Give everything up. For the child only: it cannot be undone."""
        for number in (signal.SIGPIPE, signal.SIGINT, signal.SIGTERM, signal.SIGCHLD):
            signal.signal(number, signal.SIG_DFL)
        # When memory runs out the kernel should end the agent's program, never the guest.
        with contextlib.suppress(OSError), open("/proc/self/oom_score_adj", "wb") as score:
            score.write(b"900")
        limit(resource.RLIMIT_CORE, 0)
        limit(resource.RLIMIT_NPROC, self.processes)
        limit(resource.RLIMIT_FSIZE, self.file_bytes)
        limit(resource.RLIMIT_DATA, self.data_bytes)
        if os.geteuid() == 0:
            os.setgroups([])
            os.setresgid(self.gid, self.gid, self.gid)
            os.setresuid(self.uid, self.uid, self.uid)
        os.umask(0o022)
        prctl(PR_SET_NO_NEW_PRIVS, 1)
        if self.filter:
            install(self.filter)


def limit(which: int, value: int) -> None:
    if value or which == resource.RLIMIT_CORE:
        with contextlib.suppress(OSError, ValueError):
            resource.setrlimit(which, (value, value))


def prctl(option: int, value: int) -> None:
    if libc.prctl(option, value, 0, 0, 0) != 0:
        raise OSError(ctypes.get_errno(), "prctl")


def install(program: bytes) -> None:
    """Install a seccomp filter: `program` is an array of 8-byte BPF instructions."""
    buffer = ctypes.create_string_buffer(program, len(program))
    sock_fprog = SockFprog(len(program) // 8, ctypes.addressof(buffer))
    if libc.prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, ctypes.byref(sock_fprog), 0, 0) != 0:
        raise OSError(ctypes.get_errno(), "seccomp")


def hide_self() -> None:
    """Nobody of the same user may trace the guest or read its memory, even where uids cannot be separate."""
    prctl(PR_SET_DUMPABLE, 0)


def adopt_orphans() -> None:
    """Where another program is process 1, the guest still becomes the parent of what its programs leave behind."""
    if os.getpid() != 1:
        prctl(PR_SET_CHILD_SUBREAPER, 1)
