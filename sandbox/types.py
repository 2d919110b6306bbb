"""The vocabulary of the computer: what a backend and a machine can do, and the words they use.

Hides which technology isolates a session (namespaces, a virtual machine, a cluster): the rest of the
product sees one computer with a shell and files. A new backend is one class satisfying `Backend`; what runs
inside (the guest program) and the conformance suite are the same for all.
"""

from __future__ import annotations

from collections.abc import AsyncIterable, Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal, Protocol

HOME = "/home/agent"
"""The session's home inside every machine. Relative paths start here; file operations cannot leave it."""

READ_MAX = 8 * 1024 * 1024
"""Most bytes one `Machine.read` returns; read longer files in several calls with `offset`."""


class MachineError(Exception):
    """Something the computer could not do; the message says what went wrong and what to do.

    MachineError
     ├─ MachineUnavailable   this host cannot start a machine now (missing program, no permission)
     ├─ MachineLost          it was running and is gone; files in its home survive, programs do not
     ├─ LimitReached         disk, memory, processes or size of an operation
     ├─ PathRefused          the path leaves the session's home, or is no regular file or folder
     └─ NotFound             no such file or folder
    """


class MachineUnavailable(MachineError):
    """No machine can be started on this host as it is."""


class MachineLost(MachineError):
    """The machine stopped while it was in use. Start it again: its home is kept, its programs are not."""


class LimitReached(MachineError):
    """A limit of the session was hit; nothing outside the session is affected."""


class PathRefused(MachineError):
    """A path that is not the session's to use."""


class NotFound(MachineError):
    """No file or folder has this name."""


@dataclass(frozen=True, slots=True)
class Problem:
    """Something this host lacks. `fatal`: no machine starts; otherwise it starts with less protection."""

    what: str
    fix: str
    fatal: bool = False


@dataclass(frozen=True, slots=True)
class Limits:
    """What one session may use. Bytes, counts, and processor cores (2.0 is two whole cores)."""

    memory_bytes: int = 2 * 1024**3
    processes: int = 512
    disk_bytes: int = 4 * 1024**3
    cpu: float = 2.0
    output_bytes: int = 128 * 1024
    """Most bytes of a command's output that are kept: half from its beginning, half from its end."""


@dataclass(frozen=True, slots=True)
class EgressPort:
    """The machine's only way out: the gate's Unix socket on the host, and the certificate (PEM file) that
    programs inside must trust because the gate opens TLS to judge what is sent."""

    socket: Path
    ca_certificate: Path


@dataclass(frozen=True, slots=True)
class MachineSpec:
    """A machine to start. `home` is a folder on the host that is kept across restarts; it is created when
    missing. Without `egress` the machine has no network at all. `environment` is added to what programs see:
    never put a credential there."""

    session_id: str
    home: Path
    limits: Limits = Limits()
    egress: EgressPort | None = None
    environment: dict[str, str] = field(default_factory=dict[str, str])
    broker: Path | None = None
    """Socket on the host that the command `hand` in the machine speaks to; without it there is no such command."""


@dataclass(frozen=True, slots=True)
class ExecResult:
    """How a command ended.

    exit_code: as a shell reports it; 128+N when signal N ended it.
    output: stdout and stderr as they came, at most Limits.output_bytes; the middle is left out when longer,
        and a line in its place says how many bytes are hidden.
    hidden: the number of bytes left out, 0 when output is complete.
    note: empty, or a sentence on a limit that was hit (memory, disk, processes) and what to do.
    """

    exit_code: int
    output: bytes
    hidden: int = 0
    timed_out: bool = False
    interrupted: bool = False
    seconds: float = 0.0
    note: str = ""

    @property
    def truncated(self) -> bool:
        return self.hidden > 0

    @property
    def text(self) -> str:
        return self.output.decode("utf-8", "replace")


@dataclass(frozen=True, slots=True)
class FileInfo:
    """One entry of the home. `path` is absolute inside the machine; `modified` is seconds since 1970."""

    path: str
    kind: Literal["file", "folder", "link", "other"]
    size: int
    modified: float
    mode: int

    @property
    def name(self) -> str:
        return self.path.rsplit("/", 1)[-1]


