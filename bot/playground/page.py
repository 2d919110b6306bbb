"""The page's server side: its files, what it shows for a person, what it does for them, and its live feed.

Everything a person does goes through the same table of operations as the tests' driver, as the person chosen on
the page. There is no login: the page listens on loopback and answers only to its own name, so that no other
web page can act through it.
"""

import json
import re
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any
from urllib.parse import quote

from starlette.requests import Request
from starlette.responses import JSONResponse, PlainTextResponse, RedirectResponse, Response, StreamingResponse
from starlette.routing import BaseRoute, Route

from bot.playground.control import OPERATIONS
from bot.playground.doors import Doors
from bot.playground.feed import Feed
from bot.playground.fragments import Fragments, notice
from bot.playground.people import ACME, NORTH, Person
from bot.playground.shapes import Obj, SlackError, as_obj
from bot.playground.site import Site

STATIC = Path(__file__).parent / "static"
KINDS = {".html": "text/html", ".css": "text/css", ".js": "text/javascript", ".svg": "image/svg+xml"}
ACTS = {"say", "edit", "delete", "react", "press", "submit", "close_view", "open_app", "stop", "rename"}
POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; "
    "form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
)
GUARD = {
    "Content-Security-Policy": POLICY,
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Cache-Control": "no-store",
}
SHOWN = 200
HINTS: tuple[tuple[str, str], ...] = (
    ("Run something on its computer", "@Threadhand run `uname -a && python3 --version`"),
    ("Have it ask before it acts", '@Threadhand post "Cake at four in the kitchen" to the notice board'),
    ("Have it ask you a question", "@Threadhand ask me: blue, green or red?"),
)

Handler = Callable[[Request, Person], Awaitable[Response]]


