"""No spelling, name or resolver leads into a private network."""

from __future__ import annotations

from pathlib import Path

import pytest

from sandbox.egress import urls
from sandbox.egress.address import Addresses, public
from sandbox.egress.types import AddressRefused, EgressRequest, Unreachable
from sandbox.egress.upstream import Upstream
from tests.support.origin import origin

INSIDE = [
    "127.0.0.1", "127.9.9.9", "10.0.0.1", "172.16.0.1", "172.31.255.255", "192.168.1.1", "169.254.169.254", "0.0.0.0",
    "100.64.0.1", "100.100.100.200", "192.0.0.192", "198.18.0.1", "224.0.0.1", "239.1.1.1", "240.0.0.1",
    "255.255.255.255", "168.63.129.16", "::1", "::", "::ffff:127.0.0.1", "::ffff:10.0.0.1", "::127.0.0.1", "fe80::1",
    "fe80::1%eth0", "fc00::1", "fd00:ec2::254", "fec0::1", "ff02::1", "64:ff9b::127.0.0.1", "64:ff9b::a00:1",
    "64:ff9b:1::1", "2002:7f00:1::", "2002:a00:1::1", "2001::1", "2001:db8::1",
]  # fmt: skip
ODD = [
    "2130706433", "0x7f000001", "0x7f.0.0.1", "0177.0.0.1", "017700000001", "127.1", "127.0.1", "0x7f.1", "1.2.3.4.5",
    "example.1", "example.0x7f", "127.0.0.1.", "①②⑦.⓪.⓪.①", "127。0。0。1",
]  # fmt: skip
NO_HOST = ["", ".", "-a.test", "a..b", "a b", "a/b", "a@b", "a\\b", "a\nb", "x" * 64, "a.test:80", "[::1", "a%00b"]


async def nobody(host: str, port: int) -> tuple[str, ...]:
    raise AssertionError(f"{host} should not be looked up")


@pytest.mark.parametrize("host", [*INSIDE, *ODD, *NO_HOST])
async def test_an_inside_address_or_an_odd_spelling_is_refused(host: str) -> None:
    with pytest.raises(AddressRefused):
        await Addresses(resolve=nobody).find(host, 80)


@pytest.mark.parametrize("address", ["93.184.215.14", "8.8.8.8", "2606:4700:4700::1111", "64:ff9b::808:808"])
async def test_a_public_address_is_open(address: str) -> None:
    assert public(address)
    assert await Addresses(resolve=nobody).find(address, 443) == (address,)


@pytest.mark.parametrize("inside", INSIDE)
async def test_a_name_that_leads_inside_is_refused(inside: str) -> None:
    async def resolve(host: str, port: int) -> tuple[str, ...]:
        return (inside,)

    with pytest.raises(AddressRefused) as refused:
        await Addresses(resolve=resolve).find("rebind.test", 80)
    assert "THREADHAND_EGRESS_ALLOW" in str(refused.value)


async def test_only_the_public_ones_of_several_addresses_are_used() -> None:
    async def resolve(host: str, port: int) -> tuple[str, ...]:
        return ("127.0.0.1", "93.184.215.14")

    assert await Addresses(resolve=resolve).find("mixed.test", 80) == ("93.184.215.14",)


async def test_a_resolver_that_changes_its_answer_gains_nothing(tmp_path: Path) -> None:
    """The name is looked up once; what was checked is what is connected to."""
    async with origin("victim.test") as victim:
        answers = iter([("192.0.2.1",), ("127.0.0.1",)])
        looked_up: list[str] = []

        async def resolve(host: str, port: int) -> tuple[str, ...]:
            looked_up.append(host)
            return next(answers)

        upstream = Upstream(Addresses(resolve=resolve))
        request = urls.request("GET", f"http://rebind.test:{victim.port}/")
        for _ in range(2):
            with pytest.raises(AddressRefused):
                await upstream.send(request)
        assert looked_up == ["rebind.test", "rebind.test"]
        assert victim.visits == []


async def test_a_request_made_by_hand_is_checked_too() -> None:
    request = EgressRequest("POST", "http://169.254.169.254/latest", "169.254.169.254", 80, (), b"x")
    with pytest.raises(AddressRefused):
        await Upstream(Addresses()).send(request)


@pytest.mark.parametrize("entry", ["wiki.corp", "wiki.corp:8080", "WIKI.corp:8080"])
async def test_an_admin_can_name_a_host_or_a_host_with_its_port(entry: str) -> None:
    async def resolve(host: str, port: int) -> tuple[str, ...]:
        return ("10.0.0.7",)

    addresses = Addresses(frozenset({entry}), resolve)
    assert await addresses.find("wiki.corp", 8080) == ("10.0.0.7",)
    with pytest.raises(AddressRefused):
        await addresses.find("other.corp", 8080)
    if ":" in entry:
        with pytest.raises(AddressRefused):
            await addresses.find("wiki.corp", 80)


async def test_an_admin_can_name_an_address() -> None:
    assert await Addresses(frozenset({"10.0.0.7", "[fd00::7]:81"}), nobody).find("10.0.0.7", 1) == ("10.0.0.7",)
    assert await Addresses(frozenset({"[fd00::7]:81"}), nobody).find("fd00::7", 81) == ("fd00::7",)


async def test_a_resolver_that_answers_with_no_address_is_unreachable() -> None:
    async def resolve(host: str, port: int) -> tuple[str, ...]:
        return ("not an address",)

    with pytest.raises(Unreachable):
        await Addresses(resolve=resolve).find("x.test", 80)


@pytest.mark.parametrize(
    "url",
    ["file:///etc/passwd", "gopher://x.test/", "http://", "//x.test/", "http://[::1", "http://x:99999/", "x.test"],
)
def test_what_is_no_web_address_is_refused(url: str) -> None:
    with pytest.raises(AddressRefused):
        urls.request("GET", url)
