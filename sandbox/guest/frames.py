"""How host and guest talk: many channels over one byte stream.

Hides the wire format. Each frame is a length (4 bytes), a kind (1), a channel (4) and a payload of at most 1 MiB.
The host opens a channel with a JSON request; either side sends DATA and CONTROL on it; the guest closes it with
END, a JSON object that is the result, or has `error` and `message`.
"""

from __future__ import annotations

import asyncio
import json
import struct
from dataclasses import dataclass
from typing import Any

HEADER = struct.Struct("!IBI")
PAYLOAD_MAX = 1024 * 1024
CHUNK = 64 * 1024

OPEN, DATA, CONTROL, END = 1, 2, 3, 4

Message = dict[str, Any]


class Broken(Exception):
    """The stream ended or does not follow the protocol."""


@dataclass(frozen=True, slots=True)
class Frame:
    kind: int
    channel: int
    payload: bytes

    def message(self) -> Message:
        try:
            value: object = json.loads(self.payload)
        except ValueError as error:
            raise Broken(f"not JSON: {error}") from error
        if not isinstance(value, dict):
            raise Broken("not a JSON object")
        return value  # pyright: ignore[reportUnknownVariableType]


def encode(kind: int, channel: int, payload: bytes | memoryview) -> bytes:
    return HEADER.pack(len(payload), kind, channel) + payload


def encode_message(kind: int, channel: int, message: Message) -> bytes:
    return encode(kind, channel, json.dumps(message).encode())


async def receive(reader: asyncio.StreamReader) -> Frame:
    """The next frame; Broken when the stream ends or is nonsense."""
    try:
        length, kind, channel = HEADER.unpack(await reader.readexactly(HEADER.size))
        if length > PAYLOAD_MAX or not OPEN <= kind <= END:
            raise Broken("no frame of this protocol")
        return Frame(kind, channel, await reader.readexactly(length))
    except (asyncio.IncompleteReadError, OSError) as error:
        raise Broken("the stream ended") from error
