"""The Slack app's manifest: what has to be switched on so that everything here works."""

from __future__ import annotations

import json

import yaml

from bot.surfaces.slack.home import PROMPTS
from bot.surfaces.slack.wire import Obj

SCOPES = (
    "app_mentions:read",
    "assistant:write",
    "chat:write",
    "channels:history",
    "channels:read",
    "commands",
    "files:read",
    "files:write",
    "groups:history",
    "groups:read",
    "im:history",
    "im:read",
    "im:write",
    "mpim:history",
    "reactions:write",
    "users:read",
    "users:read.email",
)
EVENTS = (
    "agent_session_stopped",
    "agent_session_title_changed",
    "app_context_changed",
    "app_home_opened",
    "app_mention",
    "app_uninstalled",
    "message.channels",
    "message.groups",
    "message.im",
    "message.mpim",
    "tokens_revoked",
)
EVENTS_PATH, ACTIONS_PATH = "/slack/events", "/slack/interactions"
INSTALL_PATH, REDIRECT_PATH = "/slack/install", "/slack/oauth_redirect"
SIGNED_IN_PATH = "/live/signed-in"
"""Where people come back to who signed in with Slack to see a live page."""


def manifest(public_url: str = "", *, name: str = "Threadhand", distributed: bool = False) -> Obj:
    """The manifest. Without `public_url` events come by Socket Mode; `distributed` adds the OAuth redirect."""
    url = public_url.rstrip("/")
    events: Obj = {"bot_events": list(EVENTS)}
    actions: Obj = {"is_enabled": True}
    if url:
        events = {"request_url": f"{url}{EVENTS_PATH}", **events}
        actions["request_url"] = f"{url}{ACTIONS_PATH}"
    oauth: Obj = {"scopes": {"bot": list(SCOPES)}}
    if url and distributed:
        oauth["redirect_urls"] = [f"{url}{REDIRECT_PATH}", f"{url}{SIGNED_IN_PATH}"]
    return {
        "display_information": {
            "name": name,
            "description": "A colleague with a computer, in your threads",
            "background_color": "#1f3a4d",
        },
        "features": {
            "app_home": {
                "home_tab_enabled": True,
                "messages_tab_enabled": True,
                "messages_tab_read_only_enabled": False,
            },
            "bot_user": {"display_name": name, "always_online": True},
            "agent_view": {
                "agent_description": "Works on what you ask in a thread, on its own computer, and asks before it acts.",
                "suggested_prompts": [{"title": title, "message": message} for title, message in PROMPTS],
            },
        },
        "oauth_config": oauth,
        "settings": {
            "event_subscriptions": events,
            "interactivity": actions,
            "org_deploy_enabled": True,
            "socket_mode_enabled": not url,
            "token_rotation_enabled": bool(url and distributed),
        },
    }


def to_yaml(made: Obj) -> str:
    """As YAML, to be pasted where Slack asks for a manifest."""
    return yaml.safe_dump(made, sort_keys=False, allow_unicode=True)  # pyright: ignore[reportUnknownMemberType]


def to_json(made: Obj) -> str:
    """As JSON."""
    return json.dumps(made, indent=2, ensure_ascii=False)
