"""The composition root: the only place that names concrete classes and ties them together.

`serve` runs one process of a deployment, with a web server, a worker, or both, until it is told to stop.
"""

from __future__ import annotations

import asyncio
import logging
import os
import socket
from collections.abc import AsyncGenerator, Callable, Coroutine
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, replace
from typing import Any

import aiohttp
from pydantic import SecretStr

from bot.agent.loop import Loop
from bot.agent.parts import Parts, Tariff
from bot.backends import open_backend
from bot.config import Settings, SettingsError
from bot.ending import ENDING
from bot.engine import Engine
from bot.heard import Heard, Thread
from bot.home import home_facts
from bot.inbox import Inbox
from bot.keys import load_keys
from bot.machines import Machines, Yard
from bot.models.images import PRICES as IMAGE_PRICES
from bot.models.images import Images, ImageSettings
from bot.models.openai import OPENAI_URL, OpenAIModel, OpenAISettings
from bot.models.prices import Price
from bot.models.rehearsal import Rehearsal
from bot.models.types import Model
from bot.observe import Metrics, Redactor, Traces
from bot.observe.journal import observer
from bot.playground import CLIENT_ID, CLIENT_SECRET, Options, serve_playground
from bot.saves import Bounds, Saves
from bot.session.steps import Allowance
from bot.steering import Rules
from bot.store import Blobs, Store, StoreError
from bot.surface import Surface
from bot.surfaces.slack.app import SlackDoor
from bot.surfaces.slack.calls import SlackCalls
from bot.surfaces.slack.install import InstalledWorkspaces
from bot.surfaces.slack.settings import SlackSettings
from bot.surfaces.slack.surface import SlackSurface
from bot.tools import browser as browser_tools
from bot.tools import machine as machine_tools
from bot.tools import takeover
from bot.tools import thread as thread_tools
from bot.tools.image import generate_image
from bot.tools.search import Access, searcher
from bot.tools.types import Toolbox
from bot.tools.web import WEB_OPEN, web_search
from bot.upkeep import Upkeep
from bot.vault import Vault
from bot.web.live import access as live_access
from bot.web.live.links import Invitations, Seals
from bot.web.live.signin import OpenId
from bot.web.live.site import Live, Places
from bot.web.server import Site, application, listen
from bot.web.server import serve as serve_web
from bot.worker import Worker
from sandbox.egress.address import Addresses
from sandbox.egress.authority import Authority
from sandbox.egress.upstream import Upstream
from sandbox.types import Limits

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Ground:
    """What every process of a deployment stands on."""

    settings: Settings
    store: Store
    blobs: Blobs
    vault: Vault
    metrics: Metrics
    traces: Traces
    keys: tuple[bytes, ...] = ()
    board: str = ""
    """Address of the local workspace's notice board, when there is one."""

    @property
    def openid(self) -> OpenId | None:
        """Slack, or the local workspace, as the one who says who opens a live page."""
        slack = self.settings.slack
        if self.board:
            return OpenId(CLIENT_ID, CLIENT_SECRET, slack.api_url)
        if slack.client_id and slack.client_secret and self.settings.web.public_url:
            return OpenId(slack.client_id, _plain(slack.client_secret), slack.api_url)
        return None


async def serve(settings: Settings, *, web: bool, worker: bool, play: bool = False) -> None:
    """Run until the process is asked to end. Raises SettingsError, StoreError or OSError when it cannot start."""
    stop, loop = asyncio.Event(), asyncio.get_running_loop()
    ENDING.then(lambda: loop.call_soon_threadsafe(stop.set))
    async with AsyncExitStack() as stack:
        board = ""
        if play:
            settings, board = await stack.enter_async_context(_playground(settings))
        ground = await stack.enter_async_context(_ground(settings, board))
        await _process(ground, stack, stop, web=web, worker=worker)


@asynccontextmanager
async def _ground(settings: Settings, board: str) -> AsyncGenerator[Ground]:
    keys = load_keys(settings.storage)
    redactor = Redactor.of((*settings.secrets(), *(key.decode() for key in keys)))
    folder = settings.storage.data_dir
    folder.mkdir(parents=True, exist_ok=True)
    store = await Store.open(settings.storage.database)
    traces = Traces.start(settings.observe.otlp_endpoint, redactor)
    try:
        vault = Vault(keys[0], keys[1:])
        yield Ground(settings, store, Blobs(folder / "blobs"), vault, Metrics.create(), traces, keys, board)
    finally:
        await asyncio.to_thread(traces.close)
        await store.close()


@asynccontextmanager
async def _playground(settings: Settings) -> AsyncGenerator[tuple[Settings, str]]:
    """Open a local workspace where the page would be, and connect to it."""
    async with serve_playground(Options(port=settings.web.port)) as playground:
        print(f"\n  Threadhand plays at {playground.url}\n  Open it in a browser. Ctrl-C ends it.\n", flush=True)  # noqa: T201
        slack = settings.slack.model_copy(
            update={
                "bot_token": SecretStr(playground.bot_token),
                "app_token": SecretStr(playground.app_token),
                "api_url": playground.api_url,
            }
        )
        host = playground.url.removeprefix("http://")
        machine = settings.machine.model_copy(update={"egress_allow": (*settings.machine.egress_allow, host)})
        web = settings.web.model_copy(update={"port": 0})
        changed = {"slack": slack, "machine": machine, "web": web}
        yield settings.model_copy(update=changed), f"{playground.url}/notices"


