"""The live page put together: its routes, what it shows, and taking over and giving back.

Control goes through the inbox like everything a person does: the session decides, carries it out, and writes it down.
Only the way out is quicker: giving back ends the person's input at once, before the session hears of it.
"""

from __future__ import annotations

import asyncio
import mimetypes
import secrets
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import urlsplit, urlunsplit

from starlette.requests import Request
from starlette.responses import HTMLResponse, JSONResponse, PlainTextResponse, Response
from starlette.routing import BaseRoute, Route, WebSocketRoute

from bot.heard import GiveBack, Heard, TakeOver, Thread
from bot.session.state import shorten
from bot.store import BlobError
from bot.web.live.access import Access, Admitted, Denied
from bot.web.live.files import FilesView
from bot.web.live.guard import SHELL_POLICY, Guard, dress
from bot.web.live.links import Seals
from bot.web.live.pages import live_page, shell_page
from bot.web.live.signin import OpenId, SignIn
from bot.web.live.streams import Lendable, Streams
from bot.web.live.timeline import pictures, steps, summary
from sandbox.browser import Act
from sandbox.types import MachineError

STATIC = Path(__file__).parent / "static"
PACKAGES = {"novnc": "@novnc/novnc", "xterm": "@xterm/xterm"}
"""What a browser loads as it is, by the name in its address."""
KINDS = {".js": "text/javascript", ".mjs": "text/javascript", ".css": "text/css"}
PATIENCE = 10.0
"""Seconds for the browser to say where it is."""
RENEW = 300.0
"""Seconds between two signs of life that are written down."""

Post = Callable[[Thread, Heard, str], Awaitable[None]]
"""Put something into a session's inbox, under a key."""


@dataclass(frozen=True, slots=True)
class Places:
    """What the live page stands on. `packages`: folder with the viewers' packages, as npm lays it out."""

    address: str
    seals: Seals
    access: Access
    post: Post
    computer: Callable[[Thread], Lendable | None]
    picture: Callable[[str], Awaitable[bytes]]
    packages: Path
    openid: OpenId | None = None
    upload_most: int = 100_000_000


