"""A web application that nobody here wrote, from the sign-in to the file in the thread, through scripted turns."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from playwright.async_api import Browser, expect

from bot.outgoing import Confirmation
from sandbox.bubblewrap import BubblewrapBackend, Settings
from tests.support.helpdesk import PASSWORD, USER, helpdesk
from tests.support.live import Watched, watched
from tests.support.live_page import PATIENCE, browser, opened
from tests.support.office import MARIA
from tests.support.replies import Reply, calls, says
from tests.support.responses import Received
from tests.support.waiting import until

MACHINE_ENV = Path(__file__).parents[2] / ".venv-machine"
NAME_FIELD = (0.5, 0.476)
"""Where the login page has it, in parts of the screen's width and height."""
DRAWN = """() => { const canvas = document.querySelector('#display canvas');
  return canvas.getContext('2d').getImageData(20, 400, 1, 1).data[0] > 200 }"""
Move = Callable[["Clerk"], Reply]


@dataclass
class Clerk:
    """A model that does one move a turn; it finds its way by what the outlines say, as a model does."""

    moves: list[Move]
    said: list[str] = field(default_factory=list[str])

    def __call__(self, request: Received) -> Reply:
        outputs = [str(item.get("output")) for item in request.items if item.get("type") == "function_call_output"]
        self.said = outputs
        return self.moves.pop(0)(self) if self.moves else says("There is nothing left to do.")

    def ref(self, pattern: str) -> str:
        """The ref of the newest outline's element that fits."""
        for output in reversed(self.said):
            if found := re.search(rf"(?m)^\s*- {pattern}.*?\[(e\d+)\]", output):
                return found[1]
        raise AssertionError(f"no {pattern} in {self.said[-1]}")


def browse(action: str, pattern: str = "", **more: object) -> Move:
    """A turn in the visual browser, at the element that fits."""

    def move(clerk: Clerk) -> Reply:
        ref = {"ref": clerk.ref(pattern)} if pattern else {}
        return calls("browser", action=action, **ref, **more)

    return move


def hand_over(clerk: Clerk) -> Reply:
    """Hand over what the newest answer says was downloaded."""
    found = re.search(r"Downloaded (\S+)", clerk.said[-1])
    assert found, clerk.said[-1]
    return calls("deliver_file", path=found[1])


def ticket(host: str) -> Clerk:
    """Sign in by a person, open a ticket with a date and a file, send it, fetch the file back, hand it over."""
    return Clerk(
        [
            browse("goto", url=f"http://{host}/login/"),
            lambda _: calls("request_takeover", what="your sign-in at the helpdesk"),
            browse("goto", url=f"http://{host}/tickets/submit/"),
            lambda _: calls("write_file", path="meter.txt", content="Meter reading: 4711\n"),
            browse("outline"),
            browse("type", 'textbox "Summary', text="The heating in room 5 is cold"),
            browse("outline"),
            browse("type", 'textbox "Description', text="It has been cold since Monday.\nPlease look."),
            browse("outline"),
            browse("set_date", 'textbox "Due on', date="2027-03-05"),
            browse("outline"),
            browse("upload", '.*"Attach File', files=["meter.txt"]),
            browse("outline"),
            browse("wait", seconds=6),  # what is sent right after a person left could be theirs: it is refused
            browse("outline"),
            browse("click", 'button "Submit Ticket'),
            browse("outline"),
            browse("download", 'link "meter.txt'),
            hand_over,
            lambda _: says("The ticket is open, and the file as the helpdesk has it is attached."),
        ]
    )


@pytest.mark.slow
@pytest.mark.timeout(300)
async def test_a_ticket_with_date_and_file_is_sent_after_a_yes_and_its_file_handed_over(tmp_path: Path) -> None:
    machines = BubblewrapBackend(Settings(tmp_path / "state", machine_env=MACHINE_ENV))
    async with helpdesk(tmp_path / "helpdesk") as host:
        clerk = ticket(host)
        async with watched(tmp_path, clerk, machines, frozenset({host})) as world, browser() as chromium:
            here = world.here
            thread, _ = await here.say(MARIA, f"open a ticket at {host}: heating in room 5, by 5 March 2027")
            await here.until(thread, lambda state: state.open_asks, 90)
            await sign_in(world, chromium, thread.session, tmp_path / "helpdesk" / "log")
            cards = await here.surface.until(lambda: here.shown(thread, Confirmation), 120)
            card: Confirmation = cards[0]
            quote = card.card.quote
            assert "title: The heating in room 5 is cold" in quote
            assert re.search(r"due_date: .*2027", quote)
            assert "attachment: the file 'meter.txt' (text/plain, 20 bytes)" in quote
            await here.press(thread, MARIA, card, "yes")
            await here.settled(thread, seconds=90)
            assert len(here.shown(thread, Confirmation)) <= 1, "the browser itself wants to send nothing"
            assert here.replies(thread) == ["The ticket is open, and the file as the helpdesk has it is attached."]
            [file] = here.surface.files(thread)
            assert await here.parts.keep.read(file.blob) == b"Meter reading: 4711\n"
            assert PASSWORD not in "".join(json.dumps(request.body) for request in here.server.requests)


async def sign_in(world: Watched, chromium: Browser, session: str, log: Path) -> None:
    """Maria takes the screen over, types her name and password into the page, and gives it back."""
    page = await chromium.new_page()
    await opened(world, page, session)
    await page.get_by_role("button", name="Take over").click()
    await expect(page.get_by_role("button", name="Give back")).to_be_visible(timeout=PATIENCE)
    await expect(page.locator('#display canvas[width="1280"]')).to_be_visible(timeout=PATIENCE)
    await page.wait_for_function(DRAWN, timeout=PATIENCE)
    canvas = page.locator("#display canvas")
    box = await canvas.bounding_box()
    assert box is not None
    for tries in range(1, 4):  # on a busy machine the first keys may come before the field is ready
        await canvas.click(position={"x": box["width"] * NAME_FIELD[0], "y": box["height"] * NAME_FIELD[1]})
        await page.wait_for_timeout(500)
        await page.keyboard.type(USER, delay=40)
        await page.keyboard.press("Tab")
        await page.keyboard.type(PASSWORD, delay=40)
        await page.keyboard.press("Enter")
        await until(lambda tries=tries: log.read_text().count('"POST /login/') == tries)
        if '"POST /login/ HTTP/1.1" 302' in log.read_text():
            break
    assert '"POST /login/ HTTP/1.1" 302' in log.read_text()
    await page.get_by_role("button", name="Give back").click()
