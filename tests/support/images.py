"""A faithful server of the image API on loopback: one drawn PNG for each well-formed request."""

from __future__ import annotations

import base64
import struct
import zlib
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

from aiohttp import web

KEY = "sk-test-not-real"
SIZES = ("1024x1024", "1536x1024", "1024x1536", "auto")


def png(width: int = 2, height: int = 2) -> bytes:
    """A small picture, all grey."""

    def chunk(kind: bytes, data: bytes) -> bytes:
        return struct.pack("!I", len(data)) + kind + data + struct.pack("!I", zlib.crc32(kind + data))

    rows = b"".join(b"\0" + bytes([128]) * width for _ in range(height))
    head = struct.pack("!IIBBBBB", width, height, 8, 0, 0, 0, 0)
    body = chunk(b"IHDR", head) + chunk(b"IDAT", zlib.compress(rows)) + chunk(b"IEND", b"")
    return b"\x89PNG\r\n\x1a\n" + body


@dataclass
class ImageServer:
    """`asked`: what was asked for. `broken`: an answer to give instead, with its status."""

    url: str = ""
    asked: list[dict[str, Any]] = field(default_factory=list[dict[str, Any]])
    broken: tuple[int, bytes] | None = None

    async def generate(self, request: web.Request) -> web.Response:
        if request.headers.get("Authorization") != f"Bearer {KEY}":
            return web.json_response({"error": {"message": "Incorrect API key provided"}}, status=401)
        body: dict[str, Any] = await request.json()
        self.asked.append(body)
        if self.broken is not None:
            return web.Response(status=self.broken[0], body=self.broken[1])
        if not body.get("prompt") or body.get("size") not in SIZES or body.get("n") != 1 or not body.get("model"):
            return web.json_response({"error": {"message": "Invalid request"}}, status=400)
        usage = {"input_tokens": 1000, "output_tokens": 10_000, "total_tokens": 11_000}
        data = [{"b64_json": base64.b64encode(png()).decode()}]
        return web.json_response({"created": 1_700_000_000, "data": data, "usage": usage})


@asynccontextmanager
async def image_server() -> AsyncGenerator[ImageServer]:
    """One server, gone at the end."""
    server = ImageServer()
    app = web.Application()
    app.router.add_post("/v1/images/generations", server.generate)
    runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.1)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    server.url = f"http://127.0.0.1:{runner.addresses[0][1]}/v1"
    try:
        yield server
    finally:
        await runner.cleanup()
