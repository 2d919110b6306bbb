"""Whether Slack knows our tokens, and whether they allow what we need."""

from __future__ import annotations

import re

from bot.config import Settings
from bot.doctor.finding import Finding, missing, ok, warn
from bot.doctor.http import ask

NEEDED = frozenset({"app_mentions:read", "chat:write", "channels:history", "files:read", "files:write", "users:read"})
"""Scopes without which the spine does not work; the manifest asks for more."""
_INSTALL = "Create the app from 'threadhand slack manifest' (docs/slack.md)."


async def slack(settings: Settings) -> list[Finding]:
    """Tokens: their shape, then what Slack says about them."""
    chosen = settings.slack
    if chosen.problem:
        return [missing("slack", chosen.problem, f"{_INSTALL} Only 'threadhand play' works without.")]
    findings: list[Finding] = []
    if chosen.bot_token:
        findings += await _bot(chosen.api_url, chosen.bot_token.get_secret_value())
    else:
        findings.append(ok("slack", "workspaces install the app by themselves (OAuth)"))
        if not chosen.signing_secret:
            findings.append(missing("slack", "SLACK_SIGNING_SECRET is not set", "Installing by OAuth needs HTTP mode."))
    if chosen.app_token:
        findings += await _app(chosen.api_url, chosen.app_token.get_secret_value())
    return findings


async def _bot(api: str, token: str) -> list[Finding]:
    """The bot token."""
    if not re.match(r"xox[be][-.]", token):
        fix = "Copy the 'Bot User OAuth Token' from the app's page 'OAuth & Permissions'."
        return [missing("slack", "SLACK_BOT_TOKEN is not a bot token: those begin with xoxb-", fix)]
    answer = await ask("POST", f"{api}/auth.test", token)
    if not answer.body.get("ok"):
        why = answer.error or answer.body.get("error") or f"HTTP {answer.status}"
        return [
            missing(
                "slack", f"auth.test at {api} failed: {why}", f"Check SLACK_BOT_TOKEN and SLACK_API_URL. {_INSTALL}"
            )
        ]
    findings = [ok("slack", f"connected as @{answer.body.get('user')} in {answer.body.get('team')}")]
    granted = {scope.strip() for scope in answer.headers.get("x-oauth-scopes", "").split(",") if scope.strip()}
    if granted and (absent := NEEDED - granted):
        fix = "Add them under 'OAuth & Permissions' and install the app again."
        findings.append(missing("slack", f"the bot token lacks the scopes {', '.join(sorted(absent))}", fix))
    return findings


async def _app(api: str, token: str) -> list[Finding]:
    """The app-level token: Slack hands out an address for Socket Mode, which is not used."""
    if not token.startswith("xapp-"):
        fix = "Make one on the app's page 'Basic Information' with the scope connections:write."
        return [missing("slack", "SLACK_APP_TOKEN is not an app-level token: those begin with xapp-", fix)]
    answer = await ask("POST", f"{api}/apps.connections.open", token)
    if not answer.body.get("ok"):
        why = answer.error or answer.body.get("error") or f"HTTP {answer.status}"
        fix = "Check SLACK_APP_TOKEN: it needs the scope connections:write, and Socket Mode must be on."
        return [missing("slack", f"apps.connections.open failed: {why}", fix)]
    if not str(answer.body.get("url", "")).startswith("wss:") and api.startswith("https:"):
        return [warn("slack", "Socket Mode would not be encrypted", "Check SLACK_API_URL.")]
    return [ok("slack", "Socket Mode is ready")]
