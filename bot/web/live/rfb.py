"""What a viewer's browser says to the machine's screen, message by message, and which of it may pass.

Hides the RFB protocol (RFC 6143 and the extensions noVNC and TigerVNC share). Looking always passes; keys, pointer,
clipboard and changes of size pass only while `control` says so, asked anew for every single message. What is not
understood ends the stream, for nobody could tell where the next message begins.
"""

from __future__ import annotations

import struct
from collections.abc import Callable
from dataclasses import dataclass, field

VERSION = b"RFB 003.008\n"
NO_PASSWORD = 1
ENCODINGS_MOST = 1000
TEXT_MOST = 256 * 1024
SCREENS_MOST = 16

SET_PIXEL_FORMAT, SET_ENCODINGS, UPDATE_REQUEST, KEY, POINTER, CUT_TEXT = 0, 2, 3, 4, 5, 6
CONTINUOUS_UPDATES, FENCE, XVP, SET_DESKTOP_SIZE, QEMU = 150, 248, 250, 251, 255
INPUT = frozenset({KEY, POINTER, CUT_TEXT, XVP, SET_DESKTOP_SIZE, QEMU})

EXTENDED_MOUSE, EXTENDED_CLIPBOARD = -316, struct.unpack("!i", b"\xc0\xa1\xe5\xce")[0]
UNWANTED = frozenset({EXTENDED_MOUSE, EXTENDED_CLIPBOARD})
"""Extensions that would change how long a message is; the server is not told that the viewer has them."""


class NotUnderstood(Exception):
    """The viewer does not speak the protocol as we know it."""


@dataclass(slots=True)
class Filter:
    """One viewer's stream towards the machine. `feed` returns what may pass of the bytes so far."""

    control: Callable[[], bool]
    _waiting: bytearray = field(default_factory=bytearray)
    _greetings: list[Callable[[bytearray], bytes | None]] = field(
        default_factory=lambda: [_version, _security, _shared]
    )

    def feed(self, data: bytes) -> bytes:
        """Take more bytes. Raises NotUnderstood."""
        self._waiting += data
        out = bytearray()
        while self._greetings:
            passed = self._greetings[0](self._waiting)
            if passed is None:
                return bytes(out)
            out += passed
            del self._greetings[0]
        while (length := _length(self._waiting)) is not None:
            message = bytes(self._waiting[:length])
            del self._waiting[:length]
            if message[0] == SET_ENCODINGS:
                out += _wanted(message)
            elif message[0] not in INPUT or self.control():
                out += message
        return bytes(out)


def _version(waiting: bytearray) -> bytes | None:
    if len(waiting) < len(VERSION):
        return None
    if bytes(waiting[: len(VERSION)]) != VERSION:
        raise NotUnderstood("The viewer speaks another version of the protocol.")
    del waiting[: len(VERSION)]
    return VERSION


def _security(waiting: bytearray) -> bytes | None:
    if not waiting:
        return None
    if waiting[0] != NO_PASSWORD:
        raise NotUnderstood("The viewer wants a security type that is not offered.")
    del waiting[0]
    return bytes([NO_PASSWORD])


def _shared(waiting: bytearray) -> bytes | None:
    """Always shared: nobody sends the others away."""
    if not waiting:
        return None
    del waiting[0]
    return b"\x01"


def _length(waiting: bytearray) -> int | None:
    """Bytes of the message that comes next; None until it is there as a whole."""
    if not waiting:
        return None
    length = _LENGTHS.get(waiting[0], _unknown)(waiting)
    return length if length is not None and len(waiting) >= length else None


def _unknown(waiting: bytearray) -> int | None:
    raise NotUnderstood(f"The viewer sent a message of an unknown kind ({waiting[0]}).")


def _encodings(waiting: bytearray) -> int | None:
    if len(waiting) < 4:
        return None
    count = struct.unpack_from("!H", waiting, 2)[0]
    if count > ENCODINGS_MOST:
        raise NotUnderstood("The viewer names too many encodings.")
    return 4 + 4 * count


def _cut_text(waiting: bytearray) -> int | None:
    if len(waiting) < 8:
        return None
    size = abs(struct.unpack_from("!i", waiting, 4)[0])
    if size > TEXT_MOST:
        raise NotUnderstood("The viewer sends too long a text.")
    return 8 + size


def _fence(waiting: bytearray) -> int | None:
    if len(waiting) < 9:
        return None
    if waiting[8] > 64:
        raise NotUnderstood("The viewer's fence is too long.")
    return 9 + waiting[8]


def _desktop_size(waiting: bytearray) -> int | None:
    if len(waiting) < 8:
        return None
    if waiting[6] > SCREENS_MOST:
        raise NotUnderstood("The viewer has too many screens.")
    return 8 + 16 * waiting[6]


def _qemu(waiting: bytearray) -> int | None:
    if len(waiting) < 2:
        return None
    if waiting[1] != 0:
        raise NotUnderstood("The viewer uses an extension that is not known.")
    return 12


_LENGTHS: dict[int, Callable[[bytearray], int | None]] = {
    SET_PIXEL_FORMAT: lambda _: 20,
    SET_ENCODINGS: _encodings,
    UPDATE_REQUEST: lambda _: 10,
    KEY: lambda _: 8,
    POINTER: lambda _: 6,
    CUT_TEXT: _cut_text,
    CONTINUOUS_UPDATES: lambda _: 10,
    FENCE: _fence,
    XVP: lambda _: 4,
    SET_DESKTOP_SIZE: _desktop_size,
    QEMU: _qemu,
}


def _wanted(message: bytes) -> bytes:
    """SetEncodings without the extensions that are not let through."""
    count = struct.unpack_from("!H", message, 2)[0]
    named = struct.unpack_from(f"!{count}i", message, 4)
    kept = [one for one in named if one not in UNWANTED]
    return struct.pack(f"!BxH{len(kept)}i", SET_ENCODINGS, len(kept), *kept)
