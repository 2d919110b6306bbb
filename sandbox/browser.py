"""The visual browser as the host sees it: one operation, one view of the page afterwards.

Hides the guest. Operations are named in `ACTIONS`; what each takes is in `Act`. Every view is untrusted material:
it repeats what a page says.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal, Protocol, runtime_checkable

from .egress.types import EgressResponse
from .guest.frames import Message
from .link import Call

ActionName = Literal[
    "outline", "find", "goto", "back", "forward", "reload", "click", "double_click", "hover", "type", "press",
    "select", "set_date", "drag", "scroll", "upload", "download", "dialog", "new_tab", "switch_tab", "close_tab",
    "wait",
]  # fmt: skip

Shot = Literal["view", "full", "screen"]
"""What a picture shows: the visible part of the page, the whole page, or the screen with all windows."""


@dataclass(frozen=True, slots=True)
class Act:
    """One action and its parameters; each action reads those it needs.

    ref, to: elements, as the outline names them ([e12]); to is where a drag ends.
    url: goto, new_tab. text: type, dialog (what to answer a prompt), find, wait. keys: type key by key.
    submit: press Enter after typing. key: press ('Enter', 'Control+A'). values: select, by label or value.
    direction, amount: scroll, in pixels. files: upload, paths in the home. accept: dialog. tab: switch_tab, close_tab.
    date, end: set_date; '2027-03-05', '2027-03', '2027-W09', '2027-03-05T14:30' or '14:30'; end makes it a range.
    part: which part of a long outline. seconds: how long download and wait wait.
    """

    action: ActionName
    ref: str = ""
    to: str = ""
    url: str = ""
    text: str | None = None
    keys: bool = False
    submit: bool = False
    key: str = ""
    values: tuple[str, ...] = ()
    button: Literal["left", "right"] = "left"
    direction: Literal["", "up", "down", "left", "right"] = ""
    amount: int = 0
    files: tuple[str, ...] = ()
    accept: bool = True
    tab: str = ""
    date: str = ""
    end: str = ""
    part: int = 1
    seconds: float = 0.0

    def message(self) -> Message:
        found: Message = {"op": "browse", "do": "act"}
        for name in self.__slots__:
            value: object = getattr(self, name)
            if value not in ("", None, 0, 0.0, ()) or name == "accept":
                found[name] = list(value) if isinstance(value, tuple) else value  # pyright: ignore[reportUnknownArgumentType]
        return found


@dataclass(frozen=True, slots=True)
class DialogBox:
    """A question of the page that holds it up. kind: alert, confirm, prompt or beforeunload."""

    kind: str
    message: str
    default: str = ""


@dataclass(frozen=True, slots=True)
class TabInfo:
    name: str
    url: str


@dataclass(frozen=True, slots=True)
class Arrived:
    """A download. path: absolute in the machine, empty when `error` says why there is no file."""

    name: str
    path: str = ""
    size: int = 0
    error: str = ""


@dataclass(frozen=True, slots=True)
class View:
    """The page after an action.

    note: what the action has to say; ok: whether it did what it should.
    changed: what the page shows now and did not before, and what is gone; empty when it is the same.
    moved: another page, tab or set of tabs than before. outline: part `part` of `parts`.
    news: what happened besides (tabs, crashes). downloading: names of downloads still on their way.
    """

    url: str
    title: str
    tab: str
    ok: bool
    note: str
    outline: str
    part: int
    parts: int
    changed: str
    moved: bool
    dialogs: tuple[DialogBox, ...] = ()
    tabs: tuple[TabInfo, ...] = ()
    arrived: tuple[Arrived, ...] = ()
    downloading: tuple[str, ...] = ()
    news: tuple[str, ...] = ()

    @property
    def nothing_changed(self) -> bool:
        return not (self.changed or self.moved or self.arrived or self.dialogs or self.downloading)


@dataclass(frozen=True, slots=True)
class Point:
    x: int
    y: int


@dataclass(frozen=True, slots=True)
class Pixels:
    """One action on the screen, in its pixels (1280 by 800, from the upper left).

    type: click, double_click, move, drag (path), scroll (scroll_x, scroll_y in pixels), type (text, to what has the
    focus), keypress (keys held together), wait (seconds), screenshot.
    """

    type: Literal["click", "double_click", "move", "drag", "scroll", "type", "keypress", "wait", "screenshot"]
    x: int = 0
    y: int = 0
    button: Literal["left", "right", "middle", "wheel"] = "left"
    path: tuple[Point, ...] = ()
    scroll_x: int = 0
    scroll_y: int = 0
    text: str = ""
    keys: tuple[str, ...] = ()
    seconds: float = 1.0

    def message(self) -> Message:
        found: Message = {name: getattr(self, name) for name in self.__slots__}
        return found | {"path": [{"x": at.x, "y": at.y} for at in self.path], "keys": list(self.keys)}


@dataclass(frozen=True, slots=True)
class Browser:
    """One machine's browser; it starts with the first use. Every method raises MachineError."""

    call: Callable[[Message], Awaitable[Call]] = field(repr=False)

    async def act(self, act: Act) -> View:
        """Do one thing and look at the page. What did not work is said in the view (`ok`, `note`)."""
        return view(await self._ask(act.message()))

    async def screenshot(self, of: Shot = "view", ref: str = "") -> bytes:
        """A picture as PNG: of the page, the whole screen, or one element."""
        return await self._bytes({"op": "browse", "do": "shot", "of": of, "ref": ref})

    async def pixels(self, actions: Sequence[Pixels]) -> bytes:
        """Do these one after the other, then return the screen as PNG."""
        return await self._bytes({"op": "browse", "do": "pixels", "actions": [one.message() for one in actions]})

    async def running(self) -> bool:
        """Whether it has been started; asking does not start it."""
        return bool((await self._ask({"op": "browse", "do": "running"}))["running"])

    async def used(self) -> bool:
        """Whether it runs or ever did, so that it may have cookies; asking does not start it."""
        return bool((await self._ask({"op": "browse", "do": "running"}))["used"])

    async def fetch(self, url: str, *, scripts: bool = False) -> EgressResponse:
        """GET a page with the browser's cookies and the machine's way out. Cookies the answer sets are the browser's
        from then on. With `scripts` it is opened in a tab of its own and read when it has come to rest. Text longer
        than 64 MiB is cut."""
        async with await self.call({"op": "browse", "do": "render" if scripts else "fetch", "url": url}) as call:
            body = b"".join([piece async for piece in call.pieces()])
            end = await call.result()
        headers = tuple((str(name), str(value)) for name, value in end["headers"])
        return EgressResponse(int(end["status"]), headers, body, str(end["url"]), bool(end["truncated"]))

    async def _ask(self, request: Message) -> Message:
        async with await self.call(request) as call:
            return await call.result()

    async def _bytes(self, request: Message) -> bytes:
        async with await self.call(request) as call:
            data = b"".join([piece async for piece in call.pieces()])
            await call.result()
        return data


@runtime_checkable
class Browsers(Protocol):
    """A machine with a visual browser."""

    def browser(self) -> Browser: ...


def view(answer: Message) -> View:
    def some(name: str) -> list[dict[str, Any]]:
        return list(answer.get(name) or ())

    arrived = [
        Arrived(str(one["name"]), str(one.get("path", "")), int(one.get("size", 0)), str(one.get("error", "")))
        for one in some("arrived")
    ]
    return View(
        url=str(answer["url"]),
        title=str(answer.get("title", "")),
        tab=str(answer["tab"]),
        ok=not answer["failed"],
        note=str(answer["note"]),
        outline=str(answer["outline"]),
        part=int(answer.get("part", 1)),
        parts=int(answer.get("parts", 1)),
        changed=str(answer.get("changed", "")),
        moved=bool(answer.get("moved")),
        dialogs=tuple(DialogBox(str(one["kind"]), str(one["message"]), str(one["default"])) for one in some("dialogs")),
        tabs=tuple(TabInfo(str(one["name"]), str(one["url"])) for one in some("tabs")),
        arrived=tuple(arrived),
        downloading=tuple(str(name) for name in answer.get("downloading") or ()),
        news=tuple(str(one) for one in answer.get("news") or ()),
    )
