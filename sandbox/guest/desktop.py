"""The screen inside the machine and the browser on it, as a user of their own.

Hides Xvnc, the window manager and the browser program, started when first needed. The agent's programs reach
none of it: sockets, profile and the private pipe belong to the browser's user. Files cross only through this
program: what is uploaded is copied out of the home, what was downloaded is copied into it.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import secrets
import shutil
import socket
import stat
import struct
from dataclasses import dataclass, field
from typing import Protocol

from .confine import Confinement
from .disk import Disk
from .files import Draft, Home, Refused
from .forward import CERTIFICATE, PORT
from .frames import CHUNK, CONTROL, DATA, END, OPEN, Broken, Frame, Message, encode_message, receive
from .managed import POLICY
from .processes import Processes, Program, Running

RUN = "/run/desktop"
X11 = "/tmp/.X11-unix"  # noqa: S108
BROWSER_HOME = "/home/browser"
POLICIES = "/etc/chromium/policies/managed"
DISPLAY = 7
VNC = f"{RUN}/vnc"
SIZE = "1280x800"
READY_SECONDS = 30.0
PYTHON = "/opt/machine/bin/python3"
BOOT = "import sys; sys.path.insert(0, '/opt/threadhand'); from guest.browse.program import main; main()"

INSTALL = (
    "The visual browser is not installed on this host: {what} missing. An administrator installs it with: "
    "apt-get install chromium tigervnc-standalone-server openbox, then make setup. Until then use web_open and "
    "the shell."
)
OPENBOX = """<?xml version="1.0" encoding="UTF-8"?>
<openbox_config xmlns="http://openbox.org/3.4/rc">
<theme><name>Clearlooks</name><titleLayout>NLC</titleLayout></theme>
<desktops><number>1</number></desktops>
<applications><application type="normal"><decor>no</decor><maximized>yes</maximized></application></applications>
</openbox_config>
"""


class Talk(Protocol):
    """A channel to the host."""

    @property
    def incoming(self) -> asyncio.Queue[Frame]: ...

    async def send(self, data: bytes) -> None: ...

    async def end(self, message: Message) -> None: ...


@dataclass(slots=True)
class Driver:
    """The browser program at the other end of a private socket: the same frames as between host and guest."""

    reader: asyncio.StreamReader
    writer: asyncio.StreamWriter
    calls: dict[int, asyncio.Queue[Frame | None]] = field(default_factory=dict[int, asyncio.Queue[Frame | None]])
    last: int = 0
    gone: bool = False

    async def receive(self) -> None:
        try:
            while True:
                frame = await receive(self.reader)
                if frame.channel in self.calls:
                    self.calls[frame.channel].put_nowait(frame)
        except Broken:
            return
        finally:
            self.gone = True
            for call in self.calls.values():
                call.put_nowait(None)

    async def ask(self, request: Message, talk: Talk) -> Message:
        """Pass a request on, its pieces back, and return its end."""
        self.last += 1
        number = self.last
        answers = self.calls[number] = asyncio.Queue()
        self.writer.write(encode_message(OPEN, number, request))
        stopping = asyncio.create_task(self.pass_stop(number, talk))
        try:
            await self.writer.drain()
            while (frame := await answers.get()) is not None:
                if frame.kind == DATA:
                    await talk.send(frame.payload)
                elif frame.kind == END:
                    return frame.message()
        except OSError:
            pass
        finally:
            stopping.cancel()
            del self.calls[number]
        raise Refused("browser", "The browser stopped. The next action starts it again, with its sign-ins kept.")

    async def pass_stop(self, number: int, talk: Talk) -> None:
        while True:
            if (await talk.incoming.get()).kind == CONTROL:
                self.writer.write(encode_message(CONTROL, number, {"stop": True}))


@dataclass(slots=True)
class Desktop:
    """Everything about the screen of one machine. `uid`: whom the browser belongs to."""

    home: Home
    disk: Disk
    processes: Processes
    uid: int
    gate: bool
    limits: int
    turn: asyncio.Lock = field(default_factory=asyncio.Lock)
    server: Running | None = None
    driver: Driver | None = None
    tasks: set[asyncio.Task[None]] = field(default_factory=set[asyncio.Task[None]])

    async def tunnel(self, talk: Talk, request: Message) -> None:
        """Carry bytes between the host and the screen's VNC socket."""
        await self.screen()
        reader, writer = await asyncio.open_unix_connection(VNC)
        sending = asyncio.create_task(self.upward(talk, writer))
        try:
            while data := await reader.read(CHUNK):
                await talk.send(data)
        finally:
            sending.cancel()
            writer.close()
        await talk.end({})

    async def upward(self, talk: Talk, writer: asyncio.StreamWriter) -> None:
        while (frame := await talk.incoming.get()).kind == DATA:
            writer.write(frame.payload)
            await writer.drain()
        writer.close()

    async def browse(self, talk: Talk, request: Message) -> None:
        """One operation of the browser program, files carried across."""
        running = self.driver is not None and not self.driver.gone
        if request["do"] == "running":
            await talk.end({"running": running, "used": running or os.path.exists(f"{BROWSER_HOME}/state.json")})
            return
        driver = await self.browser()
        if request.get("files"):
            request = {**request, "files": [self.lend(str(path)) for path in request["files"]]}
        answer = await driver.ask(request, talk)
        if answer.get("arrived"):
            answer["arrived"] = [await self.deliver(one) for one in answer["arrived"]]
        await talk.end(answer)

    async def screen(self) -> None:
        async with self.turn:
            if self.server is None or self.server.ended.done():
                await self.start_screen()

    async def start_screen(self) -> None:
        server = find("Xtigervnc", "Xvnc")
        window_manager, _ = find("openbox"), find("chromium")
        self.prepare()
        command = [
            server,
            f":{DISPLAY}",
            "-geometry",
            SIZE,
            "-depth",
            "24",
            "-rfbunixpath",
            VNC,
            "-rfbunixmode",
            "0600",
        ]
        command += ["-rfbport", "-1", "-SecurityTypes", "None", "-AlwaysShared", "-AcceptSetDesktopSize=0"]
        command += ["-nolisten", "tcp", "-nolisten", "local", "-auth", f"{RUN}/xauthority", "-desktop", "machine"]
        command += ["-AcceptCutText=0", "-SendCutText=0"]
        self.server = self.start(command)
        await self.ready(self.server, VNC, "The screen")
        os.chmod(X11, 0o700)  # the server opens it to everybody
        self.start([window_manager, "--config-file", f"{RUN}/openbox.xml", "--sm-disable"])

    async def browser(self) -> Driver:
        await self.screen()
        async with self.turn:
            if self.driver is None or self.driver.gone:
                self.driver = await self.start_browser()
            return self.driver

    async def start_browser(self) -> Driver:
        if not os.path.exists(PYTHON):
            raise Refused("browser", INSTALL.format(what="the machine's Python environment is"))
        ours, theirs = socket.socketpair()
        with theirs:
            self.start([PYTHON, "-I", "-B", "-c", BOOT], stdin=theirs.fileno())
        driver = Driver(*await asyncio.open_connection(sock=ours))
        task = asyncio.create_task(driver.receive())
        self.tasks.add(task)
        task.add_done_callback(self.tasks.discard)
        return driver

    def start(self, command: list[str], stdin: int | None = None) -> Running:
        nothing = os.open("/dev/null", os.O_RDONLY)
        log = os.open(f"{RUN}/log", os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
        try:
            program = Program(command, self.environment(), "/", nothing if stdin is None else stdin, log)
            return self.processes.start(program, self.confinement())
        finally:
            os.close(nothing)
            os.close(log)

    def confinement(self) -> Confinement:
        """No filter beyond the machine's: the browser's own sandbox needs namespaces."""
        return Confinement(self.uid, self.uid, b"", processes=0, file_bytes=self.limits, data_bytes=0)

    def environment(self) -> dict[str, str]:
        found = {
            "PATH": "/usr/local/bin:/usr/bin:/bin",
            "HOME": BROWSER_HOME,
            "XDG_RUNTIME_DIR": RUN,
            "TMPDIR": f"{BROWSER_HOME}/tmp",  # noqa: S108
            "DISPLAY": f":{DISPLAY}",
            "XAUTHORITY": f"{RUN}/xauthority",
            "LANG": "C.UTF-8",
            "PLAYWRIGHT_DISABLE_FORCED_CHROMIUM_PROXIED_LOOPBACK": "1",
        }
        if self.gate:
            found |= {"BROWSER_PROXY": f"http://127.0.0.1:{PORT}", "NODE_EXTRA_CA_CERTS": CERTIFICATE}
        return found

    def prepare(self) -> None:
        """Folders and files of the browser's user; what a machine before this one left in them is cleared."""
        for folder in (RUN, X11, BROWSER_HOME):
            self.own(folder)
        for name in ("tmp", "uploads", "downloads"):
            shutil.rmtree(f"{BROWSER_HOME}/{name}", ignore_errors=True)
            os.mkdir(f"{BROWSER_HOME}/{name}", 0o700)
            self.own(f"{BROWSER_HOME}/{name}")
        for stale in (VNC, f"{X11}/X{DISPLAY}", f"/tmp/.X{DISPLAY}-lock"):  # noqa: S108
            with contextlib.suppress(FileNotFoundError):
                os.unlink(stale)
        for lock in ("SingletonLock", "SingletonSocket", "SingletonCookie"):
            with contextlib.suppress(FileNotFoundError):
                os.unlink(f"{BROWSER_HOME}/profile/{lock}")
        self.write(f"{RUN}/xauthority", authority(secrets.token_bytes(16)))
        self.write(f"{RUN}/openbox.xml", OPENBOX.encode())
        os.makedirs(POLICIES, 0o755, exist_ok=True)
        with open(f"{POLICIES}/machine.json", "w") as policy:
            json.dump(POLICY | self.trust(), policy)

    def trust(self) -> dict[str, object]:
        """The gate's certificate as the one root the browser trusts besides the usual ones."""
        if not self.gate:
            return {}
        with open(CERTIFICATE) as pem:
            body = "".join(line.strip() for line in pem if not line.startswith("-----"))
        return {"CACertificates": [body]}

    def own(self, path: str) -> None:
        if os.geteuid() == 0 and os.stat(path).st_uid != self.uid:
            os.chown(path, self.uid, self.uid)

    def write(self, path: str, content: bytes) -> None:
        with open(path, "wb", opener=lambda name, flags: os.open(name, flags, 0o600)) as file:
            file.write(content)
        self.own(path)

    async def ready(self, running: Running, path: str, what: str) -> None:
        """Wait until `path` takes connections."""
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(READY_SECONDS):
                while not running.ended.done():
                    with contextlib.suppress(OSError):
                        _, writer = await asyncio.open_unix_connection(path)
                        writer.close()
                        return
                    await asyncio.sleep(0.02)
        raise Refused("browser", f"{what} did not start: {self.said()}")

    def said(self) -> str:
        with contextlib.suppress(OSError), open(f"{RUN}/log", "rb") as log:
            return log.read()[-600:].decode("utf-8", "replace").strip() or "it gave no reason."
        return "it gave no reason."

    def lend(self, path: str) -> str:
        """A copy of a file of the home that the browser's user may read; its path."""
        source = self.home.descend(path, os.O_RDONLY | os.O_NONBLOCK | os.O_NOCTTY)
        try:
            if not stat.S_ISREG(os.fstat(source).st_mode):
                raise Refused("path", f"{path} is not a file.")
            folder = f"{BROWSER_HOME}/uploads/{secrets.token_hex(6)}"
            os.mkdir(folder, 0o700)
            target = f"{folder}/{os.path.basename(path)}"
            with open(target, "xb") as copy:
                while os.sendfile(copy.fileno(), source, None, 1 << 20):  # pyright: ignore[reportArgumentType]
                    pass
            self.own(target)
            self.own(folder)
            return target
        finally:
            os.close(source)

    async def deliver(self, one: Message) -> Message:
        """Copy a finished download into the home's Downloads, where it belongs to the agent."""
        try:
            source = os.open(str(one["file"]), os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK)
        except OSError as error:
            return {"name": str(one["name"]), "error": f"it could not be read: {error.strerror}"}
        status = os.fstat(source)
        try:
            if not stat.S_ISREG(status.st_mode) or status.st_uid != self.uid:
                return {"name": str(one["name"]), "error": "it is not a file"}
            self.disk.used += status.st_size
            if self.disk.full:
                await self.disk.measure()
                self.disk.used += status.st_size
            if self.disk.full:
                return {"name": str(one["name"]), "error": self.disk.note()}
            return self.copy_in(source, str(one["name"]))
        except Refused as refused:
            return {"name": str(one["name"]), "error": str(refused)}
        finally:
            os.close(source)
            with contextlib.suppress(OSError):
                os.unlink(str(one["file"]))

    def copy_in(self, source: int, name: str) -> Message:
        draft = Draft.begin(self.home, self.free_name(name))
        try:
            while piece := os.read(source, 1 << 20):
                draft.add(piece)
            return {"name": name, **draft.finish(0o664)}
        finally:
            draft.close()

    def free_name(self, name: str) -> str:
        """`name` in Downloads, numbered when it is taken."""
        cleaned = os.path.basename(name.replace("\0", "").replace("\\", "/")).strip(". ") or "download"
        stem, ending = os.path.splitext(cleaned[-200:])
        for number in range(1000):
            path = f"Downloads/{stem}{f' ({number})' if number else ''}{ending}"
            try:
                self.home.stat(path)
            except Refused as refused:
                if refused.kind == "missing":
                    return path
                raise
        return f"Downloads/{secrets.token_hex(4)}{ending}"


def find(*names: str) -> str:
    for name in names:
        path = shutil.which(name, path="/usr/local/bin:/usr/bin:/bin")
        if path:
            return path
    raise Refused("browser", INSTALL.format(what=f"{names[-1]} is"))


def authority(cookie: bytes) -> bytes:
    """An Xauthority file with one cookie, valid for whatever display is asked for."""
    name = b"MIT-MAGIC-COOKIE-1"
    fields = (b"", b"", name, cookie)
    return struct.pack("!H", 0xFFFF) + b"".join(struct.pack("!H", len(one)) + one for one in fields)
