"""How a browser learns who is before it: Slack's OpenID where the deployment has an OAuth client, a personal link else.

Hides the dance. What comes out is a signed cookie; what the person may see is decided elsewhere, each time.
"""

from __future__ import annotations

import logging
import secrets
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode

import aiohttp
from pydantic import TypeAdapter
from starlette.requests import Request
from starlette.responses import HTMLResponse, RedirectResponse, Response
from starlette.routing import Route

from bot.web.live.guard import Guard, dress
from bot.web.live.links import LINK, STATE, Visitor
from bot.web.live.pages import enter_page, notice_page

log = logging.getLogger(__name__)

CALLBACK = "/live/signed-in"
PENDING = "threadhand_live_state"
MINUTES = 10
TIMEOUT = aiohttp.ClientTimeout(total=15)
NO_WAY_IN = (
    "Ask for a link of your own in the thread: write “show me your screen”. I send it to you privately; it works for "
    "12 hours."
)
TOO_OLD = "This link is too old or not whole. Ask for a new one in the thread: write “show me your screen”."


_SAID: TypeAdapter[dict[str, Any]] = TypeAdapter(dict[str, Any])


class NotSignedIn(Exception):
    """The chat product did not confirm who it is; the message says why."""


@dataclass(frozen=True, slots=True)
class OpenId:
    """Slack as the one who says who somebody is. `api` is where its Web API is."""

    client_id: str
    client_secret: str
    api: str

    def address(self, redirect: str, state: str) -> str:
        """Where the browser is sent."""
        base = self.api.rstrip("/").removesuffix("/api")
        query = {
            "response_type": "code",
            "scope": "openid profile",
            "client_id": self.client_id,
            "state": state,
            "nonce": secrets.token_urlsafe(16),
            "redirect_uri": redirect,
        }
        return f"{base}/openid/connect/authorize?{urlencode(query)}"

    async def who(self, code: str, redirect: str) -> Visitor:
        """The person that a code stands for, asked of Slack itself. Raises NotSignedIn."""
        given = {
            "client_id": self.client_id,
            "client_secret": self.client_secret,
            "code": code,
            "grant_type": "authorization_code",
            "redirect_uri": redirect,
        }
        async with aiohttp.ClientSession(timeout=TIMEOUT) as http:
            token = await self._ask(http, "openid.connect.token", given, "")
            info = await self._ask(http, "openid.connect.userInfo", {}, str(token.get("access_token", "")))
        user, team = info.get("https://slack.com/user_id"), info.get("https://slack.com/team_id")
        if not isinstance(user, str) or not isinstance(team, str) or not user or not team:
            raise NotSignedIn("Slack did not say who you are.")
        home = info.get("https://slack.com/enterprise_id") or team
        return Visitor(f"{home}/{user}", str(info.get("name") or user))

    async def _ask(self, http: aiohttp.ClientSession, method: str, given: dict[str, str], token: str) -> dict[str, Any]:
        headers = {"Authorization": f"Bearer {token}"} if token else {}
        try:
            async with http.post(f"{self.api.rstrip('/')}/{method}", data=given, headers=headers) as answer:
                said = _SAID.validate_json(await answer.read())
        except (aiohttp.ClientError, TimeoutError, ValueError) as error:
            raise NotSignedIn("Slack does not answer at the moment. Try again.") from error
        if not said.get("ok"):
            raise NotSignedIn("Slack did not confirm who you are. Try again.")
        return said


class SignIn:
    """The pages that lead to a cookie."""

    def __init__(self, guard: Guard, openid: OpenId | None) -> None:
        self._guard, self._openid = guard, openid

    def routes(self) -> list[Route]:
        """Sign-in, its return, and personal links."""
        found = [
            Route("/live/sign-in", self._begin),
            Route("/live/enter", self._ask, methods=["GET"]),
            Route("/live/enter", self._enter, methods=["POST"]),
        ]
        return [*found, Route(CALLBACK, self._back)] if self._openid else found

    async def _begin(self, request: Request) -> Response:
        if self._openid is None:
            return dress(HTMLResponse(notice_page("Your own link", NO_WAY_IN), 401))
        secret = secrets.token_urlsafe(24)
        value = {"session": request.query_params.get("session", ""), "secret": secret}
        state = self._guard.seals.seal(STATE, value, MINUTES * 60)
        answer = RedirectResponse(self._openid.address(self._redirect, state), 303)
        answer.set_cookie(
            PENDING,
            secret,
            max_age=MINUTES * 60,
            path="/live",
            secure=self._guard.secure,
            httponly=True,
            samesite="lax",
        )
        return dress(answer)

    async def _back(self, request: Request) -> Response:
        """From Slack, with a code. The state must be one that this very browser was given."""
        state = self._guard.seals.open(STATE, request.query_params.get("state", ""))
        pending = request.cookies.get(PENDING, "")
        if state is None or not secrets.compare_digest(str(state["secret"]).encode(), pending.encode()):
            return dress(HTMLResponse(notice_page("Not signed in", "This took too long. Open the page again."), 400))
        try:
            if self._openid is None or not (code := request.query_params.get("code", "")):
                raise NotSignedIn("You did not sign in.")
            visitor = await self._openid.who(code, self._redirect)
        except NotSignedIn as error:
            log.warning("a sign-in to the live page failed: %s", error)
            return dress(HTMLResponse(notice_page("Not signed in", str(error)), 403))
        answer = self._guard.remember(_onward(str(state["session"])), visitor)
        answer.delete_cookie(PENDING, path="/live")
        return dress(answer)

    async def _ask(self, request: Request) -> Response:
        link = request.query_params.get("link", "")
        visitor = self._guard.seals.visitor(LINK, link)
        if visitor is None:
            return dress(HTMLResponse(notice_page("Too late", TOO_OLD), 403))
        return dress(HTMLResponse(enter_page(visitor.name, link)))

    async def _enter(self, request: Request) -> Response:
        async with request.form(max_files=0, max_fields=4) as form:
            visitor = self._guard.seals.visitor(LINK, str(form.get("link", "")))
        if visitor is None or not self._guard.own(request):
            return dress(HTMLResponse(notice_page("Too late", TOO_OLD), 403))
        return dress(self._guard.remember(_onward(visitor.session), visitor))

    @property
    def _redirect(self) -> str:
        return f"{self._guard.address}{CALLBACK}"


def _onward(session: str) -> RedirectResponse:
    known = session if session.isalnum() and session.isascii() else ""
    return RedirectResponse(f"/live/{known}" if known else "/", 303)
