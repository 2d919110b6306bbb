"""What the model can do on a page, one function each: a request in, the page changed.

Hides which of Playwright's ways fits which widget. A function raises Trouble for what the model should hear; a
sentence it returns is added to the answer.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any, Literal

from playwright.async_api import ElementHandle
from playwright.async_api import Error as PlaywrightError

from .dates import set_date
from .outline import Trouble
from .session import TABS_MAX, Session, Tab, checked_url

Request = dict[str, Any]
DOWNLOAD_BEGINS = 20.0
Action = Callable[[Session, Tab, Request], Awaitable[str | None]]
Button = Literal["left", "middle", "right"]

PLACE = """() => { const root = document.scrollingElement || document.documentElement;
  return [Math.round(root.scrollTop), Math.max(0, root.scrollHeight - root.clientHeight)] }"""
KIND = """el => [el.tagName, el.type || '', el.isContentEditable]"""
EDITABLE = """el => el.matches('input,textarea,select') || el.isContentEditable ? el
  : el.querySelector('input:not([type=hidden]),textarea,[contenteditable]') || (el.shadowRoot
  && el.shadowRoot.querySelector('input:not([type=hidden]),textarea')) || el"""


async def goto(session: Session, tab: Tab, request: Request) -> str | None:
    url = checked_url(str(request.get("url") or ""))
    try:
        response = await tab.page.goto(url, wait_until="domcontentloaded")
    except PlaywrightError as error:
        if "Download is starting" in str(error) or "ERR_ABORTED" in str(error):
            await session.download_begins(5)
            return None
        raise
    if response is not None and response.status >= 400:
        return f"The site answered with HTTP {response.status}."
    return None


async def back(session: Session, tab: Tab, request: Request) -> str | None:
    before = tab.page.url
    await tab.page.go_back(wait_until="domcontentloaded")
    return None if tab.page.url != before else "There is nothing to go back to."


async def forward(session: Session, tab: Tab, request: Request) -> str | None:
    before = tab.page.url
    await tab.page.go_forward(wait_until="domcontentloaded")
    return None if tab.page.url != before else "There is nothing to go forward to."


async def reload(session: Session, tab: Tab, request: Request) -> str | None:
    await tab.page.reload(wait_until="domcontentloaded")
    return None


async def click(session: Session, tab: Tab, request: Request) -> str | None:
    element = await target(tab, request)
    button: Button = "right" if request.get("button") == "right" else "left"
    if request["action"] == "double_click":
        await element.dblclick(button=button)
    else:
        await element.click(button=button)
    return None


async def hover(session: Session, tab: Tab, request: Request) -> str | None:
    await (await target(tab, request)).hover()
    return None


async def type_text(session: Session, tab: Tab, request: Request) -> str | None:
    text = str(request.get("text") or "")
    element = (await (await target(tab, request)).evaluate_handle(EDITABLE)).as_element()
    if element is None:
        raise Trouble("There is nothing to type into.")
    tag, kind, rich = await element.evaluate(KIND)
    if tag not in ("INPUT", "TEXTAREA") and not rich:
        raise Trouble(f"{request['ref']} is no text field.")
    if kind in ("date", "datetime-local", "month", "week", "time"):
        raise Trouble("This is a date field: use set_date.")
    if request.get("keys"):
        await element.click()
        await tab.page.keyboard.press("Control+A")
        await tab.page.keyboard.press("Delete")
        await tab.page.keyboard.type(text, delay=15)
    else:
        await element.fill(text)
    if request.get("submit"):
        await element.press("Enter")
    return None


async def press(session: Session, tab: Tab, request: Request) -> str | None:
    names = {"ctrl": "Control", "control": "Control", "cmd": "Control", "esc": "Escape", "del": "Delete"}
    parts = str(request.get("key") or "").split("+") if request.get("key") != "+" else ["+"]
    key = "+".join(names.get(part.lower(), part[:1].upper() + part[1:] if len(part) > 1 else part) for part in parts)
    if request.get("ref"):
        await (await target(tab, request)).press(key)
    else:
        await tab.page.keyboard.press(key)
    return None


async def select(session: Session, tab: Tab, request: Request) -> str | None:
    values = strings(request.get("values"))
    element = await target(tab, request)
    if (await element.evaluate(KIND))[0] == "SELECT":
        labels: list[str] = await element.evaluate("el => [...el.options].map(one => one.label.trim())")
        raw: list[str] = await element.evaluate("el => [...el.options].map(one => one.value)")
        unknown = [value for value in values if value not in labels and value not in raw]
        if unknown:
            raise Trouble(f"There is no option {unknown[0]!r}. There are: {' | '.join(labels[:40])}")
        places = [labels.index(value) if value in labels else raw.index(value) for value in values]
        await element.select_option(index=places)
        return None
    await element.click()
    for value in values:
        option = tab.pages.frame_of(str(request["ref"])).get_by_role("option", name=value, exact=True).first
        try:
            await option.click()
        except PlaywrightError:
            raise Trouble(f"The list opened, but there is no option {value!r} in it. Look at the outline.") from None
    return None


async def drag(session: Session, tab: Tab, request: Request) -> str | None:
    source = await target(tab, request)
    goal = await tab.pages.element(str(request.get("to") or ""))
    mouse = tab.page.mouse
    await source.hover()
    await mouse.down()
    try:
        x, y = await middle(goal)
        await mouse.move(x - 3, y - 3, steps=8)
        await mouse.move(x, y, steps=4)
    finally:
        await mouse.up()
    return None


async def middle(element: ElementHandle) -> tuple[float, float]:
    await element.scroll_into_view_if_needed()
    box = await element.bounding_box()
    if box is None:
        raise Trouble("The place to drag to is not visible.")
    return box["x"] + box["width"] / 2, box["y"] + box["height"] / 2


async def scroll(session: Session, tab: Tab, request: Request) -> str | None:
    if request.get("ref") and not request.get("direction"):
        await (await target(tab, request)).scroll_into_view_if_needed()
        return "Scrolled it into view."
    amount = float(request.get("amount") or 600)
    right, down = {"up": (0, -1), "left": (-1, 0), "right": (1, 0)}.get(str(request.get("direction")), (0, 1))
    if request.get("ref"):
        await (await target(tab, request)).hover()
    else:
        width, height = await tab.page.evaluate("() => [innerWidth, innerHeight]")
        await tab.page.mouse.move(width / 2, height / 2)
    before = now = await tab.page.evaluate(PLACE)
    await tab.page.mouse.wheel(right * amount, down * amount)
    for _ in range(10):
        await asyncio.sleep(0.1)
        now = await tab.page.evaluate(PLACE)
        if now != before:
            break
    return f"The page stands at {now[0]} of {now[1]} pixels."


async def upload(session: Session, tab: Tab, request: Request) -> str | None:
    files = strings(request.get("files"))
    if not request.get("ref"):
        if session.chooser is None:
            raise Trouble("No page asks for a file. Give the ref of a file input or of the button that opens one.")
        chooser, session.chooser = session.chooser, None
        await chooser.set_files(files)
        return None
    element = await target(tab, request)
    if list(await element.evaluate(KIND))[:2] == ["INPUT", "file"]:
        await element.set_input_files(files)
        return None
    async with tab.page.expect_file_chooser(timeout=6_000) as opening:
        await element.click()
    chooser = await opening.value
    session.chooser = None
    session.news = [one for one in session.news if not one.startswith("The page asks for a file")]
    await chooser.set_files(files)
    return None


async def download(session: Session, tab: Tab, request: Request) -> str | None:
    """Click what starts a download, if a ref is given, and wait for all that is on its way. A file that the browser
    shows instead of saving it is saved from there."""
    before = len(session.arrived)
    if request.get("ref"):
        url, tabs = tab.page.url, len(session.tabs)
        await (await target(tab, request)).click()
        end = asyncio.get_running_loop().time() + DOWNLOAD_BEGINS
        while not session.downloading and len(session.arrived) == before:
            front = await session.tab()
            if (len(session.tabs) > tabs or front.page.url != url) and await session.keep_shown(front):
                break
            if asyncio.get_running_loop().time() > end:
                return "No download has begun, and no file is shown."
            await asyncio.sleep(0.1)
    await session.downloads(float(request.get("seconds") or 120))
    return None if len(session.arrived) > before else "Nothing has arrived."


async def dialog(session: Session, tab: Tab, request: Request) -> str | None:
    if not session.dialogs:
        raise Trouble("No dialog is open.")
    asked = session.dialogs.pop(0)
    session.asked.clear()
    if request.get("accept", True):
        await asked.accept(str(request["text"])) if request.get("text") is not None else await asked.accept()
    else:
        await asked.dismiss()
    if session.pending is not None:
        await session.until_asked(session.pending)
    return None


async def new_tab(session: Session, tab: Tab, request: Request) -> str | None:
    if len(session.tabs) >= TABS_MAX:
        raise Trouble(f"{TABS_MAX} tabs are open. Close some first.")
    await session.context.new_page()
    return await goto(session, await session.tab(), request) if request.get("url") else None


async def switch_tab(session: Session, tab: Tab, request: Request) -> str | None:
    session.current = named(session, request)
    await session.current.page.bring_to_front()
    return None


async def close_tab(session: Session, tab: Tab, request: Request) -> str | None:
    going = named(session, request) if request.get("tab") else tab
    if len(session.tabs) == 1:
        await session.context.new_page()
    await going.page.close()
    return None


def named(session: Session, request: Request) -> Tab:
    for tab in session.tabs:
        if tab.name == request.get("tab"):
            return tab
    raise Trouble(f"There is no tab {request.get('tab')!r}. There are: {', '.join(tab.name for tab in session.tabs)}")


async def wait(session: Session, tab: Tab, request: Request) -> str | None:
    """Until `text` is on the page, or for some seconds."""
    seconds = min(float(request.get("seconds") or 5), 30)
    if not request.get("text"):
        await asyncio.sleep(seconds)
        return None
    end = asyncio.get_running_loop().time() + seconds
    while not await tab.pages.find(str(request["text"])):
        if asyncio.get_running_loop().time() > end:
            raise Trouble(f"{request['text']!r} has not appeared within {seconds:g} seconds.")
        await asyncio.sleep(0.2)
    return None


def strings(value: object) -> list[str]:
    return [str(one) for one in value] if isinstance(value, list) else []  # pyright: ignore[reportUnknownVariableType, reportUnknownArgumentType]


async def target(tab: Tab, request: Request) -> ElementHandle:
    if not request.get("ref"):
        raise Trouble("Say which element: give its ref from the outline.")
    return await tab.pages.element(str(request["ref"]))


async def look(session: Session, tab: Tab, request: Request) -> str | None:
    return None


ACTIONS: dict[str, Action] = {
    "outline": look, "find": look, "goto": goto, "back": back, "forward": forward, "reload": reload, "click": click,
    "double_click": click, "hover": hover, "type": type_text, "press": press, "select": select, "drag": drag,
    "scroll": scroll, "upload": upload, "download": download, "dialog": dialog, "new_tab": new_tab,
    "switch_tab": switch_tab, "close_tab": close_tab, "wait": wait, "set_date": set_date,
}  # fmt: skip
