"""What the host must have: Python, a folder to write to, the machine and what programs find in it."""

from __future__ import annotations

import asyncio
import difflib
import platform
import shutil
import stat
import sys
import tempfile

from bot.backends import open_backend
from bot.config import VARIABLES, Settings, unknown_variables
from bot.doctor.finding import Finding, missing, ok, warn
from bot.keys import FILE

FREE_MB = 1024
LIBRARIES = ("matplotlib", "openpyxl", "pandas", "docx", "pptx")


async def python(_: Settings) -> list[Finding]:
    """The interpreter we run in."""
    return [ok("python", f"{platform.python_version()} ({sys.executable})")]


async def variables(_: Settings) -> list[Finding]:
    """Variables that look like ours and are not."""
    names = [variable.name for variable in VARIABLES]
    findings: list[Finding] = []
    for name in unknown_variables():
        close = difflib.get_close_matches(name, names, 1)
        fix = f"Did you mean {close[0]}?" if close else "Remove it; docs/settings.md lists all there are."
        findings.append(warn("settings", f"{name} is not a setting and is ignored", fix))
    return findings or [ok("settings", "every THREADHAND_ variable is known")]


async def data_folder(settings: Settings) -> list[Finding]:
    """The data folder: writable, with room, the key readable by nobody else."""
    folder = settings.storage.data_dir
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=folder) as file:
            file.write(b"x")
    except OSError as error:
        fix = "Make it writable for the user that runs this, or set THREADHAND_DATA_DIR to another folder."
        return [missing("data", f"{folder} cannot be written: {error.strerror}", fix)]
    findings = [ok("data", f"{folder} is writable")]
    free = shutil.disk_usage(folder).free // 1024**2
    if free < FREE_MB:
        findings.append(warn("data", f"only {free} MiB are free in {folder}", "Free some space or use another disk."))
    key = folder / FILE
    if not settings.storage.secret_key and key.exists() and stat.S_IMODE(key.stat().st_mode) & 0o077:
        findings.append(warn("data", f"{key} can be read by other users", f"Run: chmod 600 {key}"))
    return findings


async def machine(settings: Settings) -> list[Finding]:
    """The sandbox: what this host lacks, after a probe machine was started."""
    name = settings.machine.sandbox
    backend = open_backend(settings)
    try:
        problems = await backend.check()
    finally:
        await backend.close()
    findings = [
        missing("sandbox", problem.what, problem.fix) if problem.fatal else warn("sandbox", problem.what, problem.fix)
        for problem in problems
    ]
    if not any(finding.state == "MISSING" for finding in findings):
        findings.insert(0, ok("sandbox", f"a {name} machine started"))
    return findings


async def python_of_machine(settings: Settings) -> list[Finding]:
    """The Python environment that programs in the machine find."""
    folder = settings.machine.environment
    fix = "Run 'make setup', or set THREADHAND_MACHINE_ENV to an environment that has them."
    if folder is None:
        return [warn("machine-env", "none: programs in the machine have Python without libraries", fix)]
    program = folder / "bin" / "python"
    if not program.exists():
        return [missing("machine-env", f"{program} does not exist", fix)]
    script = f"import importlib.util as u; print(*(n for n in {LIBRARIES!r} if not u.find_spec(n)))"
    process = await asyncio.create_subprocess_exec(
        program, "-I", "-c", script, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.DEVNULL
    )
    out, _ = await process.communicate()
    if process.returncode != 0:
        return [missing("machine-env", f"{program} does not run", fix)]
    if absent := out.decode().split():
        return [warn("machine-env", f"{folder} lacks {', '.join(absent)}", fix)]
    return [ok("machine-env", f"{folder} has {', '.join(LIBRARIES)}")]
