"""A hand for tests: acts as the people of a playground, looks at what came of it, throws the switches.

The same class works inside the server's process and over a running server's /_control address. People are named
by id or handle ('maria'), channels by id or name ('#general', 'dm' for the person's own with the bot).
Refusals are SlackError with the code the real service would show.
"""

import asyncio
import base64
import time
from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import TypeVar

import aiohttp

from bot.playground.control import OPERATIONS
from bot.playground.doors import Doors
from bot.playground.shapes import Obj, SlackError, as_obj, as_objs

T = TypeVar("T")
Transport = Callable[[str, Obj], Awaitable[Obj]]


class Driver:
    """Acts and looks. `transport` carries an operation's name and arguments to the playground."""

    def __init__(self, transport: Transport) -> None:
        self._do = transport

    # Acting as a person

    async def say(
        self,
        person: str,
        channel: str,
        text: str,
        thread_ts: str | None = None,
        files: list[tuple[str, bytes]] | None = None,
    ) -> str:
        """Posts a message, with files as (name, bytes); returns its ts."""
        sent = [{"name": name, "content": base64.b64encode(content).decode()} for name, content in files or []]
        args: Obj = {"person": person, "channel": channel, "text": text, "thread_ts": thread_ts or "", "files": sent}
        return str((await self._do("say", args))["ts"])

    async def edit(self, person: str, channel: str, ts: str, text: str) -> None:
        await self._do("edit", {"person": person, "channel": channel, "ts": ts, "text": text})

    async def delete(self, person: str, channel: str, ts: str) -> None:
        await self._do("delete", {"person": person, "channel": channel, "ts": ts})

    async def react(self, person: str, channel: str, ts: str, name: str) -> None:
        """Adds a reaction, or takes it back."""
        await self._do("react", {"person": person, "channel": channel, "ts": ts, "name": name})

    async def press(self, person: str, channel: str, message_ts: str, wanted: str, values: Obj | None = None) -> Obj:
        """Presses the element named by action_id, block_id/action_id, value or the button's words.

        `values` are typed values by action_id. Returns {} or {"error": ...} when the app did not acknowledge.
        """
        args: Obj = {"person": person, "channel": channel, "place": message_ts, "wanted": wanted}
        return await self._do("press", args | {"values": values or {}})

    async def press_in_view(self, person: str, view_id: str, wanted: str, values: Obj | None = None) -> Obj:
        """Presses an element of a modal or of the App Home."""
        args: Obj = {"person": person, "place": view_id, "wanted": wanted, "values": values or {}}
        return await self._do("press", args)

    async def forge(self, payload: Obj) -> Obj:
        """Delivers an interaction payload of the test's own making (signed and enveloped as any other)."""
        return await self._do("forge", {"payload": payload})

    async def submit_view(self, person: str, view_id: str, values: Obj) -> Obj:
        """Submits a modal; {} when accepted, {"errors": {block_id: why}} when not."""
        return await self._do("submit", {"person": person, "view_id": view_id, "values": values})

    async def close_view(self, person: str, view_id: str) -> Obj:
        return await self._do("close_view", {"person": person, "view_id": view_id})

    async def open_home(self, person: str) -> None:
        await self._do("open_app", {"person": person, "tab": "home"})

    async def open_messages(self, person: str) -> None:
        """Opens the direct messages with the app."""
        await self._do("open_app", {"person": person, "tab": "messages"})

    async def stop_session(self, person: str, channel: str, thread_ts: str) -> None:
        """The client's own Stop. Raises SlackError `session_not_processing` when nothing works there."""
        await self._do("stop", {"person": person, "channel": channel, "thread_ts": thread_ts})

    async def rename_session(self, person: str, channel: str, thread_ts: str, title: str) -> None:
        await self._do("rename", {"person": person, "channel": channel, "thread_ts": thread_ts, "title": title})

    # Looking

    async def messages(self, channel: str, thread_ts: str | None = None) -> list[Obj]:
        """A thread (root first), or everything in a channel, oldest first, with blocks, metadata, files.

        Every message has `visible_to` (the person an ephemeral one is for, else '') and `thread_ts`.
        """
        answer = await self._do("messages", {"channel": channel, "thread_ts": thread_ts or ""})
        return as_objs(answer["messages"])

    async def modals(self, person: str) -> list[Obj]:
        """The person's open modals, the top one last."""
        return as_objs((await self._do("views", {"person": person}))["modals"])

    async def home(self, person: str) -> Obj | None:
        """The person's App Home, or None before it was published."""
        found = (await self._do("views", {"person": person}))["home"]
        return as_obj(found) if found else None

    async def file(self, file_id: str) -> tuple[str, bytes]:
        """A file's name and bytes."""
        found = await self._do("file", {"id": file_id})
        return str(found["name"]), base64.b64decode(found["content"])

    async def status(self) -> Obj:
        """{sessions, prompts, notices, sockets, pending, delivered, abandoned, tokens}."""
        return await self._do("status", {})

    async def session(self, channel: str, thread_ts: str) -> Obj | None:
        """The agent session on a thread: {status, title, note}; `channel` is an id."""
        known = as_objs((await self.status())["sessions"])
        return next((item for item in known if (item["channel"], item["thread_ts"]) == (channel, thread_ts)), None)

    async def wait_until(
        self, condition: Callable[[], Awaitable[T | None]], what: str = "it", seconds: float = 30.0
    ) -> T:
        """What `condition` returns once that is truthy. Raises TimeoutError naming `what`."""
        until = time.monotonic() + seconds
        while True:
            found = await condition()
            if found:
                return found
            if time.monotonic() > until:
                raise TimeoutError(f"waited {seconds:.0f} s for {what}")
            await asyncio.sleep(0.03)

    async def wait_for_message(
        self, channel: str, fits: Callable[[Obj], object], thread_ts: str | None = None, seconds: float = 30.0
    ) -> Obj:
        """The first message `fits` accepts, once there is one."""

        async def look() -> Obj | None:
            return next((item for item in await self.messages(channel, thread_ts) if fits(item)), None)

        return await self.wait_until(look, "a message that fits", seconds)

    async def wait_for_app(self, connections: int = 1, seconds: float = 30.0) -> None:
        """Returns once the app holds that many Socket Mode connections."""

        async def connected() -> bool:
            return int((await self.status())["sockets"]) >= connections

        await self.wait_until(connected, "the app to connect", seconds)

    # Switches

    async def limits(self, **fields: object) -> None:
        """Changes fields of Limits while running: rates=False, scale=0.1, stream_seconds=1.0 ..."""
        await self._do("limits", dict(fields))

    async def chaos(self, **switches: object) -> None:
        """duplicates, delays, calls (shares 0 to 1), longest_delay (seconds), seed; calm=True turns all off."""
        await self._do("chaos", dict(switches))

    async def fail(self, method: str, kind: str, count: int = 1, when: str = "before") -> None:
        """The next `count` calls of `method` ('*': any) meet kind '429', '500' or 'cut', 'before' or 'after'."""
        await self._do("fail", {"method": method, "kind": kind, "count": count, "when": when})

    async def drop_sockets(self) -> int:
        """Closes the app's connections without a word; returns how many there were."""
        return int((await self._do("drop_sockets", {}))["count"])

    async def refresh_sockets(self) -> int:
        """Asks the app's connections to come anew."""
        return int((await self._do("refresh_sockets", {}))["count"])

    async def deliver_to(self, url: str) -> None:
        """HTTP delivery to `url` from now on, after the challenge; '' means Socket Mode."""
        await self._do("deliver_to", {"url": url})

    async def rotation(self, on: bool = True, seconds: int = 43_200) -> None:
        """Whether new installs get rotating tokens, and how long each lives."""
        await self._do("rotation", {"on": on, "seconds": seconds})

    async def uninstall(self, team: str) -> None:
        await self._do("uninstall", {"team": team})

    async def membership(self, channel: str, add: list[str] | None = None, leave: list[str] | None = None) -> None:
        """Changes who is in a channel, by user id."""
        await self._do("join", {"channel": channel, "add": add or [], "leave": leave or []})


def local_driver(doors: Doors) -> Driver:
    """A driver in the server's own process."""

    async def perform(operation: str, args: Obj) -> Obj:
        return await OPERATIONS[operation](doors, args)

    return Driver(perform)


@asynccontextmanager
async def remote_driver(url: str) -> AsyncGenerator[Driver]:
    """A driver over /_control of the playground at `url`, which must run with control switched on."""
    async with aiohttp.ClientSession() as session:

        async def perform(operation: str, args: Obj) -> Obj:
            async with session.post(f"{url}/_control/{operation}", json=args) as answer:
                told = as_obj(await answer.json())
            if not told.get("ok"):
                raise SlackError(str(told.get("error", f"HTTP {answer.status}")))
            return told

        yield Driver(perform)
