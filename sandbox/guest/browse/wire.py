"""The frames this program and the guest program talk in: the same as between guest and host."""

from ..frames import (  # noqa: TID252  (inside the machine the package above has no other name)
    CHUNK,
    CONTROL,
    DATA,
    END,
    OPEN,
    Broken,
    Message,
    encode,
    encode_message,
    receive,
)

__all__ = [
    "CHUNK", "CONTROL", "DATA", "END", "OPEN", "Broken", "Message", "encode", "encode_message", "receive",
]  # fmt: skip
