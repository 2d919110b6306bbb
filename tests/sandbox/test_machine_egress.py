"""Programs in the machine and the gate, together."""

from __future__ import annotations

import dataclasses
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass
from pathlib import Path

import pytest

from sandbox.types import Backend, EgressPort, Machine, MachineSpec

from .egress_setup import Setup, running

ODD = (
    "127.0.0.1", "localhost", "2130706433", "0x7f000001", "0177.0.0.1", "127.1", "[::1]", "[::ffff:127.0.0.1]",
    "169.254.169.254", "10.0.0.1", "192.168.0.1", "100.64.0.1", "0.0.0.0", "rebind.test", "localhost.",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Connected:
    machine: Machine
    setup: Setup

    async def run(self, command: str) -> str:
        return (await self.machine.exec(command, timeout=60)).text


@pytest.fixture
async def connected(
    backend: Backend, spec_for: Callable[[str], MachineSpec], tmp_path: Path
) -> AsyncIterator[Connected]:
    async with running(tmp_path) as setup:
        port = EgressPort(setup.socket, setup.authority.certificate)
        machine = await backend.start(dataclasses.replace(spec_for("s1"), egress=port))
        yield Connected(machine, setup)
        await machine.close()


async def test_curl_reads_an_allowed_site_over_http_and_https(connected: Connected) -> None:
    setup = connected.setup
    said = await connected.run(f"curl -sS {setup.plain.url('/a')}; curl -sS {setup.secure.url('/b')}")
    assert "Hello from /a" in said
    assert "Hello from /b" in said
    assert {record.outcome for record in setup.desk.records} == {"sent"}


async def test_plain_http_in_a_tunnel_is_judged_like_any_other(connected: Connected) -> None:
    setup = connected.setup
    assert "Hello from /t" in await connected.run(f"curl -p -sS {setup.plain.url('/t')}")
    said = await connected.run(f"curl -p -sS -d item=blue {setup.plain.url('/orders')}")
    assert "put to the person for a yes" in said
    assert setup.plain.writes() == []


@pytest.mark.slow
async def test_python_reads_an_allowed_site_over_https(connected: Connected) -> None:
    url = connected.setup.secure.url("/py")
    said = await connected.run(f"python3 -c \"import urllib.request as u; print(u.urlopen('{url}').read())\"")
    assert "Hello from /py" in said


async def test_a_write_from_the_machine_waits_and_is_sent_once(connected: Connected) -> None:
    setup = connected.setup
    said = await connected.run(f"curl -sS -w '%{{http_code}}' -d item=blue {setup.secure.url('/orders')}")
    assert "put to the person for a yes" in said
    assert said.endswith("403")
    assert setup.secure.visits == []
    (held,) = setup.desk.held.values()
    await setup.upstream.send(held)
    (visit,) = setup.secure.visits
    assert (visit.method, visit.path, visit.body) == ("POST", "/orders", b"item=blue")


@pytest.mark.slow
async def test_an_upload_that_asks_first_is_answered(connected: Connected) -> None:
    await connected.machine.write("big.bin", b"x" * 3_000_000)
    url = connected.setup.secure.url("/big")
    said = await connected.run(f"curl -sS -H 'Expect: 100-continue' -T big.bin {url}")
    assert "put to the person" in said
    (held,) = connected.setup.desk.held.values()
    assert len(held.body) == 3_000_000


async def test_no_spelling_of_a_private_address_passes(connected: Connected) -> None:
    port = connected.setup.plain.port
    for host in ODD:
        said = await connected.run(f"curl -sS -m 20 --noproxy '' -w '%{{http_code}}' 'http://{host}:{port}/'")
        assert said.endswith("403"), (host, said)
    assert connected.setup.plain.visits == []


@pytest.mark.slow
async def test_without_the_proxy_there_is_no_way_out(connected: Connected) -> None:
    port = connected.setup.plain.port
    said = await connected.run(f"curl -sS -m 5 --noproxy '*' http://127.0.0.1:{port}/; echo exit $?")
    assert "exit 7" in said
    assert "exit 0" not in await connected.run("getent hosts plain.test; echo exit $?")
    assert connected.setup.plain.visits == []


@pytest.mark.slow
async def test_a_program_can_reach_the_gate_only_as_a_proxy(connected: Connected) -> None:
    said = await connected.run("ls -la /run/threadhand; rm -f /run/threadhand/gate; echo x > /run/threadhand/ca.pem")
    assert "Read-only" in said or "denied" in said
    assert "Hello" in await connected.run(f"curl -sS {connected.setup.plain.url('/still')}")
