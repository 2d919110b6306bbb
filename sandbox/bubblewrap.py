"""Machines from Linux namespaces: quick, nothing to install but bubblewrap, shares the host's kernel.

Hides namespaces, user ids, control groups and the start of the guest. Machines live as long as this process:
what runs in them ends with it, files in their homes stay.
"""

from __future__ import annotations

import asyncio
import contextlib
import functools
import getpass
import hashlib
import json
import os
import shutil
import socket
import sys
import tempfile
from collections.abc import Generator
from dataclasses import dataclass
from pathlib import Path
from typing import IO

from . import bwrap_args, cgroup, launcher, seccomp
from .bwrap_args import BROWSER, CERTIFICATE, GATE, HAND, MACHINE, UID, Layout, Mounts
from .desktop import missing_desktop
from .guest.forward import PORT
from .ids import ROOT_BASE, Ids, best_ids, subordinate_base
from .link import Link
from .machine import GuestMachine, Hooks, Introduction
from .types import HOME, Limits, MachineError, MachineSpec, MachineUnavailable, Problem

START_SECONDS = 30.0
FILES = {
    "passwd": f"root:x:0:0:root:/root:/usr/sbin/nologin\nagent:x:{UID}:{UID}:agent:{HOME}:/bin/bash\n"
    f"browser:x:{BROWSER}:{BROWSER}:browser:/home/browser:/usr/sbin/nologin\n"
    "nobody:x:65534:65534:nobody:/nonexistent:/usr/sbin/nologin\n",
    "group": f"root:x:0:\nagent:x:{UID}:\nnogroup:x:65534:\n",
    "hosts": "127.0.0.1 localhost machine\n::1 localhost\n",
    "nsswitch.conf": "passwd: files\ngroup: files\nhosts: files\n",
}


@dataclass(frozen=True, slots=True)
class Settings:
    """state: a folder for the backend's own files. machine_env: a Python environment (venv) whose programs and
    libraries the machine gets, read-only; None for the plain interpreter. ids: how user ids are separated;
    None chooses the best that this user may have."""

    state: Path
    machine_env: Path | None = None
    ids: Ids | None = None


@dataclass(slots=True)
class Started:
    """What the backend keeps of one running machine."""

    machine: GuestMachine
    link: Link
    process: asyncio.subprocess.Process
    group: cgroup.Group | None
    home: Path
    paused: bool = False
    memory_kills: int = 0
    refused: int = 0


