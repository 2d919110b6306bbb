"""The one browser of a machine: its tabs, dialogs, downloads, and what is kept for the next start.

Hides Playwright and Chromium's life. There is no debugging port: Playwright speaks to Chromium through a pipe.
Cookies and open pages are written down after each operation, so a machine that is lost comes back signed in.
"""

from __future__ import annotations

import asyncio
import base64
import contextlib
import json
import os
import secrets
from collections.abc import AsyncGenerator, Coroutine
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlsplit

from playwright.async_api import (
    BrowserContext,
    Dialog,
    Download,
    FileChooser,
    Page,
    Playwright,
    Request,
    async_playwright,
)
from playwright.async_api import Error as PlaywrightError

from .outline import Pages, Trouble

HOME = Path(os.environ.get("HOME", "/home/browser"))
KEPT = HOME / "state.json"
PLACES = ("/usr/lib/chromium/chromium", "/usr/lib/chromium-browser/chromium-browser", "/usr/bin/chromium")
"""The program itself first: Debian's starter for it reads settings that the machine does not have."""
ARGUMENTS = (
    "--disable-gpu", "--disable-quic", "--no-first-run", "--no-default-browser-check", "--disable-sync",
    "--disable-component-update", "--component-updater=url-source=http://127.0.0.1:9/",
    "--disable-background-networking", "--disable-domain-reliability",
    "--disk-cache-size=67108864", "--window-position=0,0", "--window-size=1280,800", "--start-maximized",
    "--disable-features=Translate,MediaRouter,OptimizationHints,WebRtcHideLocalIpsWithMdns",
    "--force-webrtc-ip-handling-policy=disable_non_proxied_udp",
)  # fmt: skip
AUTOMATION = "--enable-automation"
TABS_MAX = 20
BUSY_KINDS = {"document", "xhr", "fetch", "script"}
QUIET_ROUNDS = 2
ROUND = 0.1
SETTLE_SECONDS = 8.0
DOWNLOAD_SECONDS = 300.0
KEEP_EVERY = 3.0
SHOWN_MOST = 50 * 1024 * 1024
SHOWS_FILE = "() => document.readyState === 'complete' && !/html/.test(document.contentType)"
FETCHED = """async (most) => {
  const bytes = new Uint8Array(await (await fetch(location.href)).arrayBuffer());
  if (bytes.length > most) throw new Error("too large");
  let text = "";
  for (let at = 0; at < bytes.length; at += 32768) text += String.fromCharCode(...bytes.subarray(at, at + 32768));
  return btoa(text) }"""
"""The file that a page shows, as the site gives it to this browser."""
FINGERPRINT = """() => [document.readyState, location.href, document.getElementsByTagName('*').length,
    (document.body ? document.body.textContent.length : 0)].join(' ')"""


@dataclass(slots=True, eq=False)
class Tab:
    """One page. `busy`: requests it waits for."""

    name: str
    page: Page
    pages: Pages
    busy: set[Request] = field(default_factory=set[Request])


