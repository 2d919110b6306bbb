"""The model's hands on its computer: a shell and files. Every limit comes back as words it can act on."""

from __future__ import annotations

import mimetypes
import posixpath
from functools import wraps
from typing import Any

from pydantic import BaseModel, Field

from bot.context import human_size
from bot.entries import Deliverable
from bot.pictures import kind_of
from bot.session.state import shorten
from bot.tools.types import Bench, Outcome, Tool
from policies.types import Effect
from sandbox.types import HOME, READ_MAX, ExecResult, MachineError

OUTPUT_MOST = 30_000
"""Characters of one result that reach the model."""
DELIVER_MOST = 100_000_000
"""Bytes of one file that is handed over."""


class Shell(BaseModel):
    """Run a command."""

    command: str = Field(description="What bash runs, in your home folder.")
    timeout_s: float = Field(120, gt=0, le=3600, description="Seconds after which it is ended.")


class ReadFile(BaseModel):
    """Read a text file."""

    path: str
    offset: int = Field(1, ge=1, description="First line, counted from 1.")
    limit: int = Field(400, ge=1, le=5000, description="How many lines.")


class WriteFile(BaseModel):
    """Write a whole file."""

    path: str
    content: str


class EditFile(BaseModel):
    """Replace one passage of a file."""

    path: str
    old: str = Field(min_length=1, description="The exact passage, which must occur once.")
    new: str


class DeliverFile(BaseModel):
    """Hand a file over."""

    path: str
    name: str = Field("", description="The name people see; the file's own when empty.")


def spoken(run: Any) -> Any:
    """Let the machine's refusals reach the model as outcomes."""

    @wraps(run)
    async def told(bench: Bench, arguments: Any) -> Outcome:
        try:
            return await run(bench, arguments)
        except MachineError as error:
            return Outcome(str(error), ok=False)

    return told


async def _shell(bench: Bench, arguments: Shell) -> Outcome:
    machine = await bench.machine()
    result = await machine.exec(arguments.command, timeout=arguments.timeout_s)
    held = bench.held()
    text = _exec_text(result, arguments.timeout_s)
    if held:
        text += "\n[These requests to the outside were not sent; they wait for the person's yes and are sent "
        text += "exactly as they are when it comes. Do not repeat them:\n"
        text += "\n".join(f"- {write.method} {write.url} ({human_size(write.size)})" for write in held) + "]"
    return Outcome(text, ok=result.exit_code == 0, held=held)


def _exec_text(result: ExecResult, timeout: float) -> str:
    parts = [clip(result.text)]
    if result.timed_out:
        parts.append(f"[Ended after {timeout:g} s, the time it was given. Give more with timeout_s, or do less.]")
    elif result.interrupted:
        parts.append("[Interrupted.]")
    if result.exit_code != 0:
        parts.append(f"[exit code {result.exit_code}]")
    if result.note:
        parts.append(f"[{result.note}]")
    return "\n".join(part for part in parts if part) or "[no output, exit code 0]"


async def _read_file(bench: Bench, arguments: ReadFile) -> Outcome:
    machine = await bench.machine()
    data = await machine.read(arguments.path, limit=READ_MAX)
    if kind_of(data) and len(data) < READ_MAX:
        return Outcome(f"{arguments.path} is a picture ({human_size(len(data))}).", image=data)
    if b"\0" in data[:8192]:
        return Outcome(f"{arguments.path} is not text ({human_size(len(data))}). Use a program to read it.", ok=False)
    lines = data.decode("utf-8", "replace").splitlines()
    chosen = lines[arguments.offset - 1 : arguments.offset - 1 + arguments.limit]
    text = clip("\n".join(chosen))
    last = arguments.offset + len(chosen) - 1
    if not chosen:
        return Outcome(f"[{arguments.path} has {len(lines)} lines; none from {arguments.offset}.]")
    return Outcome(
        text
        if last >= len(lines) and arguments.offset == 1
        else f"{text}\n[lines {arguments.offset}-{last} of {len(lines)}]"
    )


