"""The browser program's main loop: requests from the guest program in, answers out.

Hides the order of things: actions run one at a time, each is followed by a look at the page, and what happened
meanwhile (dialogs, new tabs, downloads) is part of the answer.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import socket
import sys
import traceback
from dataclasses import dataclass, field
from typing import Any

from playwright.async_api import Error as PlaywrightError

from .actions import ACTIONS
from .outline import Trouble, part
from .screen import Screen
from .session import Session, Tab, checked_url, in_words
from .wire import CHUNK, CONTROL, DATA, END, OPEN, Broken, Message, encode, encode_message, receive

VNC = os.environ.get("XDG_RUNTIME_DIR", "/run/desktop") + "/vnc"
FETCH_MAX = 64 * 1024 * 1024
ONLY_DIALOG = "The page is asking something and waits: answer it with dialog first."


@dataclass(slots=True)
class Program:
    writer: asyncio.StreamWriter
    turn: asyncio.Lock = field(default_factory=asyncio.Lock)
    session: Session | None = None
    screen: Screen | None = None
    tasks: dict[int, asyncio.Task[None]] = field(default_factory=dict[int, asyncio.Task[None]])
    leaving: bool = False

    async def serve(self, reader: asyncio.StreamReader) -> None:
        with contextlib.suppress(Broken):
            while True:
                frame = await receive(reader)
                if frame.kind == OPEN:
                    task = asyncio.create_task(self.answer(frame.channel, frame.message()))
                    self.tasks[frame.channel] = task
                    task.add_done_callback(lambda _, number=frame.channel: self.tasks.pop(number, None))
                elif frame.kind == CONTROL and frame.channel in self.tasks:
                    self.tasks[frame.channel].cancel()

    async def answer(self, number: int, request: Message) -> None:
        end: Message = {"error": "browser", "message": "This was broken off."}
        try:
            end = await self.do(number, request)
        except Trouble as trouble:
            end = {"error": "browser", "message": str(trouble)}
        except Exception as error:  # noqa: BLE001  (whatever it is: the model is told, the program goes on)
            traceback.print_exc()
            end = {"error": "browser", "message": f"That did not work: {in_words(error)}"}
        finally:
            self.writer.write(encode_message(END, number, end))

    async def do(self, number: int, request: Message) -> Message:
        match request["do"]:
            case "act":
                async with self.turn:
                    return await self.act(request)
            case "shot":
                async with self.turn:
                    return await self.send(number, await self.shot(request))
            case "pixels":
                async with self.turn:
                    return await self.send(number, await self.pixels(request))
            case "fetch":
                return await self.fetch(number, request)
            case "render":
                async with self.turn:
                    return await self.render(number, request)
            case "keep":
                if self.session is not None:
                    await self.session.keep()
                return {}
            case "leave":
                return await self.leave()
            case _:
                raise Trouble(f"The browser has no operation {request['do']!r}.")

    async def send(self, number: int, data: bytes, end: Message | None = None) -> Message:
        for start in range(0, len(data), CHUNK):
            self.writer.write(encode(DATA, number, data[start : start + CHUNK]))
            await self.writer.drain()
        return end or {}

    async def running(self) -> Session:
        if self.session is None:
            self.session = await Session.open()
            self.session.context.on("close", lambda _: None if self.leaving else os._exit(0))
        return self.session

    async def leave(self) -> Message:
        """Close the browser properly: only then all that pages stored is on the disk."""
        if self.session is not None:
            self.leaving = True
            await self.session.keep()
            await self.session.context.close()
        os._exit(0)

    async def act(self, request: Message) -> Message:
        session = await self.running()
        name = str(request["action"])
        if name not in ACTIONS:
            raise Trouble(f"There is no action {name!r}. There are: {', '.join(ACTIONS)}")
        if session.dialogs and name != "dialog":
            return await self.report(session, await session.tab(), {}, ONLY_DIALOG)
        tab = await session.tab()
        before = (tab, tab.page.url, set(session.tabs))
        note: list[str] = []

        async def work() -> None:
            said = await ACTIONS[name](session, tab, request)
            note.append(said or "")

        try:
            await session.run(work())
        except (PlaywrightError, TimeoutError) as error:
            note.append(f"That did not work: {in_words(error)}")
            request = {**request, "failed": True}
        except Trouble as trouble:
            note.append(str(trouble))
            request = {**request, "failed": True}
        after = await session.tab()
        if name not in ("outline", "find"):
            await session.settle(after)
            after = await session.tab()
            await session.downloads(5)
        answer = await self.report(session, after, request, " ".join(filter(None, note)))
        moved = (after, after.page.url, set(session.tabs)) != before
        answer["moved"] = moved
        await session.keep()
        return answer

    async def report(self, session: Session, tab: Tab, request: Message, note: str) -> Message:
        """The page as it is now. No outline while it waits for a dialog: it would not answer."""
        answer: Message = {"note": note, "failed": bool(request.get("failed")), "url": tab.page.url, "tab": tab.name}
        answer |= {"title": "", "outline": "", "part": 1, "parts": 1, "changed": ""}
        if not session.dialogs:
            answer |= await look_at(tab, request)
        answer["dialogs"] = [
            {"kind": one.type, "message": one.message[:1000], "default": one.default_value} for one in session.dialogs
        ]
        answer["tabs"] = [{"name": one.name, "url": one.page.url} for one in session.tabs]
        answer["downloading"] = list(session.downloading.values())
        answer["news"], session.news = list(session.news), []
        answer["arrived"], session.arrived = list(session.arrived), []
        return answer

    async def shot(self, request: Message) -> bytes:
        if request.get("of") == "screen":
            await self.running()
            return await (await self.eyes()).shot()
        session = await self.running()
        if session.dialogs:
            return await (await self.eyes()).shot()
        tab = await session.tab()
        if request.get("ref"):
            return await (await tab.pages.element(str(request["ref"]))).screenshot(type="png")
        return await tab.page.screenshot(type="png", full_page=request.get("of") == "full")

    async def eyes(self) -> Screen:
        if self.screen is None or self.screen.reader.at_eof():
            self.screen = await Screen.connect(VNC)
        return self.screen

    async def pixels(self, request: Message) -> bytes:
        """Do the batched actions on the screen, then look at it."""
        session = await self.running()
        screen = await self.eyes()
        for action in request["actions"]:
            if action.get("type") == "type" and not str(action.get("text") or "").isascii():
                # The server's keyboard has no such keys: hand the text to the page that has the focus.
                await (await session.tab()).page.keyboard.insert_text(str(action["text"]))
                continue
            await by_pixels(screen, action)
        if not session.dialogs and request["actions"]:
            await session.settle(await session.tab())
        await session.keep()
        return await screen.shot()

    async def fetch(self, number: int, request: Message) -> Message:
        """A page with the browser's cookies, its scripts not run."""
        session = await self.running()
        url = checked_url(str(request["url"]))
        response = await session.context.request.get(url, timeout=30_000, fail_on_status_code=False)
        body = await response.body()
        end: Message = {"status": response.status, "url": response.url, "truncated": len(body) > FETCH_MAX}
        end["headers"] = [[one["name"].lower(), one["value"]] for one in response.headers_array]
        await response.dispose()
        await session.keep()
        return await self.send(number, body[:FETCH_MAX], end)

    async def render(self, number: int, request: Message) -> Message:
        """A page as it stands once its scripts have run, in a tab that nobody sees in the list."""
        session = await self.running()
        url = checked_url(str(request["url"]))
        async with session.aside() as tab:
            response = await tab.page.goto(url, wait_until="domcontentloaded")
            await session.settle(tab)
            body = (await tab.page.content()).encode()
            end: Message = {"status": response.status if response else 200, "url": tab.page.url}
        end |= {"truncated": len(body) > FETCH_MAX, "headers": [["content-type", "text/html; charset=utf-8"]]}
        await session.keep()
        return await self.send(number, body[:FETCH_MAX], end)