async def _process(ground: Ground, stack: AsyncExitStack, stop: asyncio.Event, *, web: bool, worker: bool) -> None:
    """Everything one process runs, until `stop` or until a part fails."""
    settings, store = ground.settings, ground.store
    surface = _slack_surface(ground)
    stack.push_async_callback(surface.close)
    tasks: list[Coroutine[Any, Any, None]] = []
    listener = listen(settings.web.host, settings.web.port) if web else None
    port = listener.getsockname()[1] if listener else 0
    local = f"http://{settings.web.host}:{port}" if ground.board else ""
    invitations = Invitations(settings.web.public_url or local, Seals(ground.keys))
    machines = await _machines(ground, stack) if worker else None
    hands = await _worker(ground, {surface.name: surface}, machines, invitations, stack) if machines else None
    deliver, sweep = (hands.nudge, hands.sweep) if hands else (_nobody, _nothing)
    engine = Engine(settings.storage.redis, "threadhand", deliver, sweep)
    inbox = Inbox(store, engine.ring, lambda state: ground.metrics.inbox.labels(surface.name, state).inc())
    stack.push_async_callback(inbox.close)
    if hands is not None:
        tasks += [engine.run(stop), hands.run(stop), *([machines.tend(stop)] if machines else [])]
    else:
        stack.push_async_callback(engine.close)
    if listener is not None:
        door = SlackDoor(surface, _taker(inbox), home_facts(store, settings))
        stack.push_async_callback(door.close)
        door.start()
        installs = not surface.settings.bot_token
        live = _live(ground, surface, machines, invitations, inbox)
        routes = [*door.routes(), *live.routes()]
        site = Site(ground.metrics, _ready(store), routes, "/slack/install" if installs else "")
        tasks.append(serve_web(application(site), listener, stop))
    await _until(stop, tasks)


def _live(
    ground: Ground, surface: SlackSurface, machines: Machines | None, invitations: Invitations, inbox: Inbox
) -> Live:
    """The live page. Screens are shown by the process that has the machine, where one process does everything."""
    settings = ground.settings
    alone = machines is not None and settings.storage.redis.startswith("memory:")

    async def post(thread: Thread, heard: Heard, key: str) -> None:
        await inbox.post(thread, heard, key, opens=False)

    access = live_access.Access(ground.store, {surface.name: surface.directory})
    return Live(
        Places(
            invitations.address or settings.web.url,
            invitations.seals,
            access,
            post,
            machines if machines is not None and alone else lambda _: None,
            ground.blobs.read,
            settings.web.viewer or settings.storage.data_dir / "viewer",
            ground.openid,
            settings.limits.file_limit_mb * 2**20,
        )
    )


async def _machines(ground: Ground, stack: AsyncExitStack) -> Machines:
    """The process's machines."""
    settings, store = ground.settings, ground.store
    folder = settings.storage.data_dir
    upstream = Upstream(Addresses(frozenset(settings.machine.egress_allow)))
    limits = Limits(
        memory_bytes=settings.machine.memory_mb * 2**20,
        disk_bytes=settings.machine.disk_mb * 2**20,
        processes=settings.machine.processes,
    )
    alone = settings.storage.redis.startswith("memory:")
    authority = await asyncio.to_thread(Authority, folder / "authority")
    saves = Saves(folder / "saves", ground.keys, store.homes, Bounds(settings.machine.save_mb * 2**20))
    yard = Yard(
        open_backend(settings),
        upstream,
        authority,
        ground.blobs,
        store.record_egress,
        folder / "homes",
        limits,
        settings.machine.save_idle_seconds,
        Upkeep(store.homes, saves) if settings.machine.save_mb else None,
        keep_paused=alone,
    )
    machines = Machines(yard)
    stack.push_async_callback(machines.close)
    return machines


async def _worker(
    ground: Ground, surfaces: dict[str, Surface], machines: Machines, invitations: Invitations, stack: AsyncExitStack
) -> Worker:
    """The process's worker."""
    settings, store = ground.settings, ground.store
    model = _model(settings, ground.board)
    parts = _parts(ground, surfaces, machines, model, await _toolbox(settings, stack, live=bool(invitations.address)))
    parts = replace(parts, watch=invitations.watch, invite=invitations.invite)
    holder = f"{socket.gethostname()}:{os.getpid()}"
    lease, at_once = settings.limits.lease_seconds, settings.limits.concurrency
    return Worker(store, lambda lease: Loop(lease, parts), holder, lease=lease, at_once=at_once)


