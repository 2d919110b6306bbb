"""A web application that nobody here wrote (django-helpdesk), as a server on loopback.

It runs in a process of its own and ends with its standard input, so it never outlives a test.
"""

from __future__ import annotations

import asyncio
import sys
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from pathlib import Path

USER, PASSWORD = "maria", "correct-horse-battery"


@asynccontextmanager
async def helpdesk(folder: Path) -> AsyncGenerator[str]:
    """Its address, host and port. It has one person, who may do everything, and one queue of tickets."""
    folder.mkdir()
    with (folder / "log").open("wb") as log:
        process = await asyncio.create_subprocess_exec(
            *(sys.executable, "-m", f"{__name__}.serve", str(folder)),
            cwd=Path(__file__).parents[3],
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
            stderr=log,
        )
        assert process.stdout is not None
        assert process.stdin is not None
        try:
            port = int(await asyncio.wait_for(process.stdout.readline(), 60) or 0)
            assert port, (folder / "log").read_text()
            yield f"helpdesk.test:{port}"
        finally:
            process.stdin.close()
            await process.wait()
