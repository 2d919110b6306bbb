"""Opens a playground on a loopback port and closes it: for tests, for `play`, for a process of its own."""

from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

from starlette.applications import Starlette

from bot.playground.doors import Doors
from bot.playground.driver import Driver, local_driver
from bot.playground.limits import Limits
from bot.playground.outside import notice_routes
from bot.playground.page import HINTS, Page
from bot.playground.people import APP_TOKEN, BOT_TOKEN, SIGNING_SECRET
from bot.playground.serving import loopback, serve_app
from bot.playground.site import Site
from bot.playground.wire import wire_routes


@dataclass(frozen=True, slots=True)
class Options:
    """How to open a playground: port 0 lets the system choose; `control` opens /_control to the machine.

    `hints` are the (title, message) pairs the page offers on the first run.
    """

    port: int = 0
    control: bool = False
    limits: Limits = field(default_factory=Limits)
    hints: tuple[tuple[str, str], ...] = HINTS


@dataclass(frozen=True, slots=True)
class Playground:
    """A running playground. `url` is its page, `api_url` what an app calls SLACK_API_URL."""

    url: str
    site: Site
    driver: Driver
    bot_token: str = BOT_TOKEN
    app_token: str = APP_TOKEN
    signing_secret: str = SIGNING_SECRET

    @property
    def api_url(self) -> str:
        return f"{self.url}/api/"


@asynccontextmanager
async def serve_playground(options: Options | None = None) -> AsyncGenerator[Playground]:
    """A playground on 127.0.0.1, ready when this yields, gone when it ends.

    Raises OSError when the port is taken.
    """
    options = options or Options()
    site = Site(options.limits)
    doors = Doors(site)
    page = Page(site, doors, options.hints)
    listener = loopback(options.port)
    site.workspace.base_url = f"http://127.0.0.1:{listener.getsockname()[1]}"
    routes = [*wire_routes(site, doors, options.control), *notice_routes(site), *page.routes()]
    async with serve_app(Starlette(routes=routes), listener) as url:
        try:
            yield Playground(url, site, local_driver(doors))
        finally:
            page.close()
            await site.delivery.close()
