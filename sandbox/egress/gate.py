"""The gate of one session: a proxy on a Unix socket through which everything leaves the machine.

Hides proxying. Programs inside see an ordinary HTTP proxy; the gate opens TLS, so every request is judged as a
whole, however it was sent. A write is read to its end before it is judged, and never sent while it is held.
"""

from __future__ import annotations

import asyncio
import contextlib
import dataclasses
import os
import socket
import ssl
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import h11

from . import urls
from .authority import Authority
from .types import (
    BODY_MAX,
    AddressRefused,
    Allow,
    EgressError,
    EgressRecord,
    EgressRequest,
    EgressResponse,
    Hold,
    Judge,
    Record,
    Refuse,
    Unreachable,
    Verdict,
)
from .upstream import Answer, Upstream
from .wire import Wire, end_to_end

HELD = (
    "This request changes something outside the machine and was put to the person for a yes: it will be sent "
    "exactly as it is when they agree. Do not repeat it."
)
TOO_LARGE = f"What is sent may have at most {BODY_MAX // 2**20} MiB. Send less, or in parts."
UPGRADE = "Only plain HTTP requests can pass; WebSocket and other protocols cannot. Use the site's HTTP interface."
CONNECTIONS_MAX = 64
LINGER = 3.0
SOCKET_PATH_MAX = 107

Streams = tuple[asyncio.StreamReader, asyncio.StreamWriter]


@dataclass(frozen=True, slots=True)
class Rules:
    """Whose gate it is, who decides, where it is written down, and the most bytes of one answer."""

    session_id: str
    judge: Judge
    record: Record
    answer_max: int = 512 * 1024 * 1024
    idle: float = 60.0


@dataclass(frozen=True, slots=True)
class Tunnel:
    """What a CONNECT fixed: all requests in it go there, over TLS or as they are."""

    host: str
    port: int
    secure: bool = True


class Refused(Exception):
    """An answer in words instead of the outside's."""

    def __init__(self, status: int, words: str, outcome: Literal["refused", "held", "failed"] = "refused") -> None:
        super().__init__(words)
        self.status = status
        self.outcome: Literal["refused", "held", "failed"] = outcome


def in_words(error: EgressError) -> Refused:
    if isinstance(error, AddressRefused):
        return Refused(403, str(error))
    return Refused(502, str(error), "failed")


