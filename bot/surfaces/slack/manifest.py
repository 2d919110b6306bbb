"""The Slack app's manifest: everything Slack must know of us, so that nobody clicks it together by hand."""

from __future__ import annotations

from typing import Any

EVENTS_PATH = "/slack/events"
"""Events and interactions arrive here by HTTP."""
REDIRECT_PATH = "/slack/oauth_redirect"
"""Where Slack sends people back to after they installed the app."""

SCOPES = (
    "app_mentions:read",
    "assistant:write",
    "channels:history",
    "channels:read",
    "chat:write",
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
PROMPTS = (
    ("Summarise a thread", "Summarise this thread: decisions, open questions, who does what."),
    ("Look into a file", "What stands out in the attached file? Make a chart of it."),
)


def manifest(name: str, public_url: str = "") -> dict[str, Any]:
    """The manifest of an app called `name`. Without `public_url` it connects by Socket Mode."""
    events: dict[str, Any] = {"bot_events": list(EVENTS)}
    interactivity: dict[str, Any] = {"is_enabled": True}
    oauth: dict[str, Any] = {"scopes": {"bot": list(SCOPES)}}
    if public_url:
        base = public_url.rstrip("/")
        events["request_url"] = interactivity["request_url"] = f"{base}{EVENTS_PATH}"
        oauth["redirect_urls"] = [f"{base}{REDIRECT_PATH}"]
    return {
        "display_information": {"name": name, "description": "Takes on work in threads and hands over the result."},
        "features": {
            "bot_user": {"display_name": name, "always_online": True},
            "app_home": {
                "home_tab_enabled": True,
                "messages_tab_enabled": True,
                "messages_tab_read_only_enabled": False,
            },
            "agent_view": {
                "agent_description": "Takes on work in threads and hands over the result.",
                "suggested_prompts": [{"title": title, "message": message} for title, message in PROMPTS],
            },
        },
        "oauth_config": oauth,
        "settings": {
            "event_subscriptions": events,
            "interactivity": interactivity,
            "org_deploy_enabled": True,
            "socket_mode_enabled": not public_url,
            "token_rotation_enabled": False,
        },
    }
