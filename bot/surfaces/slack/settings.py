"""What the Slack surface is told at construction: plain values, so that nothing in here reads the environment."""

from __future__ import annotations

from dataclasses import dataclass
from urllib.parse import urlsplit


@dataclass(frozen=True, slots=True)
class SlackSettings:
    """Credentials and addresses of one Slack app.

    `bot_token` set: one workspace. Empty: workspaces install through OAuth (`client_id`, `client_secret`).
    `app_token` set: Socket Mode; else events come over HTTP and `signing_secret` is needed.
    `api_url` is where every Web API call goes, with or without a slash at its end.
    """

    bot_token: str = ""
    app_token: str = ""
    signing_secret: str = ""
    client_id: str = ""
    client_secret: str = ""
    api_url: str = "https://slack.com/api/"
    public_url: str = ""
    """Where this server is reached from outside; OAuth redirects there."""
    allow_guests: bool = False
    allow_shared_channels: bool = False
    file_limit: int = 1_000_000_000
    """Bytes; larger attachments are refused."""
    rate: float = 1.0
    """How often the Web API is called, as a multiple of the published limits."""
    proxy: str = ""
    admin_contact: str = "a workspace admin"
    """Who to ask, in words, when somebody may not use the bot."""

    @property
    def base_url(self) -> str:
        """`api_url` with exactly one slash at its end."""
        return self.api_url.rstrip("/") + "/"

    @property
    def authorize_url(self) -> str:
        """The page where a workspace installs the app, beside the Web API."""
        return self.base_url.removesuffix("api/") + "oauth/v2/authorize"

    def trusts(self, url: str) -> bool:
        """Whether a bot token may be sent to that URL: Slack's own hosts and the one of `api_url`, nothing else."""
        try:
            to, own = urlsplit(url), urlsplit(self.base_url)
            here, there = (own.scheme, own.hostname, own.port), (to.scheme, to.hostname, to.port)
        except ValueError:
            return False
        if here == there:
            return True
        host = to.hostname or ""
        slack = host == "slack.com" or host.endswith(".slack.com")
        return slack and to.scheme == "https" and to.port in (None, 443) and not to.username
