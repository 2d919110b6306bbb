"""People who order things while everything fails: each order is a write to a shop that somebody has to agree to.

The shop counts what reaches it. What a person decided, and whether it may have been carried out, is kept per order.
"""

from __future__ import annotations

import asyncio
import re
from collections import Counter
from contextlib import suppress
from dataclasses import dataclass, field

from bot.playground import Driver
from bot.playground.shapes import Obj
from tests.chaos.talk import BOT
from tests.support.echo import text_of
from tests.support.origin import Origin
from tests.support.replies import Call, Turn, says
from tests.support.responses import Received
from tests.support.waiting import until_true

KINDS = ("yes", "twice", "no", "never")
_ORDER = re.compile(r"order (O\d+) at (\S+)")
TRIES = 6
"""How often the model tries to put an order before it gives up: a kill can take the command with it."""


def clerk(request: Received) -> Turn:
    """A model that sends the order by a command in the machine, again when the command was cut off, then is done."""
    found = [match for item in request.items if (match := _ORDER.search(text_of(item)))]
    if not found:
        return says("done", "final_answer")
    name, address = found[-1].groups()
    outputs = [str(item.get("output")) for item in request.items if item.get("type") == "function_call_output"]
    waits = any("waiting for" in one or "put to the person" in one for one in outputs)
    if not waits and len(outputs) < TRIES:
        return Turn((Call("shell", {"command": f"curl -sS -m 20 -d item={name} {address}"}),))
    return says(f"done: {name}", "final_answer")


@dataclass
class Order:
    """One order: what its person means to do, and what they pressed."""

    name: str
    kind: str
    ts: str = ""
    pressed: Counter[str] = field(default_factory=Counter[str])


@dataclass
class Orders:
    """All of them. `done` grows as people have done what they meant to."""

    driver: Driver
    shop: Origin
    orders: list[Order]
    done: int = 0

    @classmethod
    def of(cls, driver: Driver, shop: Origin, count: int) -> Orders:
        return cls(driver, shop, [Order(f"O{number}", KINDS[number % len(KINDS)]) for number in range(count)])

    async def place_all(self, at_once: int = 6) -> None:
        """Every person orders, waits for the confirmation, and decides."""
        turns = asyncio.Semaphore(at_once)

        async def one(order: Order) -> None:
            async with turns:
                await self._place(order)
                self.done += 1

        await asyncio.gather(*(one(order) for order in self.orders))

    async def until_done(self, count: int) -> None:
        """Return once so many people have decided."""

        async def enough() -> bool:
            return self.done >= count

        await until_true(enough, 300)

    def arrived(self, order: Order) -> int:
        """How often it reached the shop."""
        return sum(visit.body == f"item={order.name}".encode() for visit in self.shop.writes())

    async def _place(self, order: Order) -> None:
        text = f"{BOT} order {order.name} at {self.shop.url('/orders')}"
        order.ts = await self.driver.say("maria", "#general", text)
        if await self._until_card(order) is None or order.kind == "never":
            return
        presses = 2 if order.kind == "twice" else 1
        for _ in range(60):
            card = await self._card(order)
            if card is None:
                return
            unsure = "don't know whether" in str(card)
            button = "Leave it" if unsure else "Don't send" if order.kind == "no" else "Send"
            order.pressed[button] += 1
            for _ in range(presses):
                with suppress(Exception):  # the app may be down: the person tries again
                    await self.driver.press("maria", "#general", str(card["ts"]), button)
            await self._changes(order, str(card))

    async def _changes(self, order: Order, before: str) -> None:
        """Wait a little until the card is gone or another."""

        async def changed() -> bool:
            now = await self._card(order)
            return now is None or str(now) != before

        with suppress(TimeoutError):
            await until_true(changed, 5)

    async def _until_card(self, order: Order) -> Obj | None:
        """The confirmation, or None when the work ended without one."""

        async def there() -> bool:
            return await self._card(order) is not None or await self._ended(order)

        await until_true(there, 120)
        return await self._card(order)

    async def _card(self, order: Order) -> Obj | None:
        """The open confirmation in the order's thread."""
        messages = await self.driver.messages("#general", order.ts)
        mine = (one for one in messages if one.get("bot_id"))
        return next((one for one in mine if "Don't send" in str(one.get("blocks")) or "Leave it" in str(one)), None)

    async def _ended(self, order: Order) -> bool:
        return any(f"done: {order.name}" in str(one) for one in await self.driver.messages("#general", order.ts))
