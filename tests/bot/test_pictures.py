"""Pictures are named in the context and filled in for a request, the newest ones only."""

from bot.pictures import MOST, filled_in, picture

PNG = b"\x89PNG\r\n\x1a\nnot much of a picture"


async def read(sha: str) -> bytes:
    if sha == "lost":
        raise LookupError(sha)
    return PNG


def output(sha: str) -> dict[str, object]:
    return {
        "type": "function_call_output",
        "call_id": sha,
        "output": [{"type": "input_text", "text": "x"}, picture(sha)],
    }


async def test_the_newest_pictures_are_sent_and_older_ones_are_said_to_have_been_there() -> None:
    items = tuple(output(f"s{number}") for number in range(MOST + 2))
    filled = await filled_in(items, read)
    shown = [item["output"][1] for item in filled]
    assert [part["type"] for part in shown] == ["input_text"] * 2 + ["input_image"] * MOST
    assert str(shown[-1]["image_url"]).startswith("data:image/png;base64,iVBOR")
    assert str(items[-1]["output"]).count("blob:") == 1, "the context itself stays as it was"


async def test_a_picture_that_is_lost_keeps_nobody_from_going_on() -> None:
    (item,) = await filled_in((output("lost"),), read)
    assert item["output"][1]["type"] == "input_text"