def _parts(ground: Ground, surfaces: dict[str, Surface], machines: Machines, model: Model, toolbox: Toolbox) -> Parts:
    """What sessions' loops are built of."""
    limits = ground.settings.limits

    async def spent(workspace: str, person: str | None) -> float:
        return (await ground.store.spent(workspace, person, await ground.store.now())).cost

    return Parts(
        surfaces,
        model,
        toolbox,
        machines,
        ground.blobs,
        spent,
        allowance=Allowance(limits.max_steps, limits.max_minutes, limits.max_tokens, limits.max_cost),
        tariff=Tariff(limits.person_daily_cost, limits.workspace_daily_cost),
        rules=Rules(limits.allow_guests),
        context_tokens=limits.context_tokens,
        file_limit=limits.file_limit_mb * 2**20,
        ask_minutes=limits.ask_minutes,
        observe=observer(ground.metrics),
        span=lambda name: ground.traces.span(f"session.{name}"),
    )


async def _toolbox(settings: Settings, stack: AsyncExitStack, *, live: bool) -> Toolbox:
    """The tools of every session, in a fixed order; `live`: people can reach the machine's screen."""
    tools = [*thread_tools.TOOLS, *machine_tools.TOOLS, WEB_OPEN, *browser_tools.TOOLS]
    if live:
        tools.append(takeover.TOOL)
    if images := _images(settings):
        stack.push_async_callback(images.close)
        tools.append(generate_image(images))
    search = settings.search
    if search.provider != "off":
        http = await stack.enter_async_context(aiohttp.ClientSession())
        tools.append(web_search(searcher(http, Access(search.provider, _plain(search.key), search.url))))
    return Toolbox.of(*tools)


def _images(settings: Settings) -> Images | None:
    """Who draws pictures, if anybody does."""
    model = settings.model
    if not model.configured or not model.image_model:
        return None
    official = {} if model.base_url else IMAGE_PRICES
    price = Price(*model.image_price) if model.image_price else official.get(model.image_model)
    key = model.api_key or SecretStr("unused")
    return Images(ImageSettings(model.image_model, key, model.base_url or OPENAI_URL, price))


def _model(settings: Settings, board: str) -> Model:
    """The model that is configured, or the rehearsal model."""
    if not settings.model.configured:
        log.warning("no model is configured: the rehearsal model stands in (set OPENAI_API_KEY or OPENAI_BASE_URL)")
        return Rehearsal(board)
    key = settings.model.api_key.get_secret_value() if settings.model.api_key else "unused"
    name, price = settings.model.name, settings.model.price
    prices = {name: Price(*price)} if price else {}
    return OpenAIModel(OpenAISettings(name, key, settings.model.base_url or OPENAI_URL, prices))


def _slack_surface(ground: Ground) -> SlackSurface:
    """The Slack surface of these settings. Raises SettingsError when nothing is connected."""
    slack, limits = ground.settings.slack, ground.settings.limits
    if slack.problem:
        raise SettingsError(f"No chat is connected: {slack.problem}. `threadhand check` says what is missing.")
    given = SlackSettings(
        bot_token=_plain(slack.bot_token),
        app_token=_plain(slack.app_token),
        signing_secret=_plain(slack.signing_secret),
        client_id=slack.client_id,
        client_secret=_plain(slack.client_secret),
        api_url=slack.api_url,
        public_url=ground.settings.web.url,
        allow_guests=limits.allow_guests,
        allow_shared_channels=limits.allow_shared_channels,
        file_limit=limits.file_limit_mb * 2**20,
        rate=slack.rate,
    )
    if given.bot_token:
        return SlackSurface(given, ground.blobs.path)
    calls = SlackCalls(given)
    workspaces = InstalledWorkspaces(given, calls, ground.store.installs, ground.vault)
    return SlackSurface(given, ground.blobs.path, workspaces, calls=calls)


def _taker(inbox: Inbox) -> Callable[[Thread, Heard, str, bool], Coroutine[Any, Any, bool]]:
    async def take(thread: Thread, heard: Heard, key: str, opens: bool) -> bool:
        receipt = await inbox.post(thread, heard, key, opens=opens)
        return receipt.state in ("stored", "duplicate")

    return take


def _ready(store: Store) -> Callable[[], Coroutine[Any, Any, str]]:
    async def ready() -> str:
        try:
            async with asyncio.timeout(3):
                await store.news(["ready"])
        except (StoreError, TimeoutError) as error:
            return str(error) or "the database does not answer"
        return ""

    return ready


def _plain(secret: SecretStr | None) -> str:
    return secret.get_secret_value() if secret else ""


async def _nobody(session: str) -> None:
    """A process without a worker answers no rings."""


async def _nothing() -> None:
    """Nor does it sweep."""


async def _until(stop: asyncio.Event, works: list[Coroutine[Any, Any, None]]) -> None:
    """Run all of them; when one ends or fails, or `stop` is set, end the others in good order."""
    tasks = [asyncio.create_task(work) for work in works]
    waiting = asyncio.create_task(stop.wait())
    await asyncio.wait({waiting, *tasks}, return_when=asyncio.FIRST_COMPLETED)
    stop.set()
    waiting.cancel()
    results = await asyncio.gather(*tasks, return_exceptions=True)
    for result in results:
        if isinstance(result, Exception):
            raise result
