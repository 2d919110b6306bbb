"""A browser's form waits at the gate for a person, and its page goes on with the answer."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path

from bot.entries import HeldWrite
from bot.floor import Floor
from bot.store import Blobs, EgressRow
from bot.wayout import Outside, WayOut
from sandbox.egress.address import Addresses
from sandbox.egress.authority import Authority
from sandbox.egress.upstream import Upstream
from tests.support.origin import Origin, origin
from tests.support.waiting import until

BROWSER = "sec-fetch-mode: navigate\r\n"


@dataclass
class Desk:
    """One way out and a site behind it."""

    way: WayOut
    site: Origin
    rows: list[EgressRow] = field(default_factory=list[EgressRow])

    async def post(self, path: str, body: str, headers: str = BROWSER) -> str:
        """What a program reads that sends this through the gate."""
        reader, writer = await asyncio.open_unix_connection(str(self.way.socket))
        common = "content-type: application/x-www-form-urlencoded\r\nconnection: close\r\n"
        own = f"host: 127.0.0.1:{self.site.port}\r\ncontent-length: {len(body)}\r\n"
        writer.write(f"POST {self.site.url(path)} HTTP/1.1\r\n{headers}{common}{own}\r\n{body}".encode())
        answer = await reader.read()
        writer.close()
        return answer.decode()

    async def held(self) -> HeldWrite:
        """What the gate keeps."""
        found: list[HeldWrite] = []

        def kept() -> bool:
            found.extend(self.way.take_held())
            return bool(found)

        await until(kept)
        return found[0]


@asynccontextmanager
async def desk(folder: Path) -> AsyncGenerator[Desk]:
    async with origin("127.0.0.1") as site:
        rows: list[EgressRow] = []

        async def record(session: str, row: EgressRow) -> None:
            del session
            rows.append(row)

        upstream = Upstream(Addresses(frozenset({f"127.0.0.1:{site.port}"})))
        outside = Outside(upstream, Authority(folder / "ca"), Blobs(folder / "blobs"), record)
        way = WayOut("s1", outside, folder / "gate", Floor())
        await way.open()
        try:
            yield Desk(way, site, rows)
        finally:
            await way.close()


async def test_a_page_gets_the_answer_once_a_person_agreed(tmp_path: Path) -> None:
    async with desk(tmp_path) as here:
        page = asyncio.create_task(here.post("/orders", "item=blue"))
        held = await here.held()
        assert held.shown == "item: blue"
        assert held.whole
        assert here.site.writes() == []
        await until(lambda: [row.verdict for row in here.rows] == ["held"])
        sent = await here.way.send(held)
        assert sent.status == 200
        assert "Hello from /orders" in await page
        assert [visit.body for visit in here.site.writes()] == [b"item=blue"]
        assert [row.verdict for row in here.rows] == ["held", "sent"]


async def test_a_page_is_told_when_nobody_agrees(tmp_path: Path) -> None:
    async with desk(tmp_path) as here:
        page = asyncio.create_task(here.post("/orders", "item=blue"))
        here.way.drop(await here.held(), "Maria said no.")
        answer = await page
        assert answer.startswith("HTTP/1.1 403")
        assert "was not sent: Maria said no." in answer
        assert here.site.writes() == []


async def test_any_other_program_is_answered_at_once(tmp_path: Path) -> None:
    async with desk(tmp_path) as here:
        answer = await here.post("/orders", "item=blue", "user-agent: curl/7\r\n")
        assert "put to the person for a yes" in answer
        assert (await here.held()).shown == "item: blue"


async def test_a_page_that_waits_when_the_machine_closes_is_let_go(tmp_path: Path) -> None:
    async with desk(tmp_path) as here:
        page = asyncio.create_task(here.post("/orders", "item=blue"))
        held = await here.held()
        await here.way.close()
        await page
        await here.way.send(held)
        assert len(here.site.writes()) == 1
