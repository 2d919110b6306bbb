"""Sending one request to the host it names, and nothing else.

Hides connections, TLS and HTTP towards the outside. There is one connection per request, to an address that was
checked, and no retry: a request that was sent once is never sent again.
"""

from __future__ import annotations

import asyncio
import contextlib
import ssl
import zlib
from collections.abc import AsyncIterator
from dataclasses import dataclass

import h11

from .address import Addresses
from .types import EgressRequest, EgressResponse, Unreachable
from .wire import Wire, end_to_end

RESPONSE_MAX = 32 * 1024 * 1024


@dataclass(frozen=True, slots=True)
class Timing:
    """Seconds to connect, and without a byte from the other side."""

    connect: float = 15.0
    idle: float = 60.0


@dataclass(frozen=True, slots=True)
class Answer:
    """A response whose body is still to be read. Close it in any case."""

    status: int
    reason: bytes
    headers: tuple[tuple[str, str], ...]
    address: str
    wire: Wire

    async def chunks(self) -> AsyncIterator[bytes]:
        """The body as it comes, as sent (content encodings are left as they are)."""
        try:
            while True:
                event = await self.wire.event()
                if isinstance(event, h11.Data):
                    yield bytes(event.data)
                else:
                    return
        except (h11.RemoteProtocolError, TimeoutError, OSError) as error:
            raise Unreachable(f"The answer broke off: {plainly(error)}", maybe_sent=True) from error

    def close(self) -> None:
        self.wire.close()


class Upstream:
    """Where requests are sent from. trust: whose certificates are believed; None for the system's."""

    def __init__(
        self, addresses: Addresses, *, trust: ssl.SSLContext | None = None, timing: Timing | None = None
    ) -> None:
        self._addresses = addresses
        self._trust = trust or ssl.create_default_context()
        self._timing = timing or Timing()

    async def open(self, request: EgressRequest) -> Answer:
        """Send a request and return its answer's head. AddressRefused, Unreachable."""
        addresses = await self._addresses.find(request.host, request.port)
        address, wire = await self._connect(request, addresses)
        try:
            await wire.send(head(request), h11.Data(data=request.body), h11.EndOfMessage())
            while True:
                event = await wire.event()
                if isinstance(event, h11.Response):
                    headers = end_to_end(list(event.headers))
                    return Answer(event.status_code, event.reason, headers, address, wire)
                if not isinstance(event, h11.InformationalResponse) or event.status_code == 101:
                    raise h11.RemoteProtocolError("no answer")
        except (h11.ProtocolError, TimeoutError, OSError) as error:
            wire.close()
            message = f"{request.host} gave no answer: {plainly(error)}"
            raise Unreachable(message, maybe_sent=True) from error
        except BaseException:
            wire.close()
            raise

    async def send(self, request: EgressRequest, *, limit: int = RESPONSE_MAX) -> EgressResponse:
        """Send a request once, without asking anybody, and read its answer up to `limit` bytes.

        For requests that were judged: a held write that a person agreed to, or a page to fetch.
        AddressRefused, Unreachable (`maybe_sent` says whether it may have taken effect).
        """
        answer = await self.open(request)
        try:
            body, truncated = bytearray(), False
            async for chunk in answer.chunks():
                body += chunk[: limit - len(body)]
                if len(body) >= limit:
                    truncated = True
                    break
        finally:
            answer.close()
        encoding = next((value for name, value in answer.headers if name == "content-encoding"), "")
        decoded, cut = decode(bytes(body), encoding, limit)
        return EgressResponse(answer.status, answer.headers, decoded, request.url, truncated or cut)

    async def _connect(self, request: EgressRequest, addresses: tuple[str, ...]) -> tuple[str, Wire]:
        secure = request.url.startswith("https:")
        why = ""
        for address in addresses[:4]:
            try:
                streams = await asyncio.wait_for(
                    asyncio.open_connection(
                        address,
                        request.port,
                        ssl=self._trust if secure else None,
                        server_hostname=request.host if secure else None,
                    ),
                    self._timing.connect,
                )
                return address, Wire(h11.CLIENT, streams, self._timing.idle)
            except (OSError, TimeoutError) as error:
                why = plainly(error)
        raise Unreachable(f"{request.host} port {request.port} could not be reached: {why}")


def head(request: EgressRequest) -> h11.Request:
    """The request line and headers as sent: our own Host and framing, one request per connection."""
    target = request.url.split("/", 3)[3] if request.url.count("/") > 2 else ""
    default = 443 if request.url.startswith("https:") else 80
    shown = f"[{request.host}]" if ":" in request.host else request.host
    host = shown if request.port == default else f"{shown}:{request.port}"
    headers = [("host", host), ("connection", "close")]
    headers += [(n, v) for n, v in request.headers if n not in ("host", "connection", "content-length", "expect")]
    if request.body or request.method in ("POST", "PUT", "PATCH"):
        headers.append(("content-length", str(len(request.body))))
    return h11.Request(method=request.method, target=f"/{target}", headers=headers)


def decode(body: bytes, encoding: str, limit: int) -> tuple[bytes, bool]:
    """Undo gzip or deflate, to at most `limit` bytes (a small body can unpack to a huge one)."""
    match encoding.strip().lower():
        case "gzip" | "x-gzip":
            windows = [31]
        case "deflate":
            windows = [15, -15]
        case _:
            return body, False
    for window in windows:
        with contextlib.suppress(zlib.error):
            unpacking = zlib.decompressobj(window)
            unpacked = unpacking.decompress(body, limit)
            return unpacked, bool(unpacking.unconsumed_tail)
    return body, False


def plainly(error: BaseException) -> str:
    """An error in words a person can use."""
    match error:
        case ssl.SSLCertVerificationError():
            return f"its certificate is not valid ({error.verify_message})."
        case TimeoutError():
            return "it took too long."
        case ConnectionRefusedError():
            return "the connection was refused."
        case ssl.SSLError():
            return "no secure connection could be made."
        case OSError():
            return f"{error.strerror or 'the connection broke'}."
        case _:
            return "it did not speak HTTP properly."
