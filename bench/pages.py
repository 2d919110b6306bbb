"""The text browser on real pages, against Playwright's own accessibility snapshot of the same pages in Chromium.

Tokens are estimated as characters by four for both. Times are of reading alone: the page is in memory for the one, and
loaded in the browser for the other.
"""

from __future__ import annotations

import statistics
import time

from playwright.async_api import async_playwright

from bench.figures import line
from sandbox.reader import from_html
from tests.support.pages import documentation, url_of

PAGES = 60


async def main() -> None:
    """Both on the same sample."""
    every = documentation()
    sample = every[:: len(every) // PAGES][:PAGES]
    ours: list[float] = []
    theirs: list[float] = []
    sizes: list[tuple[int, int]] = []
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path="/usr/bin/chromium", args=["--no-sandbox"])
        tab = await browser.new_page()
        for path in sample:
            body = path.read_bytes()
            began = time.perf_counter()
            page = from_html(body, "text/html", url_of(path))
            text = "".join(str(page.part(place)) for place in range(1, page.part().of + 1))
            ours.append(time.perf_counter() - began)
            await tab.goto(path.as_uri())
            began = time.perf_counter()
            snapshot = await tab.locator("body").aria_snapshot()
            theirs.append(time.perf_counter() - began)
            sizes.append((len(text) // 4, len(snapshot) // 4))
        await browser.close()
    print(line(f"text browser, {len(every)} pages there, {len(sample)} read", ours))
    print(line("peer: accessibility snapshot", theirs))
    mine, peer = (statistics.median(column) for column in zip(*sizes, strict=True))
    print(f"tokens per page, median: {mine:.0f} against {peer:.0f}, ratio {mine / peer:.2f}")
    print(f"ratio of medians in time: {statistics.median(ours) / statistics.median(theirs):.2f}")
