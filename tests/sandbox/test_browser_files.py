"""One computer: files, cookies and pages are the same for the browser, the shell and the text reader."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest
import pytest_asyncio

from sandbox.browser import Act
from sandbox.machine import GuestMachine
from sandbox.types import NotFound, PathRefused
from tests.sandbox.browser_setup import Rig, rig
from tests.support.waiting import until_true

pytestmark = [pytest.mark.slow, pytest.mark.asyncio(loop_scope="module"), pytest.mark.timeout(300)]

PAGES = {
    "/": """<title>Home</title><a href=/report.csv>Report</a><button onclick="document.cookie='seen=yes;path=/';
      this.textContent='Signed in'">Sign in</button>""",
    "/send": """<title>Send</title><form method=post action=/sent enctype=multipart/form-data><label>File
      <input type=file name=paper multiple></label><input name=note aria-label=Note><button>Send it</button></form>""",
    "/count": """<title>Count</title><button onclick="this.textContent='Pressed '+(++n)+' times'">Press</button>
      <script>n = 0</script>""",
}


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def shop(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Rig]:
    async with rig(tmp_path_factory.mktemp("shop"), PAGES) as made:
        yield made


async def test_a_file_made_in_the_shell_is_uploaded_in_a_form(shop: Rig) -> None:
    made = await shop.machine.exec("umask 077; mkdir -p work; echo from the shell > 'work/my paper.txt'", timeout=20)
    assert made.exit_code == 0
    await shop.open("/send")
    view = await shop.browser.act(Act("upload", ref=await shop.ref("file input"), files=("work/my paper.txt",)))
    assert "my paper.txt" in view.changed
    await shop.browser.act(Act("type", ref=await shop.ref('"Note"'), text="hello", submit=True))
    assert shop.site.posted == [("/sent", {"paper": "my paper.txt:from the shell\n", "note": "hello"})]


async def test_only_files_of_the_home_are_uploaded(shop: Rig) -> None:
    await shop.open("/send")
    ref = await shop.ref("file input")
    await shop.machine.exec("ln -sf /etc/passwd escape", timeout=20)
    for path, error in (("/etc/passwd", PathRefused), ("escape", PathRefused), ("not-there", NotFound)):
        with pytest.raises(error):
            await shop.browser.act(Act("upload", ref=ref, files=(path,)))


async def test_a_downloaded_file_is_read_and_changed_in_the_shell(shop: Rig) -> None:
    await shop.open("/")
    view = await shop.browser.act(Act("download", ref=await shop.ref('"Report"')))
    assert [(one.name, one.path) for one in view.arrived] == [("report.csv", "/home/agent/Downloads/report.csv")]
    read = await shop.machine.exec("cat Downloads/report.csv && echo more >> Downloads/report.csv", timeout=20)
    assert (read.exit_code, read.text) == (0, "a,b\n1,2\n")
    again = await shop.browser.act(Act("goto", url=shop.site.url("/report.csv")))
    arrived = again.arrived or (await shop.browser.act(Act("download"))).arrived
    assert [one.path for one in arrived] == ["/home/agent/Downloads/report (1).csv"]


async def test_a_cookie_of_the_page_is_sent_when_the_page_is_read_as_text(shop: Rig) -> None:
    await shop.open("/")
    await shop.browser.act(Act("click", ref=await shop.ref('"Sign in"')))
    answer = await shop.browser.fetch(shop.site.url("/"))
    assert (answer.status, b"<title>Home" in answer.body) == (200, True)
    assert "seen=yes" in shop.site.cookies[-1]


async def test_a_page_goes_on_where_it_was_after_a_pause_and_another(shop: Rig) -> None:
    await shop.open("/count")
    ref = await shop.ref('"Press"')
    for times in (1, 2):
        view = await shop.browser.act(Act("click", ref=ref))
        assert f"Pressed {times} times" in view.changed
        assert await shop.backend.pause("s")
    assert "Pressed 2 times" in (await shop.browser.act(Act("outline"))).outline


async def test_a_browser_that_died_comes_back_with_its_page_and_cookies(shop: Rig) -> None:
    await shop.open("/")
    await shop.browser.act(Act("click", ref=await shop.ref("button")))
    await shop.machine.close()
    machine = await shop.backend.start(shop.spec)
    view = await machine.browser().act(Act("outline"))
    assert view.url == shop.site.url("/")
    await machine.browser().fetch(shop.site.url("/"))
    assert "seen=yes" in shop.site.cookies[-1]


async def test_a_machine_that_uses_no_browser_starts_none(shop: Rig) -> None:
    await shop.machine.close()
    machine = await shop.backend.start(shop.spec)
    assert not await machine.browser().running()

    async def alone() -> bool:
        return "Xtigervnc" not in (await machine.exec("ps ax", timeout=20)).text

    await until_true(alone)
    assert isinstance(machine, GuestMachine)