@dataclass(slots=True)
class Live:
    """The live page of one process."""

    places: Places
    _alive: dict[str, float] = field(default_factory=dict[str, float])

    @property
    def viewer(self) -> bool:
        """Whether the packages that show screen and terminal are there."""
        return all((self.places.packages / "node_modules" / name).is_dir() for name in PACKAGES.values())

    def routes(self) -> list[BaseRoute]:
        """Everything under /live."""
        places = self.places
        guard = Guard(places.seals, places.access, places.address)
        streams = Streams(guard, self._computer)
        files = FilesView(self._computer, places.upload_most)
        base, post = "/live/{session:str}", ["POST"]
        return [
            *SignIn(guard, places.openid).routes(),
            Route("/live/static/{name}", self._static),
            Route("/live/vendor/{package}/{path:path}", self._vendor),
            Route(base, guard.route(self._page, page=True)),
            Route(f"{base}/shell", guard.route(self._shell)),
            Route(f"{base}/state", guard.route(self._state)),
            Route(f"{base}/take", guard.route(self._take, writes=True), methods=post),
            Route(f"{base}/give", guard.route(self._give, writes=True), methods=post),
            Route(f"{base}/picture/{{sha}}", guard.route(self._picture)),
            Route(f"{base}/files", guard.route(files.listing)),
            Route(f"{base}/file", guard.route(files.download)),
            Route(f"{base}/upload", guard.route(files.upload, writes=True), methods=post),
            WebSocketRoute(f"{base}/screen", streams.screen),
            WebSocketRoute(f"{base}/terminal", streams.terminal),
        ]

    def _computer(self, admitted: Admitted) -> Lendable | None:
        return self.places.computer(admitted.thread)

    async def _page(self, request: Request, admitted: Admitted) -> Response:
        title = summary(admitted.state)["title"]
        return HTMLResponse(live_page(admitted.session, title, admitted.person.name, viewer=self.viewer))

    async def _shell(self, request: Request, admitted: Admitted) -> Response:
        return dress(HTMLResponse(shell_page(admitted.session)), SHELL_POLICY)

    async def _state(self, request: Request, admitted: Admitted) -> Response:
        """All that the page polls for. The holder's asking is the sign of life that keeps the hold."""
        state, computer, me = admitted.state, self._computer(admitted), admitted.person.id
        hold = state.hold
        mine = computer is not None and computer.floor.holder == me
        if hold is not None and hold.by.id == me and request.query_params.get("alive"):
            await self._sign_of_life(admitted)
        if computer is None:
            screen = "elsewhere"
        elif computer.floor.curtained(me):
            screen = "curtain"
        else:
            screen = "here" if mine or computer.awake is not None else "asleep"
        return JSONResponse(
            {
                **summary(state),
                "holder": hold.by.name if hold else "",
                "held": "me" if mine else "coming" if hold and hold.by.id == me else "other" if hold else "",
                "may": admitted.partner,
                "screen": screen,
                "steps": steps(state),
            }
        )

    async def _sign_of_life(self, admitted: Admitted) -> None:
        now, session = time.monotonic(), admitted.session
        if now - self._alive.get(session, -RENEW) >= RENEW:
            self._alive[session] = now
            await self._hear(admitted, TakeOver(admitted.person))

    async def _take(self, request: Request, admitted: Admitted) -> Response:
        if not admitted.partner:
            raise Denied("Only somebody I work for in this thread can take over. Tell me something to do there first.")
        hold = admitted.state.hold
        if hold is not None and hold.by.id != admitted.person.id:
            raise Denied(f"{hold.by.name} has the machine at the moment.", 409)
        self._alive[admitted.session] = time.monotonic()
        await self._hear(admitted, TakeOver(admitted.person))
        return JSONResponse({"ok": True})

    async def _give(self, request: Request, admitted: Admitted) -> Response:
        computer, page = self._computer(admitted), ""
        if computer is not None and computer.floor.holder == admitted.person.id:
            computer.floor.give("")
            page = await where(computer)
        await self._hear(admitted, GiveBack(admitted.person, page))
        return JSONResponse({"ok": True})

    async def _hear(self, admitted: Admitted, heard: Heard) -> None:
        await self.places.post(admitted.thread, heard, f"live:{secrets.token_hex(8)}")

    async def _picture(self, request: Request, admitted: Admitted) -> Response:
        sha = str(request.path_params["sha"])
        computer = self._computer(admitted)
        if sha not in pictures(admitted.state) or (computer and computer.floor.curtained(admitted.person.id)):
            raise Denied("There is no such picture.", 404)
        try:
            data = await self.places.picture(sha)
        except BlobError as error:
            raise Denied("This picture is not kept any more.", 404) from error
        return Response(data, media_type="image/png")

    async def _static(self, request: Request) -> Response:
        return _file(STATIC, str(request.path_params["name"]))

    async def _vendor(self, request: Request) -> Response:
        package = PACKAGES.get(str(request.path_params["package"]))
        if package is None:
            return PlainTextResponse("not found", 404)
        return _file(self.places.packages / "node_modules" / package, str(request.path_params["path"]))


async def where(computer: Lendable) -> str:
    """Title and address of the page the browser is on, without what may be secret in the address."""
    machine = computer.awake
    browser = getattr(machine, "browser", None)
    if browser is None:
        return ""
    try:
        async with asyncio.timeout(PATIENCE):
            if not await browser().running():
                return ""
            view = await browser().act(Act("outline"))
    except (MachineError, TimeoutError):
        return ""
    parts = urlsplit(str(view.url))
    plain = urlunsplit((parts.scheme, parts.hostname or "", parts.path, "", ""))
    return f"{shorten(view.title, 120)} ({shorten(plain, 150)})"


def _file(folder: Path, name: str) -> Response:
    """A script or style of that folder; links and ways out of it lead nowhere."""
    root = folder.resolve()
    path = (root / name).resolve()
    kind = KINDS.get(path.suffix) or mimetypes.guess_type(path.name)[0]
    if not path.is_relative_to(root) or path.suffix not in KINDS or not path.is_file():
        return dress(PlainTextResponse("not found", 404))
    answer = dress(Response(path.read_bytes(), media_type=kind))
    answer.headers["Cache-Control"] = "private, max-age=300"
    return answer
