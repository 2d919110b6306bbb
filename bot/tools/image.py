"""Pictures that a model draws, as files in the machine."""

from __future__ import annotations

import hashlib
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime
from typing import Protocol

from pydantic import BaseModel, Field

from bot.context import human_size
from bot.models.images import ImageError, Picture, Size
from bot.session.state import shorten
from bot.spent import Spent
from bot.tools.types import Bench, Outcome, Tool
from policies.types import Effect
from sandbox.types import MachineError


class GenerateImage(BaseModel):
    """Draw a picture."""

    prompt: str = Field(min_length=1, max_length=8000, description="What the picture shows, in full sentences.")
    path: str = Field(description="Where the PNG goes, in your home folder: 'logo.png'.")
    size: Size = "1024x1024"


class Maker(Protocol):
    """Who makes pictures (bot.models.images.Images)."""

    async def make(self, prompt: str, size: Size, person: str) -> Picture: ...


def generate_image(maker: Maker) -> Tool:
    """The tool, over a maker of pictures."""
    return Tool(
        "generate_image",
        "Draw a picture from a description and save it as a PNG on your computer. For charts and diagrams with exact "
        "content use Python instead. Look at nothing it shows as a fact.",
        GenerateImage,
        Effect.MAKE,
        _with(maker),
        lambda arguments: f"Drew {shorten(arguments.path, 80)}",
        repeat="unknown",
    )


def _with(maker: Maker) -> Callable[[Bench, GenerateImage], Awaitable[Outcome]]:
    async def run(bench: Bench, arguments: GenerateImage) -> Outcome:
        session = hashlib.sha256(bench.key.partition(":")[0].encode()).hexdigest()[:32]
        try:
            machine = await bench.machine()
            picture = await maker.make(arguments.prompt, arguments.size, session)
        except (MachineError, ImageError) as error:
            return Outcome(str(error), ok=False, unknown=isinstance(error, ImageError) and error.unknown)
        spent = Spent(datetime.now(UTC), "generate_image", picture.cost)
        try:
            info = await machine.write(arguments.path, picture.data)
        except MachineError as error:
            return Outcome(f"The picture was made but not saved: {error}", ok=False, entries=(spent,))
        return Outcome(f"Saved {info.path} ({human_size(info.size)}, {arguments.size}).", entries=(spent,))

    return run
