"""oauth.v2.access and apps.connections.open: how an app gets its tokens and its socket."""

import secrets
import time

from bot.playground.api.call import Call
from bot.playground.messages import Installation
from bot.playground.people import APP_ID, CLIENT_ID, CLIENT_SECRET
from bot.playground.shapes import Obj, SlackError


async def access(call: Call) -> Obj:
    """Exchanges a code, or refreshes a token with grant_type=refresh_token.

    Raises `invalid_client_id`, `bad_client_secret`, `invalid_code`, `bad_redirect_uri`, `invalid_refresh_token`.
    """
    given = call.client if call.client[0] else (call.text("client_id"), call.text("client_secret"))
    if given[0] != CLIENT_ID:
        raise SlackError("invalid_client_id")
    if not secrets.compare_digest(given[1].encode(), CLIENT_SECRET.encode()):
        raise SlackError("bad_client_secret")
    if call.text("grant_type") == "refresh_token":
        return _granted(call, _refreshed(call))
    code = call.site.codes.pop(call.text("code"), None)
    if code is None or time.monotonic() > code.until:
        raise SlackError("invalid_code")
    if call.text("redirect_uri") and call.text("redirect_uri") != code.redirect_uri:
        raise SlackError("bad_redirect_uri")
    made = call.workspace.install(code.team, f"xoxb-{secrets.token_hex(12)}", code.user)
    made.scope = code.scope
    if call.site.rotating:
        _rotate(call, made)
    return _granted(call, made)


def _rotate(call: Call, made: Installation) -> None:
    made.refresh_token = f"xoxe-1-{secrets.token_hex(16)}"
    made.expires_at = time.time() + call.site.token_seconds


def _refreshed(call: Call) -> Installation:
    """A new token for the team of the refresh token, which is good once; the old token lives out its time."""
    offered = call.text("refresh_token")
    old = next((item for item in call.workspace.installations.values() if item.refresh_token == offered), None)
    if not offered or old is None:
        raise SlackError("invalid_refresh_token")
    old.refresh_token = ""
    made = call.workspace.install(old.team, f"xoxe.xoxb-1-{secrets.token_hex(12)}", old.installer)
    made.scope = old.scope
    _rotate(call, made)
    return made


def _granted(call: Call, made: Installation) -> Obj:
    team = call.workspace.teams[made.team]
    granted: Obj = {
        "app_id": APP_ID,
        "authed_user": {"id": made.installer},
        "scope": made.scope,
        "token_type": "bot",
        "access_token": made.token,
        "bot_user_id": made.bot_user,
        "team": {"id": team.id, "name": team.name},
        "enterprise": None,
        "is_enterprise_install": False,
    }
    if made.refresh_token and made.expires_at:
        granted |= {"refresh_token": made.refresh_token, "expires_in": int(made.expires_at - time.time())}
    return granted


async def open_connection(call: Call) -> Obj:
    """A fresh WebSocket address, good for one connection."""
    base = call.workspace.base_url.replace("http://", "ws://", 1)
    return {"url": f"{base}/link/?ticket={call.site.delivery.sockets.ticket()}&app_id={APP_ID}"}