async def _write_file(bench: Bench, arguments: WriteFile) -> Outcome:
    machine = await bench.machine()
    info = await machine.write(arguments.path, arguments.content.encode())
    return Outcome(f"Wrote {info.path}, {human_size(info.size)}.")


async def _edit_file(bench: Bench, arguments: EditFile) -> Outcome:
    machine = await bench.machine()
    text = (await machine.read(arguments.path, limit=READ_MAX)).decode("utf-8")
    count = text.count(arguments.old)
    if count != 1:
        how = "does not occur" if count == 0 else f"occurs {count} times; give more of its surroundings"
        return Outcome(f"Nothing was changed: the passage {how} in {arguments.path}.", ok=False)
    info = await machine.write(arguments.path, text.replace(arguments.old, arguments.new).encode())
    return Outcome(f"Changed {info.path}.")


async def _deliver_file(bench: Bench, arguments: DeliverFile) -> Outcome:
    machine = await bench.machine()
    info = await machine.stat(arguments.path)
    if info.kind != "file":
        return Outcome(f"{info.path} is a {info.kind}, not a file.", ok=False)
    if info.size > DELIVER_MOST:
        most = human_size(DELIVER_MOST)
        return Outcome(f"{info.path} has {human_size(info.size)}; at most {most} can be handed over.", ok=False)
    data = bytearray()
    while piece := await machine.read(arguments.path, offset=len(data)):
        data += piece
    name = posixpath.basename(arguments.name or info.name) or "file"
    mime = mimetypes.guess_type(name)[0] or "application/octet-stream"
    file = Deliverable(name, await bench.keep(bytes(data)), len(data), mime)
    return Outcome(f"{name} ({human_size(len(data))}) goes into the thread with your answer.", files=(file,))


def clip(text: str) -> str:
    """The text's beginning and end when it is too long for the model, saying what is left out."""
    if len(text) <= OUTPUT_MOST:
        return text
    half = OUTPUT_MOST // 2
    left_out = len(text) - 2 * half
    return f"{text[:half]}\n[… {left_out:,} characters left out …]\n{text[-half:]}"


def _short_path(path: str) -> str:
    return path.removeprefix(f"{HOME}/")


SHELL = Tool(
    "shell",
    "Run a command with bash on your computer. stdout and stderr come back together. Python has pandas, openpyxl, "
    "matplotlib, python-pptx and python-docx. The network goes through a gate: reading is free, anything that "
    "changes something outside waits for the person's yes. Scripts may use the command hand (hand --help): plan, note, "
    "deliver, ask and wait for the answer, status.",
    Shell,
    Effect.RUN,
    spoken(_shell),
    lambda a: f"Ran `{shorten(a.command, 80)}`",
    repeat="unknown",
)
READ_FILE = Tool(
    "read_file", "Read lines of a text file, or look at a PNG or JPEG picture.",
    ReadFile, Effect.READ, spoken(_read_file),
    lambda a: f"Read {_short_path(a.path)}",
)  # fmt: skip
WRITE_FILE = Tool(
    "write_file", "Create or replace a text file.", WriteFile, Effect.MAKE, spoken(_write_file),
    lambda a: f"Wrote {_short_path(a.path)}",
)  # fmt: skip
EDIT_FILE = Tool(
    "edit_file", "Replace one exact passage of a text file.", EditFile, Effect.EDIT, spoken(_edit_file),
    lambda a: f"Edited {_short_path(a.path)}", repeat="unknown",
)  # fmt: skip
DELIVER_FILE = Tool(
    "deliver_file",
    "Hand a file over in the thread, together with your answer. Check it first.",
    DeliverFile, Effect.READ, spoken(_deliver_file),
    lambda a: f"Prepared {posixpath.basename(a.name or a.path)}",
)  # fmt: skip

TOOLS = (SHELL, READ_FILE, WRITE_FILE, EDIT_FILE, DELIVER_FILE)
