"""URLs in their one form.

Hides parsing. A URL is taken apart once and put together again from what was understood, and only that is
judged, shown and sent, so no two readers can disagree about it.
"""

from __future__ import annotations

import re
from urllib.parse import quote, urlsplit

from .address import canonical
from .types import AddressRefused, EgressRequest

PORTS = {"http": 80, "https": 443}
FORBIDDEN = re.compile(r"[\x00-\x20\x7f\\<>\"`{}|^]")


def request(method: str, url: str, headers: tuple[tuple[str, str], ...] = (), body: bytes = b"") -> EgressRequest:
    """A request for an absolute http or https URL. AddressRefused for anything else."""
    try:
        parts = urlsplit(url.strip())
        host, port = parts.hostname, parts.port
    except ValueError as error:
        raise AddressRefused(f"{url!r} is not a URL: {error}.") from error
    if parts.scheme not in PORTS or not host:
        raise AddressRefused(f"{url!r} is not a web address. It must begin with http:// or https://.")
    if "@" in parts.netloc or "\\" in parts.netloc:
        raise AddressRefused(f"{url!r} has a user name in it. Leave it out.")
    host, default = canonical(host), PORTS[parts.scheme]
    port = default if port is None else port
    shown = f"[{host}]" if ":" in host else host
    place = shown if port == default else f"{shown}:{port}"
    target = clean(parts.path or "/") + (f"?{clean(parts.query)}" if parts.query else "")
    target = target if target.startswith("/") else f"/{target}"
    return EgressRequest(method.upper(), f"{parts.scheme}://{place}{target}", host, port, headers, body)


def clean(text: str) -> str:
    """Escape what may not stand in a URL; what is escaped already stays as it is."""
    escaped = quote(text, safe="/?:@!$&'()*+,;=%-._~[]")
    return FORBIDDEN.sub(lambda found: quote(found[0]), escaped)


def authority(text: str, default: int) -> tuple[str, int]:
    """`host[:port]` as in CONNECT and Host. AddressRefused."""
    try:
        parts = urlsplit(f"//{text}")
        host, port = parts.hostname, parts.port
    except ValueError as error:
        raise AddressRefused(f"{text!r} is not a host and port.") from error
    if not host or parts.netloc != text or "@" in text or parts.path:
        raise AddressRefused(f"{text!r} is not a host and port.")
    return canonical(host), default if port is None else port