async def look_at(tab: Tab, request: Message) -> Message:
    """Title, outline and changes of a page."""
    try:
        if request.get("action") == "find":
            found = await tab.pages.find(str(request.get("text") or ""))
            text = "\n".join(found) or f"{request.get('text')!r} does not occur on the page."
            return {"title": await tab.page.title(), "outline": text, "found": True}
        whole = await tab.pages.outline()
        changed = tab.pages.changes(whole)
        lines = (
            await tab.pages.outline(str(request["ref"]))
            if request.get("action") == "outline" and request.get("ref")
            else whole
        )
        text, parts = part(lines, int(request.get("part") or 1))
        title = await tab.page.title()
        return {
            "title": title,
            "outline": text,
            "part": int(request.get("part") or 1),
            "parts": parts,
            "changed": changed,
        }
    except (PlaywrightError, TimeoutError) as error:
        return {"outline": f"(The page cannot be read now: {in_words(error)})"}


async def by_pixels(screen: Screen, action: dict[str, Any]) -> None:
    """One action of the computer tool."""
    x, y = int(action.get("x") or 0), int(action.get("y") or 0)
    match action.get("type"):
        case "click":
            await screen.click(x, y, str(action.get("button") or "left"), 1)
        case "double_click":
            await screen.click(x, y, "left", 2)
        case "move":
            await screen.move(x, y)
        case "drag":
            await screen.drag([(int(point["x"]), int(point["y"])) for point in action["path"]])
        case "scroll":
            await screen.scroll(x, y, int(action.get("scroll_x") or 0), int(action.get("scroll_y") or 0))
        case "type":
            await screen.type(str(action.get("text") or ""))
        case "keypress":
            await screen.press([str(key) for key in action["keys"]])
        case "wait":
            await asyncio.sleep(min(float(action.get("seconds") or 1), 10))
        case "screenshot":
            return
        case other:
            raise Trouble(f"There is no action {other!r} on the screen.")


async def run() -> None:
    reader, writer = await asyncio.open_connection(sock=socket.socket(fileno=os.dup(0)))
    await Program(writer).serve(reader)


def main() -> None:
    """Serve the guest program on standard input, a socket; the browser ends with it."""
    os.umask(0o077)
    try:
        asyncio.run(run())
    finally:
        sys.stderr.flush()
        os._exit(0)
