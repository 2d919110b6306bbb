"""The program with a bell that is hard of hearing: one ring in twenty is lost, and nobody is told.

Run as a module in place of `threadhand`. Only the doorbell is changed; what heals it is the program's own.
"""

from __future__ import annotations

import itertools

import bot.app
from bot.ending import main
from bot.engine import Engine

LOST = 20
"""Every so manyeth ring is lost."""


class Deaf(Engine):
    """An engine that does not hear every ring."""

    rings = itertools.count(1)

    async def ring(self, session: str, number: int) -> None:
        if next(self.rings) % LOST:
            await super().ring(session, number)


if __name__ == "__main__":
    bot.app.Engine = Deaf  # pyright: ignore[reportPrivateImportUsage] (the composition root is where it is chosen)
    main()
