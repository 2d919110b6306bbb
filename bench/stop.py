"""How long a 'stop' takes while a command runs, in a real machine, and while the model streams."""

from __future__ import annotations

import statistics
import tempfile
import time
from pathlib import Path

from sandbox.bubblewrap import BubblewrapBackend, Settings
from tests.support.office import MARIA, Wishes, office
from tests.support.replies import calls, says

ROUNDS = 5


async def command(folder: Path) -> float:
    """Seconds from 'stop' until nothing runs any more, by the journal."""
    backend = BubblewrapBackend(Settings(state=folder / "machines"))
    async with office(folder, [calls("shell", command="sleep 600 & wait")], Wishes(backend=backend)) as work:
        thread, _ = await work.say(MARIA, "sleep")
        await work.until(thread, lambda state: any(call.phase == "running" for call in state.calls.values()))
        began = time.perf_counter()
        await work.say(MARIA, "stop", thread, addressed=False)
        await work.until(thread, lambda state: state.calls and all(one.phase == "done" for one in state.calls.values()))
        return time.perf_counter() - began


async def streaming(folder: Path) -> float:
    """Seconds from 'stop' until the model's connection is closed."""
    turn = says("a long answer that is never finished").hold(1)
    async with office(folder, [turn]) as work:
        thread, _ = await work.say(MARIA, "talk")
        await turn.held()
        began = time.perf_counter()
        await work.say(MARIA, "stop", thread, addressed=False)
        await turn.gone()
        taken = time.perf_counter() - began
        turn.release()
        return taken


async def main() -> None:
    """Five of each."""
    for name, measure in (("a running command", command), ("a streaming model", streaming)):
        taken: list[float] = []
        for _ in range(ROUNDS):
            with tempfile.TemporaryDirectory() as folder:
                taken.append(await measure(Path(folder)))
        print(f"stop, {name}: median {statistics.median(taken):.2f} s, worst {max(taken):.2f} s (aim: under 1 s)")
