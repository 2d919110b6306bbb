"""An office with the live page served on loopback, and people's browsers as plain HTTP clients."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import aiohttp

from bot.agent.parts import Parts
from bot.heard import Heard, Person, Thread
from bot.observe import Metrics
from bot.store import Blobs
from bot.tools import browser as browser_tools
from bot.tools import machine as machine_tools
from bot.tools import takeover
from bot.tools import thread as thread_tools
from bot.tools.types import Toolbox
from bot.web.live.access import Access
from bot.web.live.links import COOKIE, Invitations, Seals, Visitor
from bot.web.live.site import Live, Places
from bot.web.server import Site as WebSite
from bot.web.server import application, listen, serve
from sandbox.types import Backend
from tests.support.office import BEN, GUS, MARIA, OLGA, Office, Wishes, office
from tests.support.responses import Script
from tests.support.screen import ScreenBackend
from tests.support.waiting import until_true

KEY = b"a-key-of-a-deployment-that-is-not-real"
PACKAGES = Path(__file__).parents[2] / ".setup" / "web"


@dataclass
class People:
    """The chat's word on its people: everybody of the office; Ben is in no channel unless he is let in."""

    known: dict[str, Person] = field(default_factory=lambda: {one.id: one for one in (MARIA, BEN, GUS, OLGA)})
    members: set[str] = field(default_factory=lambda: {MARIA.id, GUS.id, OLGA.id})

    async def look(self, thread: Thread, person: str) -> Person | None:
        del thread
        return self.known.get(person)

    async def inside(self, thread: Thread, person: str) -> bool:
        del thread
        return person in self.members


@dataclass
class Caller:
    """One person's browser, signed in by a cookie unless `signed` is an empty text."""

    http: aiohttp.ClientSession
    address: str
    cookie: str

    def headers(self, **more: str) -> dict[str, str]:
        found = {"Origin": self.address, **more}
        return {**found, "Cookie": f"threadhand_live={self.cookie}"} if self.cookie else found

    async def get(self, path: str) -> tuple[int, Any]:
        async with self.http.get(self.address + path, headers=self.headers(), allow_redirects=False) as answer:
            kind = answer.content_type
            return answer.status, await (answer.json() if kind == "application/json" else answer.text())

    async def post(self, path: str, data: bytes = b"", **headers: str) -> tuple[int, Any]:
        async with self.http.post(
            self.address + path, data=data, headers=self.headers(**headers), allow_redirects=False
        ) as answer:
            kind = answer.content_type
            return answer.status, await (answer.json() if kind == "application/json" else answer.text())

    async def socket(self, path: str, **headers: str) -> aiohttp.ClientWebSocketResponse:
        return await self.http.ws_connect(self.address + path, headers=self.headers(**headers))


@dataclass
class Watched:
    """An office with a live page."""

    here: Office
    live: Live
    people: People
    seals: Seals
    address: str
    http: aiohttp.ClientSession

    def signed_in(self, person: Person, session: str = "") -> Caller:
        """The person's browser after signing in."""
        return Caller(self.http, self.address, self.seals.invite(COOKIE, Visitor(person.id, person.name, session)))

    def stranger(self) -> Caller:
        """A browser that is not signed in."""
        return Caller(self.http, self.address, "")

    def machine(self, thread: Thread) -> Any:
        """The thread's machine in memory, with its screens."""
        return self.here.machines(thread).awake

    async def holding(self, caller: Caller, thread: Thread) -> None:
        """Take over and wait until the machine is theirs."""
        status, said = await caller.post(f"/live/{thread.session}/take")
        assert status == 200, said

        async def mine() -> bool:
            _, state = await caller.get(f"/live/{thread.session}/state")
            return state["held"] == "me"

        await until_true(mine)


@asynccontextmanager
async def watched(
    folder: Path, script: Script, backend: Backend | None = None, allow: frozenset[str] = frozenset()
) -> AsyncGenerator[Watched]:
    """The office and its page; everything stops at the end. allow: hosts with ports that the machine may reach."""
    listener = listen("127.0.0.1", 0)
    address = f"http://127.0.0.1:{listener.getsockname()[1]}"
    seals = Seals([KEY], time.time)
    invitations = Invitations(address, seals)
    box = Toolbox.of(*machine_tools.TOOLS, *browser_tools.TOOLS, *thread_tools.TOOLS, takeover.TOOL)

    def change(parts: Parts) -> Parts:
        return replace(parts, toolbox=box, watch=invitations.watch, invite=invitations.invite)

    stop = asyncio.Event()
    async with office(folder, script, Wishes(backend=backend or ScreenBackend(), change=change, allow=allow)) as here:
        people = People()

        async def post(thread: Thread, heard: Heard, key: str) -> None:
            await here.inbox.post(thread, heard, key, opens=False)

        blobs = Blobs(folder / "blobs")
        access = Access(here.store, {"fake": people})
        live = Live(Places(address, seals, access, post, here.machines, blobs.read, PACKAGES))

        async def ready() -> str:
            return ""

        app = application(WebSite(Metrics.create(), ready, live.routes()))
        serving = asyncio.create_task(serve(app, listener, stop))
        try:
            async with aiohttp.ClientSession() as http:
                yield Watched(here, live, people, seals, address, http)
        finally:
            stop.set()
            await serving
