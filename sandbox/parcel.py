"""A machine's files as one stream, out of it and back in, and the mark by which it is known again.

Hides the guest. The stream is a plain tar of `home/...` and `browser/...`; it holds cookies, so it is never written
anywhere unsealed.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterable, Awaitable, Callable
from dataclasses import dataclass, field
from typing import Protocol, runtime_checkable

from .guest.frames import Message
from .link import Call


@dataclass(frozen=True, slots=True)
class LeftOut:
    """A file that was too large to be packed; `path` as the machine's programs see it."""

    path: str
    size: int


@dataclass(frozen=True, slots=True)
class Packed:
    """What a packing came to. `home_files`: how many of the files lay in the agent's home. `left`: the largest of the
    `left_count` files for which there was no room."""

    files: int
    home_files: int
    left: tuple[LeftOut, ...] = ()
    left_count: int = 0


@dataclass(frozen=True, slots=True)
class Mark:
    """Whose machine this is, and the how manyeth of that session's, for a lost one is followed by another."""

    session: str
    generation: int


@dataclass(frozen=True, slots=True)
class Found:
    """What a machine knows of itself when it starts. `empty`: nothing at all lies in the agent's home."""

    mark: Mark | None
    empty: bool


class Luggage(Protocol):
    """The files of one machine. Every method raises MachineError."""

    async def pack(self, limit: int, take: Callable[[bytes], Awaitable[None]]) -> Packed:
        """Hand the stream to `take`, piece by piece: at most `limit` bytes, the largest files are left out first."""
        ...

    async def unpack(self, stream: AsyncIterable[bytes], *, over: bool = False) -> int:
        """Put the files of a packed stream where they belong; returns how many. What is there stays, unless `over`."""
        ...

    async def found(self) -> Found:
        """The mark, as it is."""
        ...

    async def set_mark(self, mark: Mark) -> None:
        """Write the mark."""
        ...

    async def settle(self) -> None:
        """Before the machine is stopped on purpose: the browser ends and leaves all that its pages stored."""
        ...


@runtime_checkable
class Portable(Protocol):
    """A machine whose files can be carried away and brought back."""

    def luggage(self) -> Luggage: ...


@dataclass(frozen=True, slots=True)
class GuestLuggage:
    """The `Luggage` of a machine with a guest."""

    call: Callable[[Message], Awaitable[Call]] = field(repr=False)

    async def pack(self, limit: int, take: Callable[[bytes], Awaitable[None]]) -> Packed:
        async with await self.call({"op": "pack", "limit": limit}) as call:
            async for piece in call.pieces():
                await take(piece)
            end = await call.result()
        left = tuple(LeftOut(str(one["path"]), int(one["size"])) for one in end["left"])
        return Packed(int(end["files"]), int(end["home_files"]), left, int(end["left_count"]))

    async def unpack(self, stream: AsyncIterable[bytes], *, over: bool = False) -> int:
        async with await self.call({"op": "unpack", "over": over}) as call:
            sending = asyncio.create_task(send(call, stream))
            answering = asyncio.create_task(call.result())
            try:
                await asyncio.wait({sending, answering}, return_when=asyncio.FIRST_COMPLETED)
                if not answering.done():
                    await sending
                return int((await answering)["files"])
            finally:
                sending.cancel()
                answering.cancel()

    async def found(self) -> Found:
        return await self._mark({"op": "mark"})

    async def set_mark(self, mark: Mark) -> None:
        await self._mark({"op": "mark", "set": {"session": mark.session, "generation": mark.generation}})

    async def settle(self) -> None:
        async with await self.call({"op": "settle"}) as call:
            await call.result()

    async def _mark(self, request: Message) -> Found:
        async with await self.call(request) as call:
            answer = await call.result()
        match answer["mark"]:
            case {"session": str(session), "generation": int(generation)}:
                mark = Mark(session, generation)
            case _:
                mark = None
        return Found(mark, bool(answer["empty"]))


async def send(call: Call, stream: AsyncIterable[bytes]) -> None:
    async for piece in stream:
        await call.send(piece)
    call.control({"done": True})