class Gate:
    """One session's gate. `start` listens on `socket`, `close` ends it and all its connections."""

    def __init__(self, socket: Path, authority: Authority, upstream: Upstream, rules: Rules) -> None:
        self._socket = socket
        self._authority = authority
        self._upstream = upstream
        self._rules = rules
        self._connections: set[asyncio.Task[None]] = set()
        self._server: asyncio.Server | None = None

    async def start(self) -> None:
        self._socket.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        self._socket.unlink(missing_ok=True)
        if len(os.fsencode(self._socket)) > SOCKET_PATH_MAX:
            raise ValueError(f"{self._socket} is too long for a socket. Choose a shorter THREADHAND_DATA_DIR.")
        self._server = await asyncio.start_unix_server(self._accept, str(self._socket))
        # The machine's users have other ids; on the host the folder keeps strangers away.
        self._socket.chmod(0o666)

    async def close(self) -> None:
        if self._server:
            self._server.close()
        for task in self._connections:
            task.cancel()
        if self._connections:
            await asyncio.wait(self._connections)
        self._socket.unlink(missing_ok=True)

    async def _accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        if task is None or len(self._connections) >= CONNECTIONS_MAX:
            writer.close()
            return
        self._connections.add(task)
        try:
            await self._converse((reader, writer))
        except (h11.ProtocolError, OSError, TimeoutError, asyncio.IncompleteReadError, asyncio.CancelledError):
            return  # also when the gate closes: nobody waits for this task
        finally:
            self._connections.discard(task)
            writer.close()

    async def _converse(self, streams: Streams) -> None:
        """Plain requests one after the other, or one tunnel."""
        wire = Wire(h11.SERVER, streams, self._rules.idle)
        while True:
            event = await self._next(wire)
            if not isinstance(event, h11.Request):
                return
            if event.method != b"CONNECT":
                if not await self._serve(wire, event, None):
                    return
                continue
            tunnel = await self._tunnel(wire, event)
            if tunnel is not None:
                await self._inside(streams, tunnel)
            return

    async def _tunnel(self, wire: Wire, event: h11.Request) -> Tunnel | None:
        """Agree to a CONNECT. Whether its host may be reached is said inside, where programs show the words."""
        try:
            tunnel = Tunnel(*urls.authority(event.target.decode("latin-1"), 443))
        except AddressRefused as error:
            await say(wire, Refused(403, str(error)))
            return None
        while not isinstance(await wire.event(), h11.EndOfMessage):
            pass
        # What the program says next is for TLS: read before the handshake is set up, it would be lost.
        wire.pause()
        await wire.send(h11.Response(status_code=200, headers=[]))
        return tunnel

    async def _inside(self, streams: Streams, tunnel: Tunnel) -> None:
        tunnel = dataclasses.replace(tunnel, secure=await asyncio.wait_for(speaks_tls(streams[1]), self._rules.idle))
        wire = Wire(h11.SERVER, streams, self._rules.idle)
        with contextlib.suppress(ssl.SSLError):
            if tunnel.secure:
                context = self._authority.context(tunnel.host)
                await asyncio.wait_for(streams[1].start_tls(context), self._rules.idle)
            else:
                wire.resume()
            while isinstance(event := await self._next(wire), h11.Request):
                if not await self._serve(wire, event, tunnel):
                    return

    async def _next(self, wire: Wire) -> h11.Event | None:
        """The next request; None when the connection is over. Nonsense is answered, then it is over."""
        try:
            event = await wire.event()
        except h11.RemoteProtocolError as error:
            if wire.http.our_state in (h11.IDLE, h11.SEND_RESPONSE):
                await say(wire, Refused(error.error_status_hint, f"This is not a proper HTTP request: {error}"))
            return None
        return event if isinstance(event, h11.Request) else None

    async def _serve(self, wire: Wire, event: h11.Request, tunnel: Tunnel | None) -> bool:
        """Answer one request; whether the connection can carry another."""
        log = EgressRecord(self._rules.session_id, time.time(), event.method.decode("ascii"), "", "failed")
        begun, refused, later = time.monotonic(), None, None
        try:
            request = understood(event, tunnel)
            log = dataclasses.replace(log, url=request.url)
            request = dataclasses.replace(request, body=await body_of(wire))
            log = dataclasses.replace(log, sent=len(request.body), body_sha256=request.body_sha256)
            verdict = await self._rules.judge(request)
            if isinstance(verdict, Hold) and verdict.later is not None:
                later = verdict.later
                log = dataclasses.replace(log, outcome="held", reason=verdict.reason)
            else:
                refuse_unless_allowed(verdict)
                log = await self._pass_on(wire, request, log)
        except (Refused, EgressError) as error:
            refused = error if isinstance(error, Refused) else in_words(error)
            log = dataclasses.replace(log, outcome=refused.outcome, reason=str(refused))
        finally:
            await self._rules.record(dataclasses.replace(log, seconds=time.monotonic() - begun))
        if later is not None:
            refused = await hand_over(wire, await later())
        if refused is not None:
            await say(wire, refused)
        if wire.http.our_state is h11.DONE and wire.http.their_state is h11.DONE:
            wire.http.start_next_cycle()
            return True
        return False

    async def _pass_on(self, wire: Wire, request: EgressRequest, log: EgressRecord) -> EgressRecord:
        """Send it, and the answer back as it comes."""
        answer = await self._upstream.open(request)
        log = dataclasses.replace(log, status=answer.status, address=answer.address)
        received = 0
        try:
            refuse_if_larger(answer, self._rules.answer_max)
            headers = list(answer.headers)
            await wire.send(h11.Response(status_code=answer.status, headers=headers, reason=answer.reason))
            async for chunk in answer.chunks():
                received += len(chunk)
                if received > self._rules.answer_max:
                    raise ConnectionAbortedError("the answer is too large")
                await wire.send(h11.Data(data=chunk))
            with contextlib.suppress(OSError):
                # A program that has every byte may hang up before this, which adds none.
                await wire.send(h11.EndOfMessage())
        except Unreachable as error:
            if wire.http.our_state is not h11.SEND_BODY:
                raise
            # The head is out already: only breaking the connection tells the program that it was cut.
            raise ConnectionAbortedError(str(error)) from error
        finally:
            answer.close()
        return dataclasses.replace(log, outcome="sent", received=received)


async def speaks_tls(writer: asyncio.StreamWriter) -> bool:
    """Whether a paused connection's next byte begins TLS. It is only looked at: who reads on gets it."""
    loop = asyncio.get_running_loop()
    with socket.socket(fileno=os.dup(writer.get_extra_info("socket").fileno())) as peeked:
        ready: asyncio.Future[None] = loop.create_future()
        loop.add_reader(peeked, lambda: None if ready.done() else ready.set_result(None))
        try:
            await ready
        finally:
            loop.remove_reader(peeked)
        return peeked.recv(1, socket.MSG_PEEK) == b"\x16"


