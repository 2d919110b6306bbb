"""All measurements, one after the other: `python -m bench`, or `python -m bench ack step` for some.

Each prints ratios against a named peer measured in the same run, or counts; nothing here decides anything.
"""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Callable, Coroutine
from typing import Any

from bench import ack, journal, machine, pages, recovery, scale, step, stop

BENCHES: dict[str, Callable[[], Coroutine[Any, Any, None]]] = {
    "ack": ack.main,
    "step": step.main,
    "scale": scale.main,
    "stop": stop.main,
    "recovery": recovery.main,
    "machine": machine.main,
    "pages": pages.main,
}


def main() -> None:
    """Run those named on the command line, or all."""
    wanted = sys.argv[1:] or [*BENCHES, "journal"]
    for name in wanted:
        print(f"\n== {name}", flush=True)
        if name == "journal":
            asyncio.run(journal.main([]))
        else:
            asyncio.run(BENCHES[name]())


if __name__ == "__main__":
    main()
