"""What stands around every answer of the live page: who asks, from which page, and what a browser may do with it."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import TypeVar
from urllib.parse import quote, urlsplit

from starlette.requests import HTTPConnection, Request
from starlette.responses import HTMLResponse, JSONResponse, RedirectResponse, Response

from bot.store import StoreError
from bot.surface import SurfaceError
from bot.web.live.access import Access, Admitted, Denied
from bot.web.live.links import COOKIE, HOURS, Seals, Visitor
from bot.web.live.pages import notice_page
from sandbox.types import MachineError

NAME = "threadhand_live"
POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data: blob:; connect-src 'self'; "
    "frame-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
)
SHELL_POLICY = POLICY.replace("style-src 'self'", "style-src 'self' 'unsafe-inline'").replace(
    "frame-ancestors 'none'", "frame-ancestors 'self'"
)
"""For the terminal's own frame: xterm.js writes its theme as a style element."""
HEADERS = {
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "same-origin",
    "Cache-Control": "no-store",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
}

R = TypeVar("R", bound=Response)


@dataclass(frozen=True, slots=True)
class Guard:
    """Checks requests. `address` is where people reach the page: scheme, host and port."""

    seals: Seals
    access: Access
    address: str

    @property
    def secure(self) -> bool:
        return self.address.startswith("https://")

    def visitor(self, asked: HTTPConnection) -> Visitor | None:
        """Whom the browser's cookies name; the one for this very session before the one for all."""
        session = str(asked.path_params.get("session", ""))
        for name in (f"{NAME}_{session}", NAME):
            if (text := asked.cookies.get(name)) and (found := self.seals.visitor(COOKIE, text)):
                return found
        return None

    def own(self, asked: HTTPConnection) -> bool:
        """Whether it comes from a page of ours: browsers name the page's origin on every write and WebSocket."""
        origin = urlsplit(asked.headers.get("origin", ""))
        return bool(origin.netloc) and origin.netloc in (asked.headers.get("host", ""), urlsplit(self.address).netloc)

    async def admit(self, asked: HTTPConnection) -> Admitted:
        """The person who asks, if they may look. Raises Denied, SurfaceError or StoreError."""
        visitor = self.visitor(asked)
        if visitor is None:
            raise Denied("Sign in first.", 401)
        return await self.access.admit(str(asked.path_params["session"]), visitor)

    def remember(self, answer: R, visitor: Visitor) -> R:
        """Sign the browser in."""
        name = f"{NAME}_{visitor.session}" if visitor.session else NAME
        answer.set_cookie(
            name,
            self.seals.invite(COOKIE, visitor),
            max_age=HOURS * 3600,
            path="/live",
            secure=self.secure,
            httponly=True,
            samesite="lax",
        )
        return answer

    def route(
        self, handler: Callable[[Request, Admitted], Awaitable[Response]], *, writes: bool = False, page: bool = False
    ) -> Callable[[Request], Awaitable[Response]]:
        """The handler for people who may look, refusals in words; `page`: for people, who are shown the way in."""

        async def guarded(request: Request) -> Response:
            try:
                if writes and not self.own(request):
                    raise Denied("This works only from the live page itself.")
                answer = await handler(request, await self.admit(request))
            except Denied as denied:
                answer = self._denied(request, denied, page)
            except MachineError as error:
                answer = self._denied(request, Denied(str(error), 409), page)
            except (SurfaceError, StoreError):
                answer = self._denied(request, Denied("The chat does not answer at the moment. Try again.", 503), page)
            return dress(answer)

        return guarded

    def _denied(self, request: Request, denied: Denied, page: bool) -> Response:
        if not page:
            return JSONResponse({"error": str(denied)}, denied.status)
        if denied.status == 401:
            return RedirectResponse(f"/live/sign-in?session={quote(str(request.path_params['session']))}", 303)
        return HTMLResponse(notice_page("Not for you", str(denied)), denied.status)


def dress(answer: R, policy: str = POLICY) -> R:
    """The answer with what keeps a browser from doing more with it than meant."""
    for name, value in {**HEADERS, "Content-Security-Policy": policy}.items():
        answer.headers.setdefault(name, value)
    return answer
