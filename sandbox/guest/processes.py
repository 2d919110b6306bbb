"""Starting, reaping and ending programs as process 1 of the machine, or in its stead.

Hides fork, orphans and process trees. Every orphan becomes the guest's child: one SIGCHLD
handler reaps all, and a tree is found by parent, by session, and by birth for those that ran away from both.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from .confine import Confinement, adopt_orphans


@dataclass(frozen=True, slots=True)
class Program:
    """What to run; `stdin` and `output` are descriptors (output is stdout and stderr)."""

    argv: Sequence[str]
    environment: dict[str, str]
    cwd: str
    stdin: int
    output: int
    terminal: bool = False


@dataclass(frozen=True, slots=True)
class Entry:
    pid: int
    parent: int
    session: int
    born: int
    zombie: bool
    owner: int


@dataclass(frozen=True, slots=True)
class Running:
    pid: int
    born: int
    ended: asyncio.Future[int]


class Processes:
    def __init__(self) -> None:
        self.running: dict[int, Running] = {}
        self.spare: int | None = None
        """A user whose orphans belong to no command."""

    def watch(self) -> None:
        adopt_orphans()
        asyncio.get_running_loop().add_signal_handler(signal.SIGCHLD, self.reap)

    def start(self, program: Program, confinement: Confinement) -> Running:
        """Fork and exec. The exit code arrives in `ended` (128+N for signal N)."""
        pid = os.fork()
        if pid == 0:
            become(program, confinement)
        entry = look(pid)
        born = entry.born if entry else 0
        self.running[pid] = Running(pid, born, asyncio.get_running_loop().create_future())
        return self.running[pid]

    def reap(self) -> None:
        with contextlib.suppress(ChildProcessError):
            while True:
                pid, status = os.waitpid(-1, os.WNOHANG)
                if pid == 0:
                    return
                ended = self.running.pop(pid, None)
                if ended is not None and not ended.ended.done():
                    code = os.waitstatus_to_exitcode(status)
                    ended.ended.set_result(code if code >= 0 else 128 - code)

    async def kill(self, running: Running) -> None:
        """End a program and all it started; returns when none is left."""
        for attempt in range(40):
            # Looked up each time: what begins meanwhile is nobody's orphan.
            others = {other.pid for other in self.running.values() if other.pid != running.pid}
            victims = tree(running, others, self.spare)
            if not victims:
                return
            if attempt >= 4:
                # It forks faster than one can look: process 1 may end all others in one step of the kernel.
                with contextlib.suppress(ProcessLookupError):
                    os.kill(-1, signal.SIGKILL)
            for victim in victims:
                with contextlib.suppress(ProcessLookupError):
                    os.kill(victim, signal.SIGKILL)
            await asyncio.sleep(0.005 if attempt < 10 else 0.02)
            self.reap()

    def end_all_of(self, uid: int) -> None:
        """End every program of a user, those left in the background too."""
        for entry in table():
            if entry.pid not in (1, os.getpid()) and not entry.zombie and owner(entry.pid) == uid:
                with contextlib.suppress(ProcessLookupError):
                    os.kill(entry.pid, signal.SIGKILL)


def become(program: Program, confinement: Confinement) -> None:
    """The child's way to its program; never returns."""
    try:
        os.setsid()
        os.dup2(program.stdin, 0)
        os.dup2(program.output, 1)
        os.dup2(program.output, 2)
        os.closerange(3, 4096)
        if program.terminal:
            import fcntl
            import termios

            fcntl.ioctl(0, termios.TIOCSCTTY, 0)
        confinement.apply()
        os.chdir(program.cwd)
        os.execve(program.argv[0], list(program.argv), program.environment)  # noqa: S606
    except BaseException as error:  # noqa: BLE001  (nothing may return into the parent's code)
        with contextlib.suppress(OSError):
            os.write(2, f"could not start: {error}\n".encode())
    finally:
        os._exit(126)


def tree(running: Running, others: set[int], spare: int | None = None) -> set[int]:
    """Living processes that belong to `running`: its descendants, its session, and orphans born after it that
    are in no other running program's session and not `spare`, the browser's user."""
    guest = os.getpid()
    entries = {entry.pid: entry for entry in table() if not entry.zombie and entry.pid not in (1, guest)}
    found = {e.pid for e in entries.values() if e.pid == running.pid or e.session == running.pid}
    for entry in entries.values():
        orphan = entry.parent == guest and entry.born >= running.born and entry.owner != spare
        if orphan and not {entry.pid, entry.session} & others:
            found.add(entry.pid)
    while True:
        more = {e.pid for e in entries.values() if e.parent in found and e.pid not in found}
        if not more:
            return found
        found |= more


def owner(pid: int) -> int:
    """Whose program it is: by its status, for the owner of its folder is root's once it hides its memory."""
    with contextlib.suppress(OSError), open(f"/proc/{pid}/status", "rb") as status:
        for line in status:
            if line.startswith(b"Uid:"):
                return int(line.split()[1])
    return -1


def table() -> Iterator[Entry]:
    for name in os.listdir("/proc"):
        if name.isdigit():
            entry = look(int(name))
            if entry is not None:
                yield entry


def look(pid: int) -> Entry | None:
    try:
        with open(f"/proc/{pid}/stat", "rb") as stat:
            # The name is in parentheses and may hold anything, so count from its end.
            fields = stat.read().rpartition(b")")[2].split()
            owner = os.fstat(stat.fileno()).st_uid
    except OSError:
        return None
    return Entry(pid, int(fields[1]), int(fields[3]), int(fields[19]), fields[0] in (b"Z", b"X"), owner)