class BubblewrapBackend:
    """The default `Backend` on Linux, as root or as an ordinary user."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._ids: Ids = settings.ids or best_ids()
        self._groups = cgroup.Groups.find()
        self._started: dict[str, Started] = {}
        self._homes: dict[str, Path] = {}
        self._locks: dict[str, asyncio.Lock] = {}
        if self._groups:
            self._groups.sweep()

    @property
    def name(self) -> str:
        return "bubblewrap"

    async def check(self) -> tuple[Problem, ...]:
        found = [*missing(), *self._weaker()]
        if any(problem.fatal for problem in found):
            return tuple(found)
        with tempfile.TemporaryDirectory(dir=self._folder()) as home:
            spec = MachineSpec("check", Path(home, "home"), Limits(memory_bytes=256 * 1024**2))
            try:
                machine = await self.start(spec)
                await machine.exec("true", timeout=20)
            except MachineError as error:
                fix = "Read the message above; in a container, user namespaces must be allowed."
                found.append(Problem(f"A probe machine did not start: {error}", fix, fatal=True))
            finally:
                await self.destroy("check")
        return tuple(found)

    async def start(self, spec: MachineSpec) -> GuestMachine:
        async with self._lock(spec.session_id):
            started = self._started.get(spec.session_id)
            if started and not started.link.lost:
                await self._wake(spec.session_id)
                return started.machine
            if started:
                await self._stop(spec.session_id)
            self._homes[spec.session_id] = spec.home
            started = await self._launch(spec)
            self._started[spec.session_id] = started
            return started.machine

    async def pause(self, session_id: str) -> bool:
        started = self._started.get(session_id)
        if not started or not started.group or started.link.lost:
            return False
        started.paused = started.group.freeze(True)
        return started.paused

    async def destroy(self, session_id: str) -> None:
        async with self._lock(session_id):
            await self._stop(session_id)
            home = self._homes.pop(session_id, None)
            for folder in (home, browser_home(home)) if home else ():
                if folder.exists():
                    await self._remove(folder)
        self._locks.pop(session_id, None)

    async def close(self) -> None:
        await asyncio.gather(*(self._stop(session_id) for session_id in list(self._started)))

    def _lock(self, session_id: str) -> asyncio.Lock:
        return self._locks.setdefault(session_id, asyncio.Lock())

    def _folder(self) -> Path:
        self._settings.state.mkdir(parents=True, exist_ok=True)
        return self._settings.state

    def _weaker(self) -> list[Problem]:
        found: list[Problem] = []
        if self._groups is None:
            what = "No control groups to write to: memory and processes are limited per program, not in sum."
            found.append(Problem(what, "Run as root, or in a systemd unit with Delegate=yes."))
        if self._ids == "same":
            what = "No user ids to map: the agent's programs run as the same user as the guest program."
            fix = f"apt-get install uidmap; then usermod --add-subuids 100000-165535 --add-subgids 100000-165535 {getpass.getuser()}"  # noqa: E501
            found.append(Problem(what, fix))
        env = self._settings.machine_env
        if env is not None and not has_python(env):
            what = f"{env} has no Python: programs in the machine lack pandas, openpyxl and the like."
            found.append(Problem(what, "Run make install, which creates it."))
        return [*found, *missing_desktop(env)]

    async def _launch(self, spec: MachineSpec) -> Started:
        spec.home.mkdir(parents=True, exist_ok=True)
        browser_home(spec.home).mkdir(exist_ok=True, mode=0o700)
        name = f"{os.getpid()}-{hashlib.sha256(spec.session_id.encode()).hexdigest()[:16]}"
        group = self._groups.make(name, spec.limits) if self._groups else None
        ours, theirs = socket.socketpair()
        with memory_file(seccomp_filters()[0]) as filter_fd, tempfile.TemporaryFile() as complaints:
            with theirs:
                process = await asyncio.create_subprocess_exec(
                    *self._command(spec, group, filter_fd),
                    stdin=theirs.fileno(),
                    stdout=complaints,
                    stderr=complaints,
                    pass_fds=(filter_fd,),
                    env={"PATH": "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"},
                )
            link = Link(*await asyncio.open_connection(sock=ours))
            hooks = Hooks(
                functools.partial(self._wake, spec.session_id),
                functools.partial(self._note, spec.session_id),
                functools.partial(self._stop, spec.session_id),
            )
            machine = GuestMachine(spec.session_id, link, spec.limits, hooks)
            started = Started(machine, link, process, group, spec.home)
            try:
                await asyncio.wait_for(link.hello(self._introduction(spec)), START_SECONDS)
            except (MachineError, TimeoutError) as error:
                await end(started)
                raise MachineUnavailable(f"The machine did not start: {said(complaints)}") from error
            except asyncio.CancelledError:
                await end(started)
                raise
        return started

    def _command(self, spec: MachineSpec, group: cgroup.Group | None, filter_fd: int) -> list[str]:
        mounts = Mounts(staged=os.geteuid() == 0)
        mapped = self._ids != "same"
        arguments = bwrap_args.arguments(self._layout(spec), mounts, mapped=mapped, filter_fd=filter_fd)
        plan = {
            "doors": group.doors if group else (),
            "argv": arguments,
            "ids": self._ids,
            "base": self._base(),
            "owner": UID,
            "owners": {str(spec.home): UID, str(browser_home(spec.home)): self._browser_id()},
            "stage": mounts.places,
        }
        return [sys.executable, "-I", "-S", launcher.__file__, json.dumps(plan)]

    def _browser_id(self) -> int:
        return UID if self._ids == "same" else BROWSER

    def _base(self) -> int:
        match self._ids:
            case "subids":
                return subordinate_base() or 0
            case "root" | "same":
                return ROOT_BASE

    def _layout(self, spec: MachineSpec) -> Layout:
        etc = self._folder() / "etc"
        etc.mkdir(exist_ok=True)
        for name, content in FILES.items():
            if not (etc / name).exists():
                (etc / name).write_text(content)
                (etc / name).chmod(0o644)
        python, folders = self._interpreter()
        self._put_hand(etc / "hand", python)
        gate = (spec.egress.socket, spec.egress.ca_certificate) if spec.egress else None
        guest = Path(__file__).parent / "guest"
        return Layout(spec.home, etc, guest, python, folders, browser_home(spec.home), gate, spec.limits, spec.broker)

    def _put_hand(self, path: Path, python: Path) -> None:
        """The command `hand` as a program of the machine's interpreter."""
        source = Path(__file__).parent / "guest" / "hand.py"
        program = f"#!{python} -I\n{source.read_text(encoding='utf-8')}"
        if path.exists() and path.read_text(encoding="utf-8") == program:
            return
        draft = path.with_name(f"hand.{os.getpid()}")
        draft.write_text(program, encoding="utf-8")
        draft.chmod(0o755)
        draft.replace(path)

    def _interpreter(self) -> tuple[Path, tuple[tuple[Path, str], ...]]:
        """The interpreter as seen inside, and what must be mounted for it."""
        env = self._settings.machine_env
        folders: list[tuple[Path, str]] = []
        python = Path(sys.base_prefix, "bin", "python3").resolve()
        if env is not None and has_python(env):
            folders.append((env, MACHINE))
            python = (env / "bin/python3").resolve()
        prefix = python.parent.parent
        if not prefix.is_relative_to("/usr"):
            folders.append((prefix, str(prefix)))
        return python, tuple(folders)

    def _introduction(self, spec: MachineSpec) -> dict[str, object]:
        introduction = Introduction(
            uid=UID,
            browser_uid=self._browser_id(),
            home=HOME,
            limits=spec.limits,
            environment=environment(spec, self._settings.machine_env),
            filter=seccomp_filters()[1],
            gate=GATE if spec.egress else "",
            data_bytes=0 if self._groups else spec.limits.memory_bytes,
            processes=0 if self._groups else spec.limits.processes,
        )
        return introduction.message()

    async def _wake(self, session_id: str) -> None:
        started = self._started.get(session_id)
        if started and started.paused and started.group:
            started.group.freeze(False)
            started.paused = False

    def _note(self, session_id: str) -> str:
        started = self._started.get(session_id)
        if not started or not started.group:
            return ""
        kills, refused = started.group.killed_for_memory(), started.group.refused_processes()
        memory, processes = kills > started.memory_kills, refused > started.refused
        started.memory_kills, started.refused = kills, refused
        if memory:
            return "The machine's memory was used up, so the program that used most of it was ended. Use less."
        if processes:
            return "Too many programs ran at once, so no more could be started. Start fewer."
        return ""

    async def _stop(self, session_id: str) -> None:
        started = self._started.pop(session_id, None)
        if started:
            await end(started)

    async def _remove(self, home: Path) -> None:
        """Delete a home; some of its files may belong to ids that only a mapped root may touch."""
        if self._ids == "subids":
            plan = {"doors": (), "argv": ["rm", "-rf", "--", str(home)], "ids": "subids", "base": self._base()}
            command = [sys.executable, "-I", "-S", launcher.__file__, json.dumps(plan)]
            await (await asyncio.create_subprocess_exec(*command)).wait()
        else:
            await asyncio.to_thread(shutil.rmtree, home, ignore_errors=True)