class Page:
    """The page of one playground. `hints` are (title, message) pairs offered on the first run."""

    def __init__(self, site: Site, doors: Doors, hints: tuple[tuple[str, str], ...] = HINTS) -> None:
        self._site = site
        self._space = site.workspace
        self._doors = doors
        self._hints = hints
        self._fragments = Fragments(site.workspace)
        self._feed = Feed(site, self._fragments)

    def routes(self) -> list[BaseRoute]:
        return [
            Route("/", self._open("page.html")),
            Route("/static/{name}", self._static),
            Route("/archives/{channel}/{place}", self._archive),
            Route("/page/state", self._for(self._state)),
            Route("/page/channel/{channel}", self._for(self._channel)),
            Route("/page/thread/{channel}/{ts}", self._for(self._thread)),
            Route("/page/views", self._for(self._views)),
            Route("/page/feed", self._for(self._stream)),
            Route("/page/files/{file}", self._for(self._file)),
            Route("/page/upload", self._for(self._upload), methods=["POST"]),
            Route("/page/do/{act}", self._for(self._act), methods=["POST"]),
        ]

    def close(self) -> None:
        self._feed.close()

    # The page's own files

    def _open(self, name: str) -> Callable[[Request], Awaitable[Response]]:
        async def opened(request: Request) -> Response:
            return self._kept(name)

        return opened

    async def _static(self, request: Request) -> Response:
        return self._kept(request.path_params["name"])

    def _kept(self, name: str) -> Response:
        known = {path.name: path for path in STATIC.iterdir()}
        if name not in known or known[name].suffix not in KINDS:
            return PlainTextResponse("not found", 404)
        return Response(known[name].read_bytes(), media_type=KINDS[known[name].suffix], headers=GUARD)

    async def _archive(self, request: Request) -> Response:
        """A permalink: opens the page at the message."""
        digits = re.sub(r"\D", "", request.path_params["place"])
        ts = request.query_params.get("thread_ts") or f"{digits[:-6]}.{digits[-6:]}"
        return RedirectResponse(f"/#{quote(request.path_params['channel'])}/{quote(ts)}")

    # Around every answer

    def _for(self, handler: Handler) -> Callable[[Request], Awaitable[Response]]:
        """Checks who asks and from where, and turns refusals into JSON."""

        async def guarded(request: Request) -> Response:
            if not self._is_ours(request):
                return PlainTextResponse("This page answers only at its own address.", 403)
            try:
                person = self._doors.who(request.query_params.get("as", ""))
                answer = await handler(request, person)
            except SlackError as error:
                answer = JSONResponse({"ok": False, "error": error.code})
            for name, value in GUARD.items():
                answer.headers.setdefault(name, value)
            return answer

        return guarded

    def _is_ours(self, request: Request) -> bool:
        """The request names this server as its host, and comes from its own page if from any."""
        port = self._space.base_url.rpartition(":")[2]
        ours = {f"{name}:{port}" for name in ("127.0.0.1", "localhost")}
        origin = request.headers.get("origin")
        return request.headers.get("host") in ours and (origin is None or origin.partition("://")[2] in ours)

    # What it shows

    async def _state(self, request: Request, person: Person) -> Response:
        people = [
            {
                "id": item.id,
                "name": item.name,
                "handle": item.handle,
                "role": self._role(item),
                "bot": item.is_bot,
            }
            for item in self._space.people.values()
            if self._space.installed(item.team) or item.team != NORTH
        ]
        rooms = [
            {"id": room.id, "name": room.name or "Threadhand", "kind": room.kind, "shared": room.is_shared}
            for room in self._space.channels.values()
            if person.id in room.members
        ]
        return JSONResponse(
            {
                "me": person.id,
                "team": self._space.teams[person.team].name,
                "people": people,
                "channels": rooms,
                "hints": [{"title": title, "message": message} for title, message in self._hints],
                "notices": [notice(entry) for entry in self._space.notices],
                "connected": self._site.delivery.sockets.count > 0 or bool(self._site.delivery.webhooks.url),
            }
        )

    def _role(self, person: Person) -> str:
        if person.team != ACME:
            return self._space.teams[person.team].name
        return "admin" if person.is_admin else "guest" if person.is_guest else "member"

    async def _channel(self, request: Request, person: Person) -> Response:
        room = self._doors.where(person, request.path_params["channel"])
        found = [item for item in self._space.everything(room.id) if item.visible_to in {"", person.id}]
        drawn = [self._fragments.message(item, person.id) for item in found[-SHOWN:]]
        return JSONResponse(
            {
                "id": room.id,
                "topic": room.topic,
                "members": [self._space.people[id].name for id in room.members if id in self._space.people],
                "messages": [item for item in drawn if item["top"]],
                "prompts": self._space.prompts.get(room.id),
                "bot": self._space.has_bot(room),
            }
        )

    async def _thread(self, request: Request, person: Person) -> Response:
        room, ts = self._doors.where(person, request.path_params["channel"]), request.path_params["ts"]
        found = [item for item in self._space.thread(room.id, ts) if item.visible_to in {"", person.id}]
        drawn = [self._fragments.message(item, person.id) for item in found]
        return JSONResponse({"messages": drawn, "session": self._feed.session(room.id, ts)})

    async def _views(self, request: Request, person: Person) -> Response:
        known = self._space.homes.get((person.team, person.id))
        home = self._fragments.view(self._space.views[known]) if known else None
        modals = [self._fragments.view(view) for view in self._space.modals_of(person.id)]
        return JSONResponse({"home": home, "modals": modals})

    async def _stream(self, request: Request, person: Person) -> Response:
        return StreamingResponse(self._feed.read(person.id), media_type="text/event-stream")

    async def _file(self, request: Request, person: Person) -> Response:
        """A file for someone who may see it; only pictures are ever shown inline."""
        file = self._space.files.get(request.path_params["file"])
        rooms = [self._space.channels[room] for room in file.shared_in] if file else []
        if file is None or not (file.user == person.id or any(person.id in room.members for room in rooms)):
            return PlainTextResponse("not found", 404)
        headers = {"Content-Security-Policy": "default-src 'none'; sandbox"}
        if request.query_params.get("download") or not file.is_picture:
            headers["Content-Disposition"] = f"attachment; filename*=UTF-8''{quote(file.name)}"
        return Response(file.content or b"", media_type=file.mimetype, headers=headers)

    # What it does

    async def _upload(self, request: Request, person: Person) -> Response:
        name = request.query_params.get("name", "file")
        return JSONResponse({"ok": True, "id": self._doors.upload(person, name, await request.body())})

    async def _act(self, request: Request, person: Person) -> Response:
        act = request.path_params["act"]
        if act not in ACTS:
            return JSONResponse({"ok": False, "error": "unknown_operation"}, 404)
        try:
            given: Any = json.loads(await request.body() or b"{}")
        except ValueError:
            return JSONResponse({"ok": False, "error": "invalid_arguments"}, 400)
        answer: Obj = await OPERATIONS[act](self._doors, as_obj(given) | {"person": person.id})
        return JSONResponse({"ok": "error" not in answer and "errors" not in answer, **answer})
