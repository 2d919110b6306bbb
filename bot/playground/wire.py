"""The addresses an app speaks to besides the Web API: socket, uploads, downloads, response_url, install page.

Also /_control for tests, which exists only when switched on. Everything a browser shows is in `page`.
"""

import html
import json
import secrets
import time
from functools import partial
from typing import Any
from urllib.parse import urlencode

from starlette.requests import Request
from starlette.responses import HTMLResponse, JSONResponse, PlainTextResponse, RedirectResponse, Response
from starlette.routing import BaseRoute, Route, WebSocketRoute

from bot.playground.api import bearer, installation_of, serve_call
from bot.playground.api.call import Call
from bot.playground.api.files import may_fetch
from bot.playground.control import OPERATIONS
from bot.playground.doors import Doors
from bot.playground.people import CLIENT_ID
from bot.playground.serving import cut
from bot.playground.shapes import Obj, SlackError, as_obj
from bot.playground.signin import sign_in
from bot.playground.site import Code, Site

LOGIN_PAGE = "<!DOCTYPE html><html><head><title>Slack</title></head><body>Sign in to your workspace</body></html>"
CODE_SECONDS = 600.0


def wire_routes(site: Site, doors: Doors, control: bool) -> list[BaseRoute]:
    """The routes an app uses; with `control`, the tests' too."""

    async def call(request: Request) -> Response:
        answer, broken = await serve_call(site, request)
        if broken:
            cut(request.scope)
        return answer

    async def upload(request: Request) -> Response:
        return await _upload(site, request)

    async def download(request: Request) -> Response:
        return _download(site, request)

    async def respond(request: Request) -> Response:
        try:
            doors.respond(request.path_params["secret"], as_obj(json.loads(await request.body())))
        except SlackError as error:
            return JSONResponse({"ok": False, "error": error.code}, 404 if error.code.endswith("_url") else 200)
        except ValueError:
            return PlainTextResponse("invalid_payload", 400)
        return PlainTextResponse("ok")

    async def steer(request: Request) -> Response:
        return await _steer(doors, request)

    routes: list[BaseRoute] = [
        Route("/api/{method}", call, methods=["GET", "POST"]),
        WebSocketRoute("/link/", site.delivery.sockets.serve),
        Route("/upload/v1/{file}/{secret}", upload, methods=["POST"]),
        Route("/files-pri/{file}/file", download),
        Route("/files-pri/{file}/download/file", download),
        Route("/response/{secret}", respond, methods=["POST"]),
        Route("/oauth/v2/authorize", partial(_authorize, site), methods=["GET", "POST"]),
        Route("/openid/connect/authorize", partial(sign_in, site), methods=["GET", "POST"]),
    ]
    return [*routes, Route("/_control/{operation}", steer, methods=["POST"])] if control else routes


async def _upload(site: Site, request: Request) -> Response:
    """Takes the bytes of one file, raw or as the one part of a form; their number must be the promised one."""
    file = site.workspace.files.get(request.path_params["file"])
    secret = request.path_params["secret"]
    if file is None or not secrets.compare_digest(secret.encode(), file.secret.encode()):
        return PlainTextResponse("not found", 404)
    content = b""
    if request.headers.get("content-type", "").startswith("multipart/form-data"):
        async with request.form(max_part_size=1 << 30) as form:
            for part in form.values():
                content = part.encode() if isinstance(part, str) else await part.read()
    else:
        content = await request.body()
    if len(content) != file.expected:
        return PlainTextResponse(f"expected {file.expected} bytes, got {len(content)}", 400)
    file.content = content
    return PlainTextResponse(f"OK - {len(content)}")


def _download(site: Site, request: Request) -> Response:
    """A private file for the bot's token. Anyone else gets a login page with status 200, as in reality."""
    file = site.workspace.files.get(request.path_params["file"].rpartition("-")[2])
    try:
        allowed = Call(site, {}, installation_of(site, bearer(request)))
    except SlackError:
        return HTMLResponse(LOGIN_PAGE)
    if file is None or file.content is None:
        return PlainTextResponse("not found", 404)
    if not may_fetch(allowed, file):
        return HTMLResponse(LOGIN_PAGE)
    return Response(file.content, media_type=file.mimetype, headers={"Content-Disposition": "attachment"})


async def _authorize(site: Site, request: Request) -> Response:
    """The install page: GET shows it, POST with the chosen team redirects with a code."""
    query = dict(request.query_params)
    if query.get("client_id") != CLIENT_ID:
        return HTMLResponse("<h1>Invalid client_id parameter</h1>", 400)
    redirect = query.get("redirect_uri", "")
    if request.method == "GET" or not redirect:
        return HTMLResponse(_consent(site, query))
    async with request.form() as form:
        team, chosen = str(form.get("team", "")), form.get("decision") == "allow"
    joiner = "&" if "?" in redirect else "?"
    if not chosen:
        denied = urlencode({"error": "access_denied", "state": query.get("state", "")})
        return RedirectResponse(f"{redirect}{joiner}{denied}", 302)
    if team not in site.workspace.teams or not site.workspace.teams[team].installable:
        return HTMLResponse("<h1>Choose a workspace</h1>", 400)
    installer = next(item.id for item in site.workspace.people.values() if item.team == team and item.is_admin)
    code = secrets.token_urlsafe(24)
    site.codes[code] = Code(team, installer, query.get("scope", ""), redirect, time.monotonic() + CODE_SECONDS)
    answer = urlencode({"code": code, "state": query.get("state", "")})
    return RedirectResponse(f"{redirect}{joiner}{answer}", 302)


def _consent(site: Site, query: dict[str, str]) -> str:
    teams = [team for team in site.workspace.teams.values() if team.installable]
    options = "".join(f'<option value="{team.id}">{html.escape(team.name)}</option>' for team in teams)
    scopes = "".join(f"<li>{html.escape(scope)}</li>" for scope in query.get("scope", "").split(",") if scope)
    return (
        '<!DOCTYPE html><html lang="en"><head><title>Allow Threadhand</title>'
        '<link rel="stylesheet" href="/static/page.css"></head><body class="consent"><main>'
        "<h1>Allow Threadhand into a workspace?</h1>"
        f'<ul>{scopes}</ul><form method="post"><label>Workspace <select name="team">{options}</select></label>'
        '<button name="decision" value="allow" class="primary">Allow</button>'
        '<button name="decision" value="cancel">Cancel</button></form></main></body></html>'
    )


async def _steer(doors: Doors, request: Request) -> Response:
    operation = OPERATIONS.get(request.path_params["operation"])
    if operation is None:
        return JSONResponse({"ok": False, "error": "unknown_operation"}, 404)
    try:
        given: Any = json.loads(await request.body() or b"{}")
        answer: Obj = await operation(doors, as_obj(given))
    except SlackError as error:
        return JSONResponse({"ok": False, "error": error.code, **error.extra})
    except (ValueError, TypeError, KeyError) as error:
        return JSONResponse({"ok": False, "error": f"invalid_arguments: {error}"}, 400)
    return JSONResponse({"ok": True, **answer})