def environment(spec: MachineSpec, machine_env: Path | None) -> dict[str, str]:
    """What the agent's programs see. No credential is ever among it."""
    path = "/usr/local/bin:/usr/bin:/bin:/usr/local/sbin:/usr/sbin:/sbin"
    own = f"{HOME}/.local/bin:{Path(HAND).parent}" if spec.broker else f"{HOME}/.local/bin"
    found = {
        "PATH": f"{own}:{MACHINE}/bin:{path}" if machine_env else f"{own}:{path}",
        "HOME": HOME,
        "USER": "agent",
        "LOGNAME": "agent",
        "SHELL": "/bin/bash",
        "LANG": "C.UTF-8",
        "TMPDIR": "/tmp",  # noqa: S108
        "MPLBACKEND": "Agg",
        "PYTHONUNBUFFERED": "1",
    }
    if spec.egress:
        proxy = f"http://127.0.0.1:{PORT}"
        for name in ("http_proxy", "https_proxy", "HTTP_PROXY", "HTTPS_PROXY", "all_proxy", "ALL_PROXY"):
            found[name] = proxy
        for name in ("CURL_CA_BUNDLE", "SSL_CERT_FILE", "REQUESTS_CA_BUNDLE", "NODE_EXTRA_CA_CERTS"):
            found[name] = CERTIFICATE
        found |= {"GIT_SSL_CAINFO": CERTIFICATE, "PIP_CERT": CERTIFICATE, "NODE_USE_ENV_PROXY": "1"}
    return found | spec.environment


def has_python(env: Path) -> bool:
    return os.access(env / "bin/python3", os.X_OK)


async def end(started: Started) -> None:
    """Stop a machine: everything inside dies with its first process."""
    if started.group:
        started.group.freeze(False)
    with contextlib.suppress(ProcessLookupError):
        started.process.kill()
    await started.process.wait()
    await started.link.close()
    if started.group:
        await started.group.remove()


def browser_home(home: Path) -> Path:
    """What the browser keeps: beside the home, for nothing the agent's programs do may reach it."""
    return home.with_name(f"{home.name}.browser")


def missing() -> list[Problem]:
    found: list[Problem] = []
    if not sys.platform.startswith("linux"):
        found.append(Problem("bubblewrap needs Linux.", "Use another backend.", fatal=True))
    if shutil.which("bwrap") is None:
        found.append(Problem("The program bwrap is missing.", "apt-get install bubblewrap", fatal=True))
    try:
        seccomp_filters()
    except (OSError, RuntimeError, AttributeError) as error:
        found.append(Problem(f"No seccomp filter: {error}.", "apt-get install libseccomp2", fatal=True))
    return found


@functools.cache
def seccomp_filters() -> tuple[bytes, bytes]:
    """For the whole machine, and for the agent's programs."""
    return seccomp.machine_filter(), seccomp.agent_filter()


@contextlib.contextmanager
def memory_file(content: bytes) -> Generator[int]:
    """A descriptor to read `content` from."""
    descriptor = os.memfd_create("filter")
    try:
        os.write(descriptor, content)
        os.lseek(descriptor, 0, os.SEEK_SET)
        yield descriptor
    finally:
        os.close(descriptor)


def said(complaints: IO[bytes]) -> str:
    complaints.seek(0)
    text = complaints.read()[-2000:].decode("utf-8", "replace").strip()
    return text or "it gave no reason within its time."
