"""The sign-in page of the local workspace: nobody has a password here, one picks who one is."""

import html
import secrets
import time
from urllib.parse import urlencode

from starlette.requests import Request
from starlette.responses import HTMLResponse, RedirectResponse, Response

from bot.playground.people import CLIENT_ID, Person
from bot.playground.site import Code, Site

CODE_SECONDS = 600.0


async def sign_in(site: Site, request: Request) -> Response:
    """GET shows the people, POST with the chosen one redirects with a code."""
    query = dict(request.query_params)
    redirect = query.get("redirect_uri", "")
    if query.get("client_id") != CLIENT_ID or not redirect or "openid" not in query.get("scope", "").split():
        return HTMLResponse("<h1>Invalid client_id, redirect_uri or scope parameter</h1>", 400)
    people = [item for item in site.workspace.people.values() if not item.is_bot]
    if request.method == "GET":
        return HTMLResponse(_page(people))
    async with request.form() as form:
        chosen = str(form.get("person", ""))
    person = next((item for item in people if item.id == chosen), None)
    if person is None:
        return HTMLResponse("<h1>Choose a person</h1>", 400)
    code = secrets.token_urlsafe(24)
    site.codes[code] = Code(person.team, person.id, query["scope"], redirect, time.monotonic() + CODE_SECONDS)
    joiner = "&" if "?" in redirect else "?"
    return RedirectResponse(f"{redirect}{joiner}{urlencode({'code': code, 'state': query.get('state', '')})}", 302)


def _page(people: list[Person]) -> str:
    buttons = "".join(
        f'<p><button name="person" value="{html.escape(item.id)}">{html.escape(item.name)}</button></p>'
        for item in people
    )
    return (
        '<!DOCTYPE html><html lang="en"><head><meta charset="utf-8"><title>Sign in</title>'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        '<link rel="stylesheet" href="/static/page.css"></head><body class="consent"><main><h1>Who are you?</h1>'
        f'<form method="post">{buttons}</form></main></body></html>'
    )
