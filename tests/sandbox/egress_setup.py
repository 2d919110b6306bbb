"""A gate in front of sites on loopback, and programs that go through it."""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path

from sandbox.egress.address import Addresses
from sandbox.egress.authority import Authority
from sandbox.egress.fetch import Fetcher
from sandbox.egress.gate import Gate, Rules
from sandbox.egress.types import Allow, EgressRecord, EgressRequest, Hold, Verdict
from sandbox.egress.upstream import Timing, Upstream
from tests.support.origin import Origin, origin, trusting

PUBLIC = {"open.test": ("93.184.215.14",)}


@dataclass(slots=True)
class Desk:
    """The policy of these tests: fetches pass, writes are held and kept."""

    held: dict[str, EgressRequest] = field(default_factory=dict[str, EgressRequest])
    judged: list[EgressRequest] = field(default_factory=list[EgressRequest])
    records: list[EgressRecord] = field(default_factory=list[EgressRecord])

    async def judge(self, request: EgressRequest) -> Verdict:
        self.judged.append(request)
        if not request.writes:
            return Allow()
        name = f"hold-{len(self.held)}"
        self.held[name] = request
        return Hold(name, f"{request.method} to {request.host}")

    async def record(self, record: EgressRecord) -> None:
        self.records.append(record)


@dataclass(frozen=True, slots=True)
class Setup:
    plain: Origin
    secure: Origin
    desk: Desk
    gate: Gate
    socket: Path
    authority: Authority
    upstream: Upstream
    rules: Rules

    @property
    def fetcher(self) -> Fetcher:
        return Fetcher(self.upstream, self.rules)

    async def raw(self, data: bytes) -> bytes:
        """What the gate answers to `data`, until it closes."""
        reader, writer = await asyncio.open_unix_connection(str(self.socket))
        writer.write(data)
        try:
            return await asyncio.wait_for(reader.read(-1), 20)
        finally:
            writer.close()


@asynccontextmanager
async def running(folder: Path, answer_max: int = 2_000_000) -> AsyncGenerator[Setup]:
    """Sites http://plain.test and https://secure.test, both named by the admin, behind a gate."""
    sites, trust = trusting(folder / "sites")
    async with origin("plain.test") as plain, origin("secure.test", sites) as secure:

        async def resolve(host: str, port: int) -> tuple[str, ...]:
            if host in PUBLIC:
                return PUBLIC[host]
            if host.endswith(".test") or host == "localhost":
                return ("127.0.0.1",)
            raise OSError("no such name")

        allow = frozenset({f"plain.test:{plain.port}", "secure.test", "stranger.test"})
        upstream = Upstream(Addresses(allow, resolve), trust=trust, timing=Timing(connect=10, idle=10))
        desk = Desk()
        rules = Rules("s1", desk.judge, desk.record, answer_max=answer_max, idle=20)
        authority = Authority(folder / "gate")
        socket = folder / "g" / "gate.sock"
        gate = Gate(socket, authority, upstream, rules)
        await gate.start()
        try:
            yield Setup(plain, secure, desk, gate, socket, authority, upstream, rules)
        finally:
            await gate.close()


class Client:
    """A program behind the gate that keeps its connection, in a tunnel if `tunnel` is given."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.reader = reader
        self.writer = writer

    @classmethod
    async def through(cls, setup: Setup, host: str, port: int) -> Client:
        """Into a TLS tunnel, trusting the gate's authority only."""
        reader, writer = await asyncio.open_unix_connection(str(setup.socket))
        writer.write(f"CONNECT {host}:{port} HTTP/1.1\r\nHost: {host}:{port}\r\n\r\n".encode())
        head = await asyncio.wait_for(reader.readuntil(b"\r\n\r\n"), 20)
        assert b" 200 " in head
        trust = ssl.create_default_context(cafile=str(setup.authority.certificate))
        await writer.start_tls(trust, server_hostname=host)
        return cls(reader, writer)

    async def ask(self, data: bytes) -> bytes:
        """Send a request and read an answer that has a content-length."""
        self.writer.write(data)
        head = await asyncio.wait_for(self.reader.readuntil(b"\r\n\r\n"), 20)
        length = next(
            int(line.split(b":")[1]) for line in head.lower().split(b"\r\n") if line.startswith(b"content-length")
        )
        return head + await asyncio.wait_for(self.reader.readexactly(length), 20)

    def close(self) -> None:
        self.writer.close()
