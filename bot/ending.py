"""Being asked to end (SIGTERM, SIGINT): noted from the program's first lines on, obeyed once there is what to end.

Hides that Python forgets handlers: the event loop gives signals back to the system when it closes, and one that comes
then, or while modules are still being loaded, would kill the process instead of ending it.
"""

from __future__ import annotations

import signal
import sys
from collections.abc import Callable
from types import FrameType

SIGNALS = (signal.SIGTERM, signal.SIGINT)
LASTING = frozenset({"play", "serve", "web", "worker"})
"""Commands that run until they are asked to end."""


class Ending:
    """The process's. Once it has been asked, asking again changes nothing."""

    def __init__(self) -> None:
        self._asked = False
        self._then: Callable[[], object] | None = None

    def watch(self) -> None:
        """From now on a request is noted. For the main thread."""
        for number in SIGNALS:
            signal.signal(number, self._ask)

    def then(self, act: Callable[[], object]) -> None:
        """What to do when asked; at once if that was earlier."""
        self._then = act
        if self._asked:
            act()

    def over(self) -> None:
        """All is closed: a late request finds nothing to end, and no longer changes how the process ends."""
        for number in SIGNALS:
            signal.signal(number, signal.SIG_IGN)

    def _ask(self, number: int, frame: FrameType | None) -> None:
        del number, frame
        first, self._asked = not self._asked, True
        if first and self._then is not None:
            self._then()


ENDING = Ending()


def main() -> None:
    """The program `threadhand`."""
    if LASTING.intersection(sys.argv[1:]):
        ENDING.watch()
    from bot.cli import main as run  # loads much, and takes its time

    run()
