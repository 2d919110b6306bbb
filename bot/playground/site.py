"""Everything one playground consists of, put together; what the API, the doors and the page all share."""

from dataclasses import dataclass

from bot.playground.chaos import Chaos
from bot.playground.delivery import Delivery
from bot.playground.limits import Limits, RateLimiter
from bot.playground.triggers import Triggers
from bot.playground.workspace import Workspace


@dataclass(frozen=True, slots=True)
class Code:
    """An authorisation code of the install page, good once for ten minutes; `until` is monotonic seconds."""

    team: str
    user: str
    scope: str
    redirect_uri: str
    until: float


class Site:
    """One playground. `limits` may be replaced while it runs; `rotating` makes new installs rotate tokens."""

    def __init__(self, limits: Limits | None = None) -> None:
        self.limits = limits or Limits()
        self.rotating = False
        self.token_seconds = 43_200
        self.workspace = Workspace()
        self.chaos = Chaos()
        self.limiter = RateLimiter()
        self.triggers = Triggers()
        self.codes: dict[str, Code] = {}
        self.sign_ins: dict[str, str] = {}
        """Who signed in, by the token an app got for it."""
        self.delivery = Delivery(self.workspace, self.chaos, lambda: self.limits)
