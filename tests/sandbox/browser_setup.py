"""A real machine with its browser, behind a real gate, and a site on loopback that it may reach."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path

from aiohttp import web

from sandbox.browser import Act, Browser, View
from sandbox.bubblewrap import BubblewrapBackend, Settings
from sandbox.egress.address import Addresses
from sandbox.egress.authority import Authority
from sandbox.egress.gate import Gate, Rules
from sandbox.egress.types import Allow, EgressRecord, EgressRequest, Verdict
from sandbox.egress.upstream import Timing, Upstream
from sandbox.machine import GuestMachine
from sandbox.types import EgressPort, Limits, MachineSpec
from tests.support.origin import trusting

MACHINE_ENV = Path(__file__).parents[2] / ".venv-machine"
LIMITS = Limits(memory_bytes=3 * 1024**3, processes=400, disk_bytes=512 * 1024**2)


@dataclass(slots=True)
class Site:
    """https://shop.test: pages by path; what was sent to it."""

    pages: dict[str, str]
    port: int = 0
    posted: list[tuple[str, dict[str, str]]] = field(default_factory=list[tuple[str, dict[str, str]]])
    cookies: list[str] = field(default_factory=list[str])

    def url(self, path: str) -> str:
        return f"https://shop.test:{self.port}{path}"

    async def answer(self, request: web.Request) -> web.StreamResponse:
        self.cookies.append(request.headers.get("cookie", ""))
        if request.method == "POST":
            form = {name: content(value) for name, value in (await request.post()).items()}
            self.posted.append((request.path, form))
            return web.Response(text="<h1>Thank you</h1>", content_type="text/html")
        if request.path == "/report.csv":
            disposition = {"content-disposition": 'attachment; filename="report.csv"'}
            return web.Response(text="a,b\n1,2\n", content_type="text/csv", headers=disposition)
        body = self.pages.get(request.path, "<title>Elsewhere</title><h1>Elsewhere</h1>")
        return web.Response(text=f"<!doctype html><html lang=en>{body}", content_type="text/html")


def content(value: object) -> str:
    """A form field's text, or an uploaded file as name:content."""
    if isinstance(value, web.FileField):
        return f"{value.filename}:{value.file.read().decode()}"
    return str(value)


@dataclass(frozen=True, slots=True)
class Rig:
    site: Site
    backend: BubblewrapBackend
    spec: MachineSpec
    machine: GuestMachine

    @property
    def browser(self) -> Browser:
        return self.machine.browser()

    async def open(self, path: str) -> View:
        view = await self.browser.act(Act("goto", url=self.site.url(path)))
        assert view.ok, view.note
        return view

    async def ref(self, words: str) -> str:
        """The ref on the first line of the outline that holds `words`."""
        view = await self.browser.act(Act("outline"))
        line = next((line for line in view.outline.splitlines() if words in line and "[e" in line), None)
        assert line is not None, f"{words!r} is not in:\n{view.outline}"
        return "e" + line.rpartition("[e")[2].partition("]")[0]

    async def shows(self, words: str) -> bool:
        return words in (await self.browser.act(Act("outline"))).outline

    async def set_date(self, words: str, date: str, end: str = "") -> View:
        return await self.browser.act(Act("set_date", ref=await self.ref(words), date=date, end=end))


async def allow(request: EgressRequest) -> Verdict:
    return Allow()


async def forget(record: EgressRecord) -> None:
    return None


async def loopback(host: str, port: int) -> tuple[str, ...]:
    if host != "shop.test":
        raise OSError("no such name")
    return ("127.0.0.1",)


@asynccontextmanager
async def rig(folder: Path, pages: dict[str, str]) -> AsyncGenerator[Rig]:
    site = Site(pages)
    authority, trust = trusting(folder / "site")
    app = web.Application(client_max_size=8 * 1024**2)
    app.router.add_route("*", "/{path:.*}", site.answer)
    runner = web.AppRunner(app, access_log=None)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0, ssl_context=authority.context("shop.test"), shutdown_timeout=0.1).start()
    site.port = int(runner.addresses[0][1])
    ours, socket = Authority(folder / "gate"), folder / "g" / "gate.sock"
    addresses = Addresses(frozenset({"shop.test", f"shop.test:{site.port}"}), loopback)
    gate = Gate(
        socket, ours, Upstream(addresses, trust=trust, timing=Timing(connect=20, idle=60)), Rules("s", allow, forget)
    )
    await gate.start()
    backend = BubblewrapBackend(Settings(folder / "state", MACHINE_ENV))
    spec = MachineSpec("s", folder / "homes" / "s", LIMITS, EgressPort(socket, ours.certificate))
    try:
        yield Rig(site, backend, spec, await backend.start(spec))
    finally:
        await backend.close()
        await gate.close()
        await runner.cleanup()
