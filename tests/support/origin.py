"""A web site on loopback, over HTTP or HTTPS, that remembers what reached it.

Its certificate comes from an authority of the test's own, so nothing on this host trusts it by accident.
"""

from __future__ import annotations

import gzip
import ssl
from collections.abc import AsyncGenerator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import parse_qs

from aiohttp import web

from sandbox.egress.authority import Authority


@dataclass(frozen=True, slots=True)
class Visit:
    method: str
    path: str
    host: str
    headers: dict[str, str]
    body: bytes


@dataclass(slots=True)
class Origin:
    """port: where it listens on 127.0.0.1. visits: all requests that arrived, in order."""

    name: str
    scheme: str
    port: int = 0
    visits: list[Visit] = field(default_factory=list[Visit])

    def url(self, path: str = "/") -> str:
        return f"{self.scheme}://{self.name}:{self.port}{path}"

    def writes(self) -> list[Visit]:
        return [visit for visit in self.visits if visit.method not in ("GET", "HEAD", "OPTIONS")]

    async def answer(self, request: web.Request) -> web.StreamResponse:
        body = await request.read()
        headers = {name.lower(): value for name, value in request.headers.items()}
        visit = Visit(request.method, request.path_qs, request.host, headers, body)
        self.visits.append(visit)
        return await ROUTES.get(request.path, page)(request)


async def page(request: web.Request) -> web.StreamResponse:
    return web.Response(text=f"<title>Shop</title><p>Hello from {request.path}</p>", content_type="text/html")


async def zipped(request: web.Request) -> web.StreamResponse:
    return web.Response(body=gzip.compress(b"unpacked"), headers={"content-encoding": "gzip"})


async def bomb(request: web.Request) -> web.StreamResponse:
    return web.Response(body=gzip.compress(bytes(20_000_000)), headers={"content-encoding": "gzip"})


async def redirect(request: web.Request) -> web.StreamResponse:
    target = parse_qs(request.query_string)["to"][0]
    return web.Response(status=302, headers={"location": target})


async def streamed(request: web.Request) -> web.StreamResponse:
    response = web.StreamResponse()
    await response.prepare(request)
    for number in range(50):
        await response.write(f"{number}\n".encode() * 1000)
    await response.write_eof()
    return response


async def large(request: web.Request) -> web.StreamResponse:
    return web.Response(body=bytes(3_000_000))


async def cut(request: web.Request) -> web.StreamResponse:
    response = web.StreamResponse(headers={"content-length": "100000"})
    await response.prepare(request)
    await response.write(b"only a part")
    if request.transport is not None:
        request.transport.close()
    return response


async def mute(request: web.Request) -> web.StreamResponse:
    if request.transport is not None:
        request.transport.close()
    return web.Response()


Route = Callable[[web.Request], "object"]
ROUTES = {
    "/zipped": zipped,
    "/bomb": bomb,
    "/redirect": redirect,
    "/streamed": streamed,
    "/large": large,
    "/cut": cut,
    "/mute": mute,
}


@asynccontextmanager
async def origin(name: str, authority: Authority | None = None) -> AsyncGenerator[Origin]:
    """A site called `name` (an address is given to the name by the test's resolver). With an authority it
    speaks HTTPS."""
    site = Origin(name, "https" if authority else "http")
    app = web.Application(client_max_size=32 * 1024**2)
    app.router.add_route("*", "/{path:.*}", site.answer)
    runner = web.AppRunner(app, access_log=None)
    await runner.setup()
    context = authority.context(name) if authority else None
    tcp = web.TCPSite(runner, "127.0.0.1", 0, ssl_context=context, shutdown_timeout=0.1)
    await tcp.start()
    site.port = int(runner.addresses[0][1])
    try:
        yield site
    finally:
        await runner.cleanup()


def trusting(folder: Path) -> tuple[Authority, ssl.SSLContext]:
    """An authority for sites, and a client's trust in it."""
    authority = Authority(folder)
    return authority, ssl.create_default_context(cafile=str(authority.certificate))