@dataclass(eq=False)
class Session:
    """What the operations work on. `news`: sentences for the next answer. `arrived`: finished downloads, by file
    and name. `pending`: an action that waits for a dialog to be answered. No slots: Playwright notes its listeners
    on the object."""

    context: BrowserContext
    tabs: list[Tab] = field(default_factory=list[Tab])
    current: Tab | None = None
    dialogs: list[Dialog] = field(default_factory=list[Dialog])
    asked: asyncio.Event = field(default_factory=asyncio.Event)
    chooser: FileChooser | None = None
    news: list[str] = field(default_factory=list[str])
    arrived: list[dict[str, str]] = field(default_factory=list[dict[str, str]])
    downloading: dict[asyncio.Task[None], str] = field(default_factory=dict[asyncio.Task[None], str])
    pending: asyncio.Task[Any] | None = None
    opened: int = 0
    hiding: bool = False
    touched: bool = False
    keeping: asyncio.Task[None] | None = None

    @classmethod
    async def open(cls) -> Session:
        """Start Chromium on the profile that is kept, its pages as they were."""
        playwright = await async_playwright().start()
        try:
            context = await launch(playwright, sandbox=True)
        except PlaywrightError as error:
            if "sandbox" not in str(error):
                raise
            context = await launch(playwright, sandbox=False)
        session = cls(context)
        context.set_default_timeout(8_000)
        context.set_default_navigation_timeout(30_000)
        context.on("page", session.add)
        for page in context.pages:
            session.add(page)
        await session.restore()
        session.keeping = asyncio.create_task(session.keep_up())
        return session

    async def restore(self) -> None:
        """Cookies first, then the pages side by side, the one that was in front in front. A tab that Chromium opened by
        itself is closed."""
        kept: dict[str, Any] = {"cookies": [], "urls": []}
        with contextlib.suppress(OSError, ValueError):
            kept |= json.loads(KEPT.read_text())
        urls, front = [str(url) for url in kept["urls"]][:TABS_MAX], int(kept.get("front", -1))
        for tab in self.tabs[max(len(urls), 1) :]:
            with contextlib.suppress(PlaywrightError):
                await tab.page.close()
        with contextlib.suppress(PlaywrightError):
            await self.context.add_cookies(kept["cookies"])
        for _ in range(len(urls) - len(self.tabs)):
            await self.context.new_page()
        pages = [tab.page for tab in self.tabs]
        await asyncio.gather(*(reopen(page, url) for page, url in zip(pages, urls, strict=False)))
        self.news.clear()
        if not urls:
            return
        self.current = self.tabs[front] if 0 <= front < len(self.tabs) else self.tabs[-1]
        with contextlib.suppress(PlaywrightError):
            await self.current.page.bring_to_front()
        what = "the page that was open is" if len(urls) == 1 else f"the {len(urls)} pages that were open are"
        self.news.append(f"The browser was started again; {what} loaded anew. What was typed and not sent is gone.")

    async def keep(self) -> None:
        """Write down cookies and open pages."""
        self.touched = False
        with contextlib.suppress(PlaywrightError, OSError):
            cookies = await self.context.cookies()
            kept = [tab for tab in self.tabs if tab.page.url.startswith(("http:", "https:"))]
            front = kept.index(self.current) if self.current in kept else -1
            draft = KEPT.with_suffix(".part")
            urls = [tab.page.url for tab in kept]
            draft.write_text(json.dumps({"cookies": cookies, "urls": urls, "front": front}))
            draft.replace(KEPT)

    async def keep_up(self) -> None:
        """Write down what changes without us: a person at the screen signs in, a page gets its answer."""
        while True:
            await asyncio.sleep(KEEP_EVERY)
            if self.touched:
                await self.keep()

    def touch(self, tab: Tab, request: Request) -> None:
        tab.busy.discard(request)
        self.touched = True

    @contextlib.asynccontextmanager
    async def aside(self) -> AsyncGenerator[Tab]:
        """A tab beside the others, gone at the end; the one in front is in front again then."""
        front, self.hiding = self.current, True
        try:
            page = await self.context.new_page()
        finally:
            self.hiding = False
        try:
            yield Tab("aside", page, Pages(page))
        finally:
            with contextlib.suppress(PlaywrightError):
                await page.close()
                if front is not None:
                    await front.page.bring_to_front()

    def add(self, page: Page) -> None:
        if self.hiding:
            return
        self.opened += 1
        tab = Tab(f"t{self.opened}", page, Pages(page))
        if self.tabs:
            self.news.append(f"A new tab opened and is now in front: {tab.name}.")
        self.tabs.append(tab)
        self.current = tab
        page.on("dialog", self.ask)
        page.on("download", self.receive)
        page.on("filechooser", self.choose)
        page.on("close", lambda _: self.remove(tab))
        page.on("crash", lambda _: self.news.append(f"The page in {tab.name} crashed. Reload it."))
        page.on("request", lambda request: tab.busy.add(request) if request.resource_type in BUSY_KINDS else None)
        page.on("requestfinished", lambda request: self.touch(tab, request))
        page.on("requestfailed", lambda request: self.touch(tab, request))

    def remove(self, tab: Tab) -> None:
        self.tabs.remove(tab)
        self.news.append(f"Tab {tab.name} was closed.")
        if self.current is tab:
            self.current = self.tabs[-1] if self.tabs else None

    def ask(self, dialog: Dialog) -> None:
        self.dialogs.append(dialog)
        self.asked.set()

    def choose(self, chooser: FileChooser) -> None:
        self.chooser = chooser
        self.news.append("The page asks for a file: use upload without a ref.")

    def receive(self, download: Download) -> None:
        task = asyncio.create_task(self.save(download))
        self.downloading[task] = download.suggested_filename
        task.add_done_callback(lambda done: self.downloading.pop(done, None))

    async def save(self, download: Download) -> None:
        name, target = download.suggested_filename, HOME / "downloads" / secrets.token_hex(8)
        try:
            async with asyncio.timeout(DOWNLOAD_SECONDS):
                await download.save_as(target)
        except (PlaywrightError, TimeoutError, OSError) as error:
            why = await failure_of(download) or in_words(error)
            self.news.append(f"The download of {name} failed: {why}")
        else:
            self.arrived.append({"file": str(target), "name": name})
        with contextlib.suppress(PlaywrightError):
            await download.delete()

    async def keep_shown(self, tab: Tab) -> bool:
        """Save the file that a tab shows; False when it shows a page, or nothing yet."""
        try:
            if tab.page.url.startswith("about:") or not await tab.page.evaluate(SHOWS_FILE):
                return False
            data = base64.b64decode(await tab.page.evaluate(FETCHED, SHOWN_MOST))
        except PlaywrightError:
            return False
        target = HOME / "downloads" / secrets.token_hex(8)
        target.parent.mkdir(exist_ok=True)
        target.write_bytes(data)
        name = unquote(urlsplit(tab.page.url).path.rpartition("/")[2]) or "file"
        self.arrived.append({"file": str(target), "name": name})
        return True

    async def download_begins(self, seconds: float) -> None:
        """Wait until a download is on its way or has arrived."""
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                while not self.downloading and not self.arrived:  # noqa: ASYNC110 (what we wait for has no event)
                    await asyncio.sleep(0.05)

    async def downloads(self, seconds: float) -> None:
        """Wait until nothing is downloading any more, at most `seconds`."""
        if self.downloading:
            await asyncio.wait(list(self.downloading), timeout=seconds)

    async def tab(self) -> Tab:
        """The tab in front; a fresh one when all were closed."""
        if self.current is None:
            await self.context.new_page()
        if self.current is None:
            raise Trouble("There is no tab. Open one with new_tab.")
        return self.current

    async def run(self, work: Coroutine[Any, Any, Any]) -> None:
        """Do `work` until it is done or the page asks something, which holds it up until it is answered."""
        self.asked.clear()
        task = asyncio.create_task(work)
        await self.until_asked(task)

    async def until_asked(self, task: asyncio.Task[Any]) -> None:
        asked = asyncio.create_task(self.asked.wait())
        try:
            await asyncio.wait({task, asked}, return_when=asyncio.FIRST_COMPLETED)
        except asyncio.CancelledError:
            task.cancel()
            raise
        finally:
            asked.cancel()
        if task.done():
            self.pending = None
            task.result()
        else:
            self.pending = task

    async def settle(self, tab: Tab) -> None:
        """Wait until the page has come to rest: nothing on its way, nothing changing."""
        last, quiet, loop = "", 0, asyncio.get_running_loop()
        end, patient = loop.time() + SETTLE_SECONDS, loop.time() + SETTLE_SECONDS / 2
        while quiet < QUIET_ROUNDS and loop.time() < end and not self.dialogs and not tab.page.is_closed():
            await asyncio.sleep(ROUND)
            try:
                async with asyncio.timeout(2):
                    now = str(await tab.page.evaluate(FINGERPRINT))
            except (PlaywrightError, TimeoutError):
                now = ""
            busy = bool(tab.busy) and loop.time() < patient
            quiet = quiet + 1 if now and now == last and now.startswith("complete") and not busy else 0
            last = now
        tab.busy.clear()


