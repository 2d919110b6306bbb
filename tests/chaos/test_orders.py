"""Everything goes wrong while people decide about writes: none is carried out twice, unasked or against a no."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from bot.heard import Thread
from bot.session.state import SENT, State, fold
from bot.store import Store
from tests.chaos.orders import Order, Orders, clerk
from tests.chaos.test_storm import LEASE, PATIENT, opened
from tests.chaos.trouble import Killer
from tests.support.deployment import deployment
from tests.support.origin import origin
from tests.support.playground import playground
from tests.support.responses import ResponsesServer

pytestmark = [pytest.mark.storm, pytest.mark.timeout(420)]

ORDERS, KILLS = 28, 10


async def state_of(store: Store, order: Order) -> State | None:
    """What the journal of the order's session comes to."""
    rows = await store.sessions(limit=1000)
    where: Thread | None = next((row.thread for row in rows if row.thread.root == order.ts), None)
    if where is None:
        return None
    return fold(where, [(row.number, row.entry) for row in await store.journal(where.session)])


def faults(order: Order, state: State, arrived: int) -> list[str]:
    """What is wrong with one order, in words."""
    found = [f"{order.name} ({order.kind}) reached the shop {arrived} times"] if arrived > 1 else []
    if order.kind in ("no", "never") and arrived:
        found.append(f"{order.name} ({order.kind}) reached the shop")
    for call in (one for one in state.calls.values() if one.name == SENT):
        ask = state.asks.get(call.ask)
        agreed = ask is not None and ask.decided is not None
        if call.started is not None and not agreed and not call.unsure:
            found.append(f"{order.name}: sent without a decision")
        asks = [one for one in state.asks.values() if one.asked.call == call.id]
        yes = any(one.decided is not None and one.decided.verdict == "yes" for one in asks)
        if yes and not arrived and len(asks) < 2 and (call.finished is None or call.finished.ok):
            found.append(f"{order.name}: agreed to, neither carried out nor asked about again")
    sent = [call for call in state.calls.values() if call.name == SENT and call.started is not None]
    if arrived and not sent:
        found.append(f"{order.name} reached the shop and the journal knows nothing of it")
    return found


async def test_orders_in_a_storm_are_carried_out_once_and_only_after_a_yes(tmp_path: Path) -> None:
    async with playground(PATIENT) as slack, ResponsesServer(clerk) as model, origin("127.0.0.1") as shop:
        environment = {
            "SLACK_BOT_TOKEN": slack.bot_token,
            "SLACK_APP_TOKEN": slack.app_token,
            "SLACK_API_URL": slack.api_url,
            "OPENAI_BASE_URL": model.url,
            "OPENAI_API_KEY": "sk-test-not-real",
            "THREADHAND_LEASE_SECONDS": str(LEASE),
            "THREADHAND_SLACK_RATE": "1000",
            "THREADHAND_EGRESS_ALLOW": f"127.0.0.1:{shop.port}",
        }
        async with deployment(tmp_path, environment) as deployed:
            serve = deployed.add()
            await serve.start()
            await serve.healthy()
            orders, killer = Orders.of(slack.driver, shop, ORDERS), Killer([serve])
            await strike_while(orders, killer)
            await serve.healthy()
            async with opened(f"sqlite:///{tmp_path}/data/threadhand.db") as store:
                wrong: list[str] = []
                for order in orders.orders:
                    state = await state_of(store, order)
                    assert state is not None, order
                    wrong += faults(order, state, orders.arrived(order))
            assert wrong == [], "\n".join(wrong)
            agreed = [order for order in orders.orders if order.pressed["Send"]]
            carried_out = [order for order in agreed if orders.arrived(order)]
            assert len(agreed) >= ORDERS // 4
            assert len(carried_out) >= len(agreed) * 2 // 3, [(o.name, o.pressed, orders.arrived(o)) for o in agreed]
            assert await serve.end() == 0


async def strike_while(orders: Orders, killer: Killer) -> None:
    """Kill the process again and again, evenly over the people's decisions."""
    await orders.driver.chaos(duplicates=0.2, delays=0.3, longest_delay=0.6, calls=0.03, seed=7)
    async with asyncio.TaskGroup() as group:
        group.create_task(orders.place_all())
        for kill in range(KILLS):
            await orders.until_done(kill * (len(orders.orders) - 4) // KILLS)
            await killer.kill()
    await orders.driver.chaos(calm=True)
