"""The guest's main program: one byte stream from the host, many channels on it.

Hides the order of things. The first request must be `hello`, which brings the token and all that the machine
needs to know, so nothing of it stands in an environment or on a command line.
"""

from __future__ import annotations

import asyncio
import base64
import contextlib
import os
import sys
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field

from .arrival import Arrived, arrival
from .carry import CARRIED
from .confine import Confinement, hide_self
from .desktop import Desktop
from .disk import Disk
from .execute import SHELL, Execution, begin
from .files import Draft, Home, Refused
from .forward import Doors, listen
from .frames import CHUNK, CONTROL, DATA, END, OPEN, Broken, Frame, Message, encode, encode_message, receive
from .parcel import Parcel
from .processes import Processes, Program
from .terminal import Pseudo

VERSION = 1


@dataclass(slots=True)
class Channel:
    """One request of the host and the way to answer it."""

    number: int
    writer: asyncio.StreamWriter
    incoming: asyncio.Queue[Frame] = field(default_factory=asyncio.Queue[Frame])

    async def send(self, data: bytes) -> None:
        self.writer.write(encode(DATA, self.number, data))
        await self.writer.drain()

    async def end(self, message: Message) -> None:
        self.writer.write(encode_message(END, self.number, message))
        await self.writer.drain()


@dataclass(slots=True)
class Guest:
    """Everything `hello` set up."""

    home: Home
    confinement: Confinement
    disk: Disk
    environment: dict[str, str]
    processes: Processes
    desktop: Desktop
    commands: dict[int, Execution] = field(default_factory=dict[int, Execution])

    @classmethod
    def prepare(cls, hello: Message) -> Guest:
        uid, gid = int(hello["uid"]), int(hello["gid"])
        home = Home(str(hello["home"]), uid, gid)
        if os.geteuid() == 0 and os.stat(home.root).st_uid != uid:
            os.chown(home.root, uid, gid)
        home.open()
        confinement = Confinement(
            uid=uid,
            gid=gid,
            filter=base64.b64decode(hello["filter"]),
            processes=int(hello["processes"]),
            file_bytes=int(hello["disk_bytes"]),
            data_bytes=int(hello["data_bytes"]),
        )
        disk = Disk(home.root, int(hello["disk_bytes"]))
        processes = Processes()
        processes.spare = int(hello["browser_uid"]) if int(hello["browser_uid"]) != uid else None
        desktop = Desktop(
            home, disk, processes, int(hello["browser_uid"]), bool(hello["gate"]), limits=int(hello["disk_bytes"])
        )
        return cls(home, confinement, disk, dict(hello["environment"]), processes, desktop)

    async def stop_all(self, why: str) -> None:
        await asyncio.gather(*(command.stop(why) for command in list(self.commands.values())))

    async def over_disk(self) -> None:
        for command in self.commands.values():
            command.stopped = command.stopped or "disk"
        # In one step, so that no command that begins meanwhile is ended for what others did.
        self.processes.end_all_of(self.confinement.uid)
        await self.stop_all("disk")

    async def execute(self, channel: Channel, request: Message) -> None:
        cwd = os.path.join(self.home.root, str(request["cwd"] or "."))
        if not os.path.isdir(cwd):
            raise Refused("missing", f"There is no folder {cwd} to run in.")
        request = {**request, "cwd": cwd}
        command = begin(self.processes, self.confinement, request, self.environment, channel.send)
        self.commands[channel.number] = command
        listening = asyncio.create_task(self.listen_for_stop(channel, command))
        try:
            result = await command.result(float(request["timeout"]))
        finally:
            listening.cancel()
            del self.commands[channel.number]
        note = self.disk.note() if command.stopped == "disk" else ""
        await channel.end({**result, "note": note})

    async def listen_for_stop(self, channel: Channel, command: Execution) -> None:
        while True:
            frame = await channel.incoming.get()
            if frame.kind == CONTROL and frame.message().get("stop"):
                await command.stop("interrupt")

    async def interrupt(self, channel: Channel, request: Message) -> None:
        await self.stop_all("interrupt")
        await channel.end({})

    async def read(self, channel: Channel, request: Message) -> None:
        data = self.home.read(str(request["path"]), int(request["offset"]), int(request["limit"]))
        for start in range(0, len(data), CHUNK):
            await channel.send(data[start : start + CHUNK])
        await channel.end({})

    async def write(self, channel: Channel, request: Message) -> None:
        draft = Draft.begin(self.home, str(request["path"]))
        try:
            while (frame := await channel.incoming.get()).kind == DATA:
                self.disk.used += len(frame.payload)
                if self.disk.full:
                    await self.disk.measure()
                    if self.disk.full:
                        raise Refused("limit", self.disk.note())
                draft.add(frame.payload)
            if frame.message().get("stop"):
                raise Refused("path", "Writing was broken off; the file is as it was.")
            done = draft.finish(int(request["mode"]))
        finally:
            draft.close()
        await channel.end(done)

    async def list(self, channel: Channel, request: Message) -> None:
        found = self.home.list(str(request["path"]))
        for start in range(0, len(found), 200):
            await channel.send(encode_message(DATA, 0, {"entries": found[start : start + 200]})[9:])
        await channel.end({})

    async def stat(self, channel: Channel, request: Message) -> None:
        await channel.end(self.home.stat(str(request["path"])))

    async def health(self, channel: Channel, request: Message) -> None:
        await channel.end({"version": VERSION, "commands": len(self.commands)})

    async def terminal(self, channel: Channel, request: Message) -> None:
        pseudo = Pseudo()
        pseudo.resize(int(request["rows"]), int(request["columns"]))
        # For a person: no history of what they type, and no start-up file that a program of the agent left behind.
        environment = {
            **self.environment,
            "TERM": "xterm-256color",
            "HISTFILE": "/dev/null",
            "INPUTRC": "/dev/null",
            "PS1": r"\w \$ ",
        }
        program = Program(
            [SHELL, "--norc", "--noprofile", "-i"],
            environment,
            self.home.root,
            pseudo.slave,
            pseudo.slave,
            terminal=True,
        )
        running = self.processes.start(program, self.confinement)
        os.close(pseudo.slave)
        typing = asyncio.create_task(type_into(channel, pseudo))
        try:
            while data := await pseudo.output():
                await channel.send(data)
        finally:
            typing.cancel()
            pseudo.close()
            await self.processes.kill(running)
        await channel.end({})