async def launch(playwright: Playwright, *, sandbox: bool) -> BrowserContext:
    """Chromium on its kept profile. Where the host's kernel forbids what Chromium's own sandbox needs, it runs without:
    the machine around it stays the boundary to the host, and `check` says so."""
    proxy = os.environ.get("BROWSER_PROXY")
    return await playwright.chromium.launch_persistent_context(
        HOME / "profile",
        executable_path=next(place for place in PLACES if os.path.exists(place)),
        headless=False,
        chromium_sandbox=sandbox,
        no_viewport=True,
        args=list(ARGUMENTS),
        ignore_default_args=[AUTOMATION],
        proxy={"server": proxy, "bypass": "localhost,127.0.0.1,[::1]"} if proxy else None,
        downloads_path=HOME / "tmp",
        timeout=60_000,
    )


async def reopen(page: Page, url: str) -> None:
    with contextlib.suppress(PlaywrightError):
        await page.goto(url, wait_until="domcontentloaded", timeout=10_000)


async def failure_of(download: Download) -> str:
    with contextlib.suppress(PlaywrightError):
        return await download.failure() or ""
    return ""


def checked_url(url: str) -> str:
    """A web address, completed when it has no scheme; Trouble for what the browser must not open."""
    wanted = url.strip()
    if "://" not in wanted and not wanted.startswith(("about:", "data:", "javascript:", "file:", "blob:")):
        wanted = f"https://{wanted}"
    if wanted == "about:blank" or (urlsplit(wanted).scheme in ("http", "https") and urlsplit(wanted).hostname):
        return wanted
    raise Trouble(
        f"The browser opens web pages only, http:// or https://, not {url[:80]!r}. Files are read in the shell."
    )


def in_words(error: BaseException) -> str:
    """The gist of Playwright's message: its first line, and what stood in the way."""
    lines = [line.strip(" -") for line in str(error).splitlines() if line.strip()]
    first = lines[0].split(": ", 1)[-1] if lines else type(error).__name__
    hints = (
        "intercepts pointer events",
        "not visible",
        "not enabled",
        "outside of the viewport",
        "not editable",
        "not stable",
    )
    why = next((line for line in reversed(lines[1:]) if any(hint in line for hint in hints)), "")
    if "ERR_TUNNEL_CONNECTION_FAILED" in first or "ERR_PROXY_CONNECTION_FAILED" in first:
        return "the gate did not let the browser reach that site; its name may not exist or lead to a private network"
    return f"{first[:300]} ({why[:200]})" if why else first[:300]
