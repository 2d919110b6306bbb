"""Addresses: where people and Slack reach us, what the machine may reach, who answers searches."""

from __future__ import annotations

import socket
from urllib.parse import urlsplit

from bot.config import Settings
from bot.doctor.finding import Finding, missing, ok, warn


async def search(settings: Settings) -> list[Finding]:
    """The search provider's settings; no search is made, for some cost money."""
    chosen = settings.search
    if chosen.problem:
        return [missing("search", chosen.problem, "Set it, or set THREADHAND_SEARCH=off.")]
    if chosen.provider == "off":
        fix = "Set THREADHAND_SEARCH to brave, tavily, serper or searxng."
        return [warn("search", "off: pages can be opened, but not searched for", fix)]
    return [ok("search", chosen.provider)]


async def public_address(settings: Settings) -> list[Finding]:
    """The address in links, and whether our port is free."""
    web, findings = settings.web, list[Finding]()
    by_http = settings.slack.configured and not settings.slack.socket
    if web.public_url and urlsplit(web.public_url).scheme == "https":
        findings.append(ok("public-url", web.url))
    elif web.public_url:
        findings.append(warn("public-url", f"{web.url} is not encrypted", "Put a proxy with TLS before it."))
    elif by_http:
        fix = "Set THREADHAND_PUBLIC_URL, or use Socket Mode (SLACK_APP_TOKEN)."
        findings.append(missing("public-url", "Slack cannot reach this server to deliver events", fix))
    else:
        findings.append(ok("public-url", f"not set: links lead to {web.url}, which only this machine reaches"))
    if not _free(web.host, web.port):
        fix = "It may be running already; otherwise set THREADHAND_PORT or THREADHAND_HOST."
        findings.append(warn("public-url", f"{web.host}:{web.port} cannot be listened on just now", fix))
    return findings


async def egress(settings: Settings) -> list[Finding]:
    """The private hosts that machines may reach."""
    allowed = settings.machine.egress_allow
    if not allowed:
        return [ok("egress", "machines reach public addresses only")]
    return [ok("egress", f"machines also reach {', '.join(allowed)}, whatever their addresses are")]


def _free(host: str, port: int) -> bool:
    """Whether we could listen there now."""
    try:
        family = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0][0]
        with socket.socket(family, socket.SOCK_STREAM) as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            probe.bind((host, port))
    except OSError:
        return False
    return True
