"""The page in the browser."""

from starlette.routing import BaseRoute

from bot.playground.doors import Doors
from bot.playground.site import Site


class Page:
    def __init__(self, site: Site, doors: Doors) -> None:
        self.site = site
        self.doors = doors

    def routes(self) -> list[BaseRoute]:
        return []

    def close(self) -> None:
        pass
