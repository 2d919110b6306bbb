"""Terminal, files, text browser and visual browser of a session are one computer, also after sleep and restart."""

from __future__ import annotations

import re
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest
from aiohttp import web

from bot.heard import Thread
from bot.machines import Machines, SessionComputer, Yard
from bot.store import Blobs, EgressRow
from sandbox.browser import Act, Browser, Browsers, View
from sandbox.bubblewrap import BubblewrapBackend, Settings
from sandbox.egress.address import Addresses
from sandbox.egress.authority import Authority
from sandbox.egress.types import EgressResponse
from sandbox.egress.upstream import Upstream
from sandbox.files_as_text import machine_text
from sandbox.reader import read

pytestmark = [pytest.mark.slow, pytest.mark.timeout(240)]

MACHINE_ENV = Path(__file__).parents[2] / ".venv-machine"
FORM = (
    "<form method=post enctype=multipart/form-data><input type=file name=f aria-label=File><button>Send</button></form>"
)
SCRIPTED = (
    "<title>Live</title><p id=p></p><script>setTimeout(() => { p.textContent = 'Drawn by a script.' }, 50)</script>"
)


async def signs_in(request: web.Request) -> web.StreamResponse:
    """Signs in as whoever is named."""
    name = request.query["as"]
    answer = web.Response(text=f"<h1>Welcome {name}</h1>", content_type="text/html")
    answer.set_cookie("who", name, max_age=3600)
    return answer


async def says_who(request: web.Request) -> web.StreamResponse:
    return web.Response(text=f"<p>You are {request.cookies.get('who', 'nobody')}.</p>", content_type="text/html")


async def offers(request: web.Request) -> web.StreamResponse:
    if "get" in request.query:
        headers = {"content-disposition": "attachment; filename=prices.csv"}
        return web.Response(body=b"item,price\npear,3\n", headers=headers)
    return web.Response(text="<a href='/file?get=1'>prices.csv</a>", content_type="text/html")


async def takes(request: web.Request) -> web.StreamResponse:
    if request.method == "GET":
        return web.Response(text=FORM, content_type="text/html")
    part = (await request.post())["f"]
    assert isinstance(part, web.FileField)
    return web.Response(text=f"<p>Got {part.filename}: {part.file.read().decode()}</p>", content_type="text/html")


async def draws(request: web.Request) -> web.StreamResponse:
    return web.Response(text=SCRIPTED, content_type="text/html")


@asynccontextmanager
async def shop() -> AsyncGenerator[int]:
    """A site on loopback; its port."""
    app = web.Application()
    app.router.add_get("/in", signs_in)
    app.router.add_get("/me", says_who)
    app.router.add_get("/file", offers)
    app.router.add_route("*", "/form", takes)
    app.router.add_get("/live", draws)
    runner = web.AppRunner(app, access_log=None)
    await runner.setup()
    try:
        await web.TCPSite(runner, "127.0.0.1", 0, shutdown_timeout=0.1).start()
        yield int(runner.addresses[0][1])
    finally:
        await runner.cleanup()


@dataclass
class Desk:
    """One session's computer and the site it works with."""

    computer: SessionComputer
    site: str

    async def browser(self) -> Browser:
        machine = await self.computer.machine()
        assert isinstance(machine, Browsers)
        return machine.browser()

    async def go(self, path: str) -> View:
        view = await (await self.browser()).act(Act("goto", url=self.site + path))
        assert view.ok, view.note
        return view

    async def ref(self, pattern: str) -> str:
        view = await (await self.browser()).act(Act("outline"))
        found = re.search(rf"{pattern}.*?\[(e\d+)\]", view.outline)
        assert found, view.outline
        return found[1]

    async def text(self, path: str) -> str:
        return (await read(await self.computer.fetch(self.site + path))).text

    async def shell(self, command: str) -> str:
        return (await (await self.computer.machine()).exec(command, timeout=30)).text