class Machine(Protocol):
    """A running computer of one session. Safe to use from several tasks at once.

    Every method raises MachineLost when the machine is gone.
    """

    @property
    def session_id(self) -> str: ...

    async def exec(
        self,
        command: str,
        *,
        timeout: float,
        cwd: str | None = None,
        on_output: Callable[[bytes], None] | None = None,
    ) -> ExecResult:
        """Run `command` with bash as the agent's user, in `cwd` (default: the home).

        timeout: seconds, after which the command and all it started are killed (`timed_out`).
        on_output: called with each piece of output as it comes, before the result.
        Cancelling the awaiting task kills the command too. Programs left in the background by a command that
        ends by itself go on running.
        """
        ...

    async def interrupt(self) -> None:
        """Kill every running command with all it started; returns when they are gone (aim: 0.3 s).

        Their `exec` returns with `interrupted`. Nothing running: does nothing.
        """
        ...

    async def read(self, path: str, *, offset: int = 0, limit: int = READ_MAX) -> bytes:
        """At most `limit` (<= READ_MAX) bytes of a file from `offset`; empty at its end.

        PathRefused, NotFound."""
        ...

    async def write(self, path: str, content: bytes | AsyncIterable[bytes], *, mode: int = 0o644) -> FileInfo:
        """Replace or create a file as a whole (readers see the old or the new one, never half); folders on
        the way are created. PathRefused, LimitReached."""
        ...

    async def list(self, path: str = ".") -> tuple[FileInfo, ...]:
        """The entries of a folder by name, hidden ones too, at most 10,000. PathRefused, NotFound."""
        ...

    async def stat(self, path: str) -> FileInfo:
        """What `path` is, without following a link at its end. PathRefused, NotFound."""
        ...

    async def close(self) -> None:
        """Stop the machine; files in its home are kept. Twice is fine."""
        ...


class Backend(Protocol):
    """A way to get machines. Safe to use from several tasks at once."""

    @property
    def name(self) -> str:
        """As written in THREADHAND_SANDBOX: 'bubblewrap', 'qemu', ..."""
        ...

    async def check(self) -> tuple[Problem, ...]:
        """What this host lacks; empty when everything is there. Starts and stops a probe machine."""
        ...

    async def start(self, spec: MachineSpec) -> Machine:
        """The session's machine: the running one (woken if paused), else a new one on the same home.
        MachineUnavailable."""
        ...

    async def pause(self, session_id: str) -> bool:
        """Freeze all its programs, keeping memory; False when there is none or the backend cannot. Using a
        paused machine wakes it."""
        ...

    async def destroy(self, session_id: str) -> None:
        """Stop the machine and forget all that the backend keeps of it. The home folder is deleted too."""
        ...

    async def close(self) -> None:
        """Stop every machine of this process. Homes are kept."""
        ...


class Terminal(Protocol):
    """An interactive shell in a machine, for a person who watches or takes over."""

    async def read(self) -> bytes:
        """The next piece of output; empty when the shell has ended."""
        ...

    async def write(self, data: bytes) -> None: ...

    async def resize(self, rows: int, columns: int) -> None: ...

    async def close(self) -> None: ...


class Stream(Protocol):
    """A byte stream into a machine."""

    async def read(self) -> bytes:
        """The next bytes; empty at the end. MachineError when there is nothing to read from."""
        ...

    async def write(self, data: bytes) -> None: ...

    async def close(self) -> None: ...


class Desktops(Protocol):
    """A machine with a screen; it is switched on with the first use."""

    async def desktop(self) -> Stream:
        """A connection to the screen's VNC (RFB) server, which asks for no password. It is raw: whoever shows it to
        a person decides on the host which of the person's messages pass."""
        ...


class Terminals(Protocol):
    """A machine that can open terminals (all guest-based ones can)."""

    async def terminal(self, *, rows: int = 24, columns: int = 80) -> Terminal: ...
