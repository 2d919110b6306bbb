"""The notice board: a small service outside the workspace that takes posts from anyone who can reach it.

It is there so that people can try what needs a yes: Threadhand posting something where others will read it.
"""

import json
from typing import Any

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from bot.playground.shapes import as_obj, as_text
from bot.playground.site import Site

NOTICE_LIMIT, NOTICES_KEPT = 4000, 200


def notice_routes(site: Site) -> list[Route]:
    """POST /notices (text/plain, or JSON {text}) and GET /notices (JSON, newest last)."""

    async def listing(request: Request) -> Response:
        return JSONResponse({"notices": site.workspace.notices})

    async def posting(request: Request) -> Response:
        text = _text(request.headers.get("content-type", ""), await request.body())
        if not text:
            return JSONResponse({"error": 'Send the notice as text/plain, or as JSON {"text": "..."}.'}, 400)
        if len(text) > NOTICE_LIMIT:
            return JSONResponse({"error": f"A notice has at most {NOTICE_LIMIT} characters."}, 413)
        made = site.workspace.notice(text)
        del site.workspace.notices[:-NOTICES_KEPT]
        return JSONResponse(made, 201)

    return [Route("/notices", listing, methods=["GET"]), Route("/notices", posting, methods=["POST"])]


def _text(kind: str, body: bytes) -> str:
    """The notice's words. JSON sent under curl's default form type is understood too."""
    text = body.decode("utf-8", "replace").strip()
    if kind.startswith("application/json") or text.startswith("{"):
        try:
            given: Any = json.loads(text)
        except ValueError:
            return "" if kind.startswith("application/json") else text
        return as_text(as_obj(given).get("text")).strip()
    return text