@asynccontextmanager
async def desk(folder: Path, port: int) -> AsyncGenerator[Desk]:
    """The bot's machines, as one process of it has them."""

    async def resolve(host: str, port: int) -> tuple[str, ...]:
        del host, port
        return ("127.0.0.1",)

    async def record(session: str, row: EgressRow) -> None:
        del session, row

    backend = BubblewrapBackend(Settings(folder / "state", machine_env=MACHINE_ENV))
    upstream = Upstream(Addresses(frozenset({f"shop.test:{port}"}), resolve))
    yard = Yard(backend, upstream, Authority(folder / "ca"), Blobs(folder / "blobs"), record, folder / "homes")
    machines = Machines(yard)
    try:
        yield Desk(machines(Thread("fake", "w", "c", "1")), f"http://shop.test:{port}")
    finally:
        await machines.close()


async def shares(here: Desk, name: str) -> None:
    """What one of the four does, the others see."""
    assert f"Welcome {name}" in (await here.go(f"/in?as={name}")).outline
    assert f"You are {name}." in await here.text("/me")
    assert f"Welcome {name}2" in await here.text(f"/in?as={name}2")
    assert f"You are {name}2." in (await here.go("/me")).outline
    await here.go("/file")
    browser = await here.browser()
    got = await browser.act(Act("download", ref=await here.ref('link "prices.csv')))
    assert "pear,3" in await here.shell(f"cat '{got.arrived[0].path}'")
    await here.shell(f"printf 'from {name}' > note.txt")
    await here.go("/form")
    await browser.act(Act("upload", ref=await here.ref("file input"), files=("note.txt",)))
    await browser.act(Act("click", ref=await here.ref('button "Send')))
    [held] = here.computer.take_held()
    await here.computer.send(held)
    view = await browser.act(Act("wait", text="Got note.txt", seconds=20))
    assert f"Got note.txt: from {name}" in (view.outline or view.changed), view


async def still_there(here: Desk, name: str) -> None:
    """What was left is there again: the file, the sign-in, the page that was open."""
    assert await here.shell("cat note.txt") == f"from {name}"
    assert f"You are {name}2." in await here.text("/me")
    view = await (await here.browser()).act(Act("outline"))
    assert view.url == here.site + "/me"


async def test_the_four_share_one_state_through_sleep_and_restart(tmp_path: Path) -> None:
    async with shop() as port:
        async with desk(tmp_path, port) as here:
            for name in ("ann", "bea"):
                await shares(here, name)
                await here.go("/me")
                await here.computer.rest()
                await still_there(here, name)
        async with desk(tmp_path, port) as again:
            await still_there(again, "bea")
            await shares(again, "cleo")


MADE = """
from docx import Document; from openpyxl import Workbook; from pptx import Presentation
word = Document(); word.add_heading('Plan', 1); word.add_paragraph('Buy pears.'); word.save('a.docx')
book = Workbook(); book.active.append(['pear', 3]); book.save('a.xlsx')
deck = Presentation(); deck.slides.add_slide(deck.slide_layouts[5]).shapes.title.text = 'Pears'; deck.save('a.pptx')
"""


@pytest.mark.parametrize(
    ("kind", "said"), [("docx", "# Plan\nBuy pears."), ("xlsx", "pear | 3"), ("pptx", "## Slide 1\nPears")]
)
async def test_office_files_are_read_as_text(tmp_path: Path, kind: str, said: str) -> None:
    async with desk(tmp_path, 1) as here:
        machine = await here.computer.machine()
        await machine.write("make.py", MADE.encode())
        await here.shell("python3 make.py")
        body = await machine.read(f"a.{kind}")
        page = await read(EgressResponse(200, (), body, f"http://shop.test/a.{kind}"), machine_text(machine))
        assert said in page.text


async def test_a_page_that_needs_its_scripts_is_read_after_them_and_can_be_gone_on_with(tmp_path: Path) -> None:
    async with shop() as port, desk(tmp_path, port) as here:
        await here.go("/me")
        page = await read(await here.computer.fetch(here.site + "/live"))
        assert page.bare
        drawn = await read(await here.computer.render(here.site + "/live"))
        assert "Drawn by a script." in drawn.text
        view = await (await here.browser()).act(Act("outline"))
        assert (view.url, len(view.tabs)) == (here.site + "/me", 1)
        assert "Drawn by a script." in (await here.go("/live")).outline
