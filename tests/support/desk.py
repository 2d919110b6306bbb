"""A desk for a model to work at: it calls the model again and again, does what it asks for, and keeps the items.

Commands run for real in a folder that stands for the machine's home; results read as the bot's tools word them.
"""

from __future__ import annotations

import asyncio
import json
import os
import shutil
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from bot.entries import Item
from bot.models.types import Completed, Model, ModelRequest, TextDelta
from sandbox.types import HOME

ROOT = Path(__file__).parents[2]
NAMES = (
    "plan", "shell", "read_file", "write_file", "edit_file", "web_open", "web_search", "deliver_file", "ask", "note",
    "thread_history",
)  # fmt: skip

Answer = Callable[[dict[str, Any]], str]


def machine_python() -> str:
    """The interpreter that programs in the machine get, or ours where that tree was not made."""
    theirs = ROOT / ".venv-machine" / "bin" / "python"
    return str(theirs) if theirs.exists() else sys.executable


@dataclass(slots=True)
class Desk:
    """One conversation. `answers` stand for the tools that reach outside; `calls` are in order."""

    model: Model
    home: Path
    answers: Mapping[str, Answer] = field(default_factory=dict[str, Answer])
    without: frozenset[str] = frozenset()
    python: str = field(default_factory=machine_python)
    items: list[Item] = field(default_factory=list[Item])
    calls: list[tuple[str, dict[str, Any]]] = field(default_factory=list[tuple[str, dict[str, Any]]])
    delivered: list[Path] = field(default_factory=list[Path])
    shown: str = ""

    def attach(self, name: str, data: bytes) -> str:
        """Put a file into the inbox; returns the line that announces it."""
        path = self.home / "inbox" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(data)
        return f"[file: {HOME}/inbox/{name}, {len(data)} bytes, text/csv]"

    def say(self, text: str, *lines: str) -> None:
        """A person's message, as the context writes it."""
        body = "\n".join(("[Maria, 2026-11-30 09:00 UTC]", text, *lines))
        self.items.append({"role": "user", "content": [{"type": "input_text", "text": body}]})

    def news(self, text: str) -> None:
        """The bot's own word to the model."""
        self.items.append({"role": "user", "content": [{"type": "input_text", "text": text}]})

    async def step(self) -> Completed:
        """One reply of the model, its calls done."""
        tools = tuple({"type": "function", "name": name} for name in NAMES if name not in self.without)
        request = ModelRequest("", tuple(self.items), tools, "desk")
        events = [event async for event in self.model.stream(request)]
        reply = events[-1]
        assert isinstance(reply, Completed), reply
        self.shown = "".join(event.text for event in events if isinstance(event, TextDelta))
        self.items += reply.items
        for item in reply.items:
            if item["type"] == "function_call":
                output = await self._do(item["name"], json.loads(item["arguments"]))
                self.items.append({"type": "function_call_output", "call_id": item["call_id"], "output": output})
        return reply

    async def work(self) -> str:
        """Steps until the model answers; the answer."""
        for _ in range(60):
            reply = await self.step()
            if not any(item["type"] == "function_call" for item in reply.items):
                return self.shown
        raise AssertionError("the model never came to an end")

    def plans(self) -> list[dict[str, Any]]:
        """The plans as they were shown, in order."""
        return [arguments for name, arguments in self.calls if name == "plan"]

    def commands(self) -> list[str]:
        """What was run, in order."""
        return [arguments["command"] for name, arguments in self.calls if name == "shell"]

    async def _do(self, name: str, arguments: dict[str, Any]) -> str:
        self.calls.append((name, arguments))
        if name in self.answers:
            return self.answers[name](arguments)
        match name:
            case "shell":
                return await self._shell(arguments["command"])
            case "write_file":
                path = self._here(arguments["path"])
                path.parent.mkdir(parents=True, exist_ok=True)
                path.write_text(arguments["content"], encoding="utf-8")
                return f"Wrote {arguments['path']}, {path.stat().st_size} bytes."
            case "deliver_file":
                path = self._here(arguments["path"])
                if not path.is_file():
                    return f"{arguments['path']} does not exist."
                self.delivered.append(path)
                return f"{arguments.get('name') or path.name} (1 KB) goes into the thread with your answer."
            case _:
                return {"plan": "The plan is on the card.", "note": "Noted."}.get(name, f"There is no tool {name}.")

    def _here(self, path: str) -> Path:
        return Path(path.replace(HOME, str(self.home)))

    async def _shell(self, command: str) -> str:
        programs = self.home / ".bin"
        programs.mkdir(exist_ok=True)
        if not (programs / "python3").exists():
            (programs / "python3").write_text(f'#!/bin/sh\nexec "{self.python}" "$@"\n')
            (programs / "python3").chmod(0o755)
        fonts = Path(os.environ.get("XDG_CACHE_HOME", "/tmp")) / "threadhand-test-fonts"
        process = await asyncio.create_subprocess_exec(
            shutil.which("bash") or "bash",
            "-c",
            command.replace(HOME, str(self.home)),
            cwd=self.home,
            env={**os.environ, "PATH": f"{programs}:{os.environ['PATH']}", "MPLCONFIGDIR": str(fonts)},
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.STDOUT,
        )
        output, _ = await process.communicate()
        text = output.decode(errors="replace").replace(str(self.home), HOME).rstrip("\n")
        return text if process.returncode == 0 else f"{text}\n[exit code {process.returncode}]"
