"""Pages with calendars that nobody here wrote: real libraries, each made into a date field by a few lines of ours in
calendars/, bundled when the tests begin and served on loopback."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any
from urllib.parse import quote

from aiohttp import web

SOURCES = Path(__file__).with_name("calendars")
INSTALLED = Path(__file__).parents[2] / ".setup" / "calendars" / "node_modules"
SHARED = {"common", "jquery"}
PAGE = """<!doctype html><html lang={locale} dir={direction}><meta charset=utf-8><title>{library}</title>
<link rel=icon href=data:,>{style}<body><h1>Book a table</h1><p>Lunch is served from 11 to 14.</p><form id=root></form>
<script>window.given = {given}; root.onsubmit = () => false</script><script src=/{library}.js></script>"""


def libraries() -> list[str]:
    return sorted({path.stem for path in SOURCES.glob("*.js*") if path.suffix != ".json"} - SHARED)


def versions() -> dict[str, str]:
    """The fixed version of every package a page stands on."""
    return dict(json.loads((SOURCES / "package.json").read_text())["dependencies"])


async def bundle(folder: Path) -> None:
    """Make one script, and one style sheet, of each library's page."""
    program = next(INSTALLED.glob("@esbuild/*/bin/esbuild"), None)
    assert program, "The calendars are not there: run deploy/setup.sh test"
    sources = [str(path) for path in SOURCES.glob("*.js*") if path.suffix != ".json"]
    production = """--define:process.env.NODE_ENV="production" --bundle --log-level=warning"""
    images = [f"--loader:.{kind}=dataurl" for kind in ("png", "gif", "svg")]
    process = await asyncio.create_subprocess_exec(
        program, *sources, *production.split(), *images, f"--outdir={folder}", env={"NODE_PATH": str(INSTALLED)}
    )
    assert await process.wait() == 0, "The pages could not be bundled."


def path_of(library: str, locale: str, given: dict[str, Any]) -> str:
    return f"/on/{library}?given={quote(json.dumps({'locale': locale, **given}))}"


@asynccontextmanager
async def served(folder: Path) -> AsyncGenerator[str]:
    """The pages' address while they are served."""
    await bundle(folder)

    async def page(request: web.Request) -> web.StreamResponse:
        library, given = request.match_info["library"], request.query["given"]
        locale = str(json.loads(given)["locale"])
        direction = "rtl" if locale.startswith("ar") else "ltr"
        sheet = (folder / f"{library}.css").exists()
        style = f"<link rel=stylesheet href=/{library}.css>" if sheet else ""
        text = PAGE.format(locale=locale, direction=direction, library=library, style=style, given=given)
        return web.Response(text=text, content_type="text/html")

    app = web.Application()
    app.router.add_get("/on/{library}", page)
    app.router.add_static("/", folder)
    runner = web.AppRunner(app, access_log=None)
    await runner.setup()
    try:
        await web.TCPSite(runner, "127.0.0.1", 0, shutdown_timeout=0.1).start()
        yield f"http://127.0.0.1:{runner.addresses[0][1]}"
    finally:
        await runner.cleanup()
