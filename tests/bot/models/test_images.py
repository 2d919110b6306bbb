"""Pictures: made by a provider, saved into the machine, paid for, and refused in words."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path

import pytest
from pydantic import SecretStr

from bot.agent.parts import Parts
from bot.entries import Finished
from bot.models.images import PRICES, ImageError, Images, ImageSettings
from bot.tools import machine as machine_tools
from bot.tools.image import generate_image
from bot.tools.types import Toolbox
from tests.support.images import KEY, ImageServer, image_server, png
from tests.support.office import MARIA, Wishes, office
from tests.support.replies import calls, says

PRICE = PRICES["gpt-image-1"]


@asynccontextmanager
async def maker(server: ImageServer, key: str = KEY) -> AsyncGenerator[Images]:
    images = Images(ImageSettings("gpt-image-1", SecretStr(key), server.url, PRICE))
    try:
        yield images
    finally:
        await images.close()


async def test_a_picture_is_made_and_its_cost_is_known() -> None:
    async with image_server() as server, maker(server) as images:
        picture = await images.make("A red kite over a bay.", "1536x1024", "someone")
        assert picture.data == png()
        assert picture.cost == pytest.approx(0.405)
        assert server.asked[0]["size"] == "1536x1024"


@pytest.mark.parametrize(
    ("status", "body", "words", "unknown"),
    [
        (400, b'{"error": {"message": "Your request was rejected by the safety system."}}', "safety system", False),
        (429, b"{}", "HTTP 429", False),
        (500, b"<html>oops</html>", "HTTP 500", True),
        (200, b"{}", "something else than a picture", True),
        (200, b'{"data": [{"b64_json": "aGVsbG8="}]}', "something else than a PNG", True),
        (200, b'{"data": []}', "something else than a picture", True),
    ],
)
async def test_what_goes_wrong_is_said_and_whether_it_may_have_cost(
    status: int, body: bytes, words: str, unknown: bool
) -> None:
    async with image_server() as server, maker(server) as images:
        server.broken = (status, body)
        with pytest.raises(ImageError, match=words) as raised:
            await images.make("A kite.", "1024x1024", "someone")
        assert raised.value.unknown is unknown
        assert KEY not in str(raised.value)


async def test_a_service_that_is_not_there_is_said_to_be_unreachable() -> None:
    async with image_server() as server, maker(server) as images:
        pass
    with pytest.raises(ImageError, match="cannot be reached"):
        await images.make("A kite.", "1024x1024", "someone")
    await images.close()


async def test_the_model_draws_into_the_machine_and_the_run_pays(tmp_path: Path) -> None:
    async with image_server() as server, maker(server) as images:

        def change(parts: Parts) -> Parts:
            return replace(parts, toolbox=Toolbox.of(*machine_tools.TOOLS, generate_image(images)))

        script = [calls("generate_image", prompt="A kite.", path="art/kite.png"), says("It is in art.")]
        async with office(tmp_path, script, Wishes(change=change)) as here:
            thread, _ = await here.say(MARIA, "draw a kite")
            state = await here.settled(thread)
            await here.resting()
            machine = await here.machines(thread).machine()
            assert await machine.read("art/kite.png") == png()
            [finished] = [entry for _, entry in state.entries if isinstance(entry, Finished)]
            assert finished.ok
            assert "art/kite.png" in finished.output
            cost = (await here.store.spent(thread.workspace, MARIA.id, here.clock())).cost
            assert cost == pytest.approx(0.405)
            assert MARIA.name not in str(server.asked)