async def type_into(channel: Channel, pseudo: Pseudo) -> None:
    while True:
        frame = await channel.incoming.get()
        if frame.kind == DATA:
            await pseudo.type(frame.payload)
            continue
        match frame.message():
            case {"resize": [int(rows), int(columns)]}:
                pseudo.resize(rows, columns)
            case {"shown": int(size)}:
                pseudo.acknowledge(size)
            case _:
                pseudo.close()
                return


Operation = Callable[[Channel, Message], Awaitable[None]]


async def answer(operation: Operation, channel: Channel, request: Message) -> None:
    try:
        await operation(channel, request)
    except Refused as refused:
        await channel.end({"error": refused.kind, "message": str(refused)})
    except (KeyError, TypeError, ValueError) as error:
        await channel.end({"error": "request", "message": f"The guest did not understand: {error!r}"})
    except OSError as error:
        await channel.end({"error": "path", "message": f"{error.strerror or error}"})


async def converse(guest: Guest, doors: Doors, host: Arrived) -> None:
    """Serve requests until the host hangs up."""
    parcel = Parcel(guest.home, guest.disk, guest.desktop)
    operations: dict[str, Operation] = {
        "exec": guest.execute,
        "interrupt": guest.interrupt,
        "read": guest.read,
        "write": guest.write,
        "list": guest.list,
        "stat": guest.stat,
        "health": guest.health,
        "terminal": guest.terminal,
        "desktop": guest.desktop.tunnel,
        "browse": guest.desktop.browse,
        "pack": parcel.pack,
        "unpack": parcel.unpack,
        "mark": parcel.mark,
        "settle": parcel.settle,
    }
    channels: dict[int, Channel] = {}
    tasks: set[asyncio.Task[None]] = set()
    while True:
        frame = await receive(host.reader)
        if frame.channel & CARRIED:
            doors.take(frame)
            continue
        if frame.kind != OPEN:
            if frame.channel in channels:
                channels[frame.channel].incoming.put_nowait(frame)
            continue
        request = frame.message()
        channel = channels[frame.channel] = Channel(frame.channel, host.writer)
        operation = operations.get(str(request.get("op")))
        if operation is None:
            await channel.end({"error": "request", "message": f"Unknown operation {request.get('op')!r}."})
            continue
        task = asyncio.create_task(answer(operation, channel, request))
        tasks.add(task)
        task.add_done_callback(tasks.discard)
        task.add_done_callback(lambda _, number=frame.channel: channels.pop(number, None))


async def serve(arrived: Arrived) -> None:
    """Serve the host until it hangs up."""
    hello, writer = arrived.hello.message(), arrived.writer
    guest = Guest.prepare(hello)
    guest.processes.watch()
    guard = asyncio.create_task(guest.disk.guard(guest.over_disk))
    doors = Doors(writer)
    ways = await listen(hello, doors)
    await Channel(arrived.hello.channel, writer).end({"version": VERSION})
    with contextlib.suppress(Broken):
        await converse(guest, doors, arrived)
    guard.cancel()
    for way in ways:
        way.close()


async def live(way: list[str]) -> None:
    arrived = await arrival(way)
    if arrived:
        await serve(arrived)


def main() -> None:
    """Serve the host, who comes as the arguments say (see arrival.py); the machine ends with it."""
    hide_self()
    os.umask(0o022)
    asyncio.run(live(sys.argv[1:]))
