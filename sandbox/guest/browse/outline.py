"""A page as lines a model can read, with refs that lead back to the elements.

Hides frames: each document keeps its own registry of refs (in outline.js), and the outlines of frames are put
where the frames stand. Refs are unique in a tab and stay with their element until it leaves the page.
"""

from __future__ import annotations

import asyncio
import collections
import re
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from playwright.async_api import ElementHandle, Frame, JSHandle, Page
from playwright.async_api import Error as PlaywrightError

SCRIPT = Path(__file__).with_name("outline.js").read_text()
FRAMES_MAX = 30
FRAME_SECONDS = 6.0
PART_CHARACTERS = 14_000
FOCUSED = re.compile(r" focused$")


class Trouble(Exception):
    """What could not be done, in words for the model."""


@dataclass(slots=True)
class Pages:
    """The refs of one tab, and what its last outline said."""

    page: Page
    registries: dict[Frame, JSHandle] = field(default_factory=dict[Frame, JSHandle])
    frames: dict[str, Frame] = field(default_factory=dict[str, Frame])
    seed: int = 1
    lines: list[str] = field(default_factory=list[str])
    focus: str = ""

    async def outline(self, ref: str = "") -> list[str]:
        """All lines of the page, or of what is in `ref`."""
        self.registries = {frame: one for frame, one in self.registries.items() if not frame.is_detached()}
        frame = self.frame_of(ref) if ref else self.page.main_frame
        return await self.read(frame, ref, 0)

    async def find(self, words: str) -> list[str]:
        """Lines for the smallest elements that contain `words`, in all frames."""
        found: list[str] = []
        for frame in self.page.frames[:FRAMES_MAX]:
            answer = await self.ask(
                frame, "(registry, [words, seed]) => registry.find(words, seed)", [words, self.seed]
            )
            found += [str(line["text"]) for line in self.learn(frame, answer)]
        return found

    async def read(self, frame: Frame, ref: str, depth: int) -> list[str]:
        try:
            answer = await self.ask(frame, "(registry, [ref, seed]) => registry.outline(ref, seed)", [ref, self.seed])
        except (PlaywrightError, TimeoutError):
            return [f"{'  ' * depth}- text: (this frame did not answer)"]
        lines = self.learn(frame, answer)
        inner = await self.children(
            frame, depth, {str(line["ref"]): int(line["depth"]) for line in lines if line.get("ref")}
        )
        out: list[str] = []
        for line in lines:
            out.append("  " * (depth + int(line["depth"])) + str(line["text"]))
            out += inner.get(str(line.get("ref") or "-"), [])
        return out

    async def children(self, frame: Frame, depth: int, shown: dict[str, int]) -> dict[str, list[str]]:
        """What is in the frames within `frame`, by the ref of the element that holds each."""
        found: dict[str, list[str]] = {}
        for child in frame.child_frames[:FRAMES_MAX]:
            try:
                holder = await child.frame_element()
                ref = str(await self.registries[frame].evaluate("(registry, el) => registry.refOf(el)", holder))
            except (PlaywrightError, KeyError):
                continue
            if ref in shown:
                found[ref] = await self.read(child, "", depth + shown[ref] + 1)
        return found

    def learn(self, frame: Frame, answer: dict[str, Any]) -> list[dict[str, Any]]:
        self.seed = max(self.seed, int(answer["next"]))
        for line in answer["lines"]:
            if line.get("ref"):
                self.frames[str(line["ref"])] = frame
        return list(answer["lines"])

    async def ask(self, frame: Frame, script: str, argument: list[Any]) -> dict[str, Any]:
        """Ask the document's registry; a new document gets a new one."""
        async with asyncio.timeout(FRAME_SECONDS):
            for attempt in range(3):
                try:
                    if frame not in self.registries:
                        self.registries[frame] = await frame.evaluate_handle(SCRIPT)
                    return await self.registries[frame].evaluate(script, argument)
                except PlaywrightError:
                    self.registries.pop(frame, None)
                    if attempt == 2:
                        raise
        raise TimeoutError

    def frame_of(self, ref: str) -> Frame:
        frame = self.frames.get(ref)
        if frame is None or frame.is_detached():
            raise Trouble(f"There is no {ref} on this page. Take a ref from the latest outline.")
        return frame

    async def element(self, ref: str) -> ElementHandle:
        """The element behind a ref. Trouble when it has left the page."""
        frame = self.frame_of(ref)
        try:
            handle = await self.registries[frame].evaluate_handle("(registry, ref) => registry.element(ref)", ref)
            element = handle.as_element()
        except (PlaywrightError, KeyError):
            element = None
        if element is None:
            raise Trouble(f"{ref} is no longer on the page. Look at the outline again and take a new ref.")
        return element

    def changes(self, lines: list[str]) -> str:
        """What is new and what is gone since the last outline, in words; empty when nothing is."""
        before, after = plain(self.lines), plain(lines)
        focus = next((line.strip() for line in lines if FOCUSED.search(line)), "")
        moved = focus and focus != self.focus
        self.lines, self.focus = lines, focus
        gone, new = list((before - after).elements()), list((after - before).elements())
        words: list[str] = []
        if new:
            words.append("now shows:\n" + listed(new, 14))
        if gone:
            words.append("no longer shows:\n" + listed(gone, 8))
        if not words and moved:
            words.append(f"only the focus moved: {FOCUSED.sub('', focus)}")
        return "\n".join(words)


def plain(lines: list[str]) -> collections.Counter[str]:
    return collections.Counter(FOCUSED.sub("", line.strip()) for line in lines)


def listed(lines: list[str], most: int) -> str:
    shown = [line if len(line) <= 240 else f"{line[:239]}…" for line in lines[:most]]
    if len(lines) > most:
        shown.append(f"… and {len(lines) - most} more lines")
    return "\n".join(shown)


def part(lines: list[str], number: int) -> tuple[str, int]:
    """The `number`th part of an outline (from 1), and how many there are."""
    parts: list[list[str]] = [[]]
    size = 0
    for line in lines:
        if size + len(line) > PART_CHARACTERS and parts[-1]:
            parts.append([])
            size = 0
        parts[-1].append(line)
        size += len(line) + 1
    number = min(max(number, 1), len(parts))
    return "\n".join(parts[number - 1]), len(parts)