def refuse_unless_allowed(verdict: Verdict) -> None:
    """Raises Refused with what the program is to know."""
    match verdict:
        case Allow():
            return
        case Refuse(reason):
            raise Refused(403, f"This request was refused: {reason}")
        case Hold(_, reason):
            raise Refused(403, f"{HELD} ({reason})" if reason else HELD, "held")


async def hand_over(wire: Wire, came: EgressResponse | Refuse | None) -> Refused | None:
    """To a program that was left waiting: the answer to what was sent for it, or in words why there is none."""
    match came:
        case None:
            return Refused(403, HELD, "held")
        case Refuse(reason):
            return Refused(403, f"This request was not sent: {reason}")
        case EgressResponse(status, headers, body, _, truncated):
            if truncated:
                return Refused(502, "It was sent once. Its answer is too large to be shown here.")
            kept = [pair for pair in headers if pair[0] not in ("content-encoding", "content-length")]
            kept.append(("content-length", str(len(body))))
            await wire.send(h11.Response(status_code=status, headers=kept))
            await wire.send(h11.Data(data=body), h11.EndOfMessage())
            return None


def understood(event: h11.Request, tunnel: Tunnel | None) -> EgressRequest:
    """The request as it will be judged and sent; its Host must name the place it goes to."""
    target = event.target.decode("latin-1")
    if is_upgrade(event):
        raise Refused(501, UPGRADE)
    if {b"content-length", b"transfer-encoding"} <= {name for name, _ in event.headers}:
        raise Refused(400, "A request has either a Content-Length or a Transfer-Encoding, not both.")
    if tunnel is None:
        if not target.startswith("http://"):
            raise Refused(400, "This is a proxy: ask it for absolute http:// URLs, or CONNECT for https.")
        url = target
    else:
        if not target.startswith("/") and target != "*":
            raise Refused(400, "Inside a tunnel, ask for a path that begins with /.")
        host = f"[{tunnel.host}]" if ":" in tunnel.host else tunnel.host
        url = f"{'https' if tunnel.secure else 'http'}://{host}:{tunnel.port}{'/' if target == '*' else target}"
    headers = end_to_end(list(event.headers))
    request = urls.request(event.method.decode("ascii"), url)
    named = next((value for name, value in headers if name == "host"), None)
    default = 443 if tunnel is not None and tunnel.secure else 80
    if named is not None and urls.authority(named, default) != (request.host, request.port):
        raise Refused(400, f"The Host header says {named!r}, but the request goes to {request.host}.")
    kept = tuple((name, value) for name, value in headers if name not in ("host", "content-length", "expect"))
    return dataclasses.replace(request, headers=kept)


def is_upgrade(event: h11.Request) -> bool:
    """WebSocket and the like; an offer of HTTP/2 may be ignored, as by any server that lacks it."""
    offers = {value.lower() for name, value in event.headers if name == b"upgrade"}
    return bool(offers - {b"h2c"})


async def body_of(wire: Wire) -> bytes:
    """The whole body. Refused when it is too large."""
    body = bytearray()
    if wire.http.they_are_waiting_for_100_continue:
        await wire.send(h11.InformationalResponse(status_code=100, headers=[]))
    while isinstance(event := await wire.event(), h11.Data):
        body += event.data
        if len(body) > BODY_MAX:
            raise Refused(413, TOO_LARGE)
    return bytes(body)


def refuse_if_larger(answer: Answer, limit: int) -> None:
    length = next((value for name, value in answer.headers if name == "content-length"), "0")
    if int(length) > limit:
        raise Refused(502, f"The answer has {int(length):,} bytes, more than the {limit:,} that may pass.")


async def say(wire: Wire, refused: Refused) -> None:
    """Answer in words, then close: whatever else was sent on this connection is not read."""
    words = f"{refused}\n".encode()
    headers = [
        ("content-type", "text/plain; charset=utf-8"),
        ("content-length", str(len(words))),
        ("connection", "close"),
        ("x-threadhand-gate", refused.outcome),
    ]
    if wire.http.our_state not in (h11.IDLE, h11.SEND_RESPONSE):
        return
    await wire.send(h11.Response(status_code=refused.status, headers=headers))
    await wire.send(h11.Data(data=words), h11.EndOfMessage())
    if wire.http.their_state is not h11.DONE:
        await let_finish(wire)


async def let_finish(wire: Wire) -> None:
    """Read on for a moment: closing on a program that still sends would lose it the words it was answered."""
    with contextlib.suppress(TimeoutError, OSError):
        if wire.writer.can_write_eof():
            wire.writer.write_eof()
        async with asyncio.timeout(LINGER):
            while await wire.reader.read(256 * 1024):
                pass
