"""Which addresses may be connected to.

Hides name resolution and the zoo of ways to write an address. A name is resolved here, once, and what was
checked is what is connected to, so an answer that changes between check and use (rebinding) gains nothing.
"""

from __future__ import annotations

import asyncio
import ipaddress
import re
import socket

from .types import AddressRefused, Resolve, Unreachable

Address = ipaddress.IPv4Address | ipaddress.IPv6Address

NAME = re.compile(r"(?=.{1,253}$)[a-z0-9_]([a-z0-9_-]{0,61}[a-z0-9_])?(\.[a-z0-9_]([a-z0-9_-]{0,61}[a-z0-9_])?)*")
NUMERIC_LABEL = re.compile(r"(0x[0-9a-f]*|[0-9]+)")
NAT64 = ipaddress.IPv6Network("64:ff9b::/96")
NEVER = tuple(
    ipaddress.ip_network(network)
    for network in (
        "168.63.129.16/32",  # a cloud's metadata service on a public address
        "192.0.0.0/24",
        "192.88.99.0/24",
        "::/96",
        "64:ff9b:1::/48",
        "fec0::/10",
        "2001::/32",
        "5f00::/16",
    )
)


def canonical(host: str) -> str:
    """A host as it is compared and sent: lower case, ASCII, no final dot. AddressRefused for what is no host.

    Addresses only in their one ordinary spelling: other programs read 0x7f.1, 2130706433 or 0177.0.0.1 too, and
    each reads them differently.
    """
    host = host.strip("[]").removesuffix(".").lower()
    try:
        return str(ipaddress.ip_address(host))
    except ValueError:
        pass
    try:
        name = host if host.isascii() else host.encode("idna").decode("ascii").lower()
    except UnicodeError as error:
        raise AddressRefused(f"{host!r} is not a host name.") from error
    if not NAME.fullmatch(name):
        raise AddressRefused(f"{host!r} is not a host name.")
    if NUMERIC_LABEL.fullmatch(name.rpartition(".")[2]):
        raise AddressRefused(f"{host!r} is an unusual spelling of an address. Write it as four plain numbers.")
    return name


def public(text: str) -> bool:
    """Whether an address is one of the open internet's, also when it is wrapped in another."""
    try:
        address: Address = ipaddress.ip_address(text)
    except ValueError:
        return False
    if isinstance(address, ipaddress.IPv6Address):
        if address.scope_id is not None:
            return False
        inner = address.ipv4_mapped or address.sixtofour
        if inner is None and address in NAT64:
            inner = ipaddress.IPv4Address(int(address) & 0xFFFFFFFF)
        if inner is not None:
            return public(str(inner))
    odd = (
        address.is_private
        or address.is_loopback
        or address.is_link_local
        or address.is_multicast
        or address.is_reserved
        or address.is_unspecified
    )
    return address.is_global and not odd and not any(address in network for network in NEVER)


async def system_resolve(host: str, port: int) -> tuple[str, ...]:
    """The host's own resolver."""
    loop = asyncio.get_running_loop()
    found = await loop.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    return tuple(dict.fromkeys(str(sockaddr[0]) for *_, sockaddr in found))


class Addresses:
    """Names to addresses that may be connected to.

    allow: hosts (`wiki.corp`, `10.0.0.7`) or host:port that an admin named; they may be inside a private network.
    """

    def __init__(self, allow: frozenset[str] = frozenset(), resolve: Resolve = system_resolve) -> None:
        self._allow = frozenset(entry.strip().lower() for entry in allow)
        self._resolve = resolve

    def named(self, host: str, port: int) -> bool:
        shown = f"[{host}]" if ":" in host else host
        return bool({host, shown, f"{shown}:{port}"} & self._allow)

    async def find(self, host: str, port: int) -> tuple[str, ...]:
        """Numeric addresses to connect to, best first; never empty. AddressRefused, Unreachable."""
        host = canonical(host)
        if not 0 < port < 65536:
            raise AddressRefused(f"{port} is not a port.")
        found = (host,) if literal(host) else await self._look_up(host, port)
        if self.named(host, port):
            return found
        fit = tuple(address for address in found if public(address))
        if not fit:
            raise AddressRefused(
                f"{host} is inside a private network ({found[0]}), which the machine may not reach. "
                f"An admin can allow it by naming {host} in THREADHAND_EGRESS_ALLOW."
            )
        return fit

    async def _look_up(self, host: str, port: int) -> tuple[str, ...]:
        try:
            found = await asyncio.wait_for(self._resolve(host, port), 15)
        except (OSError, TimeoutError, UnicodeError) as error:
            raise Unreachable(f"There is no address for {host}. Check the name.") from error
        numeric = tuple(address for address in found if literal(address))
        if not numeric:
            raise Unreachable(f"There is no address for {host}. Check the name.")
        return numeric


def literal(host: str) -> bool:
    try:
        ipaddress.ip_address(host)
    except ValueError:
        return False
    return True
