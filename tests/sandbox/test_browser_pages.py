"""The visual browser on pages: what the model is shown, and what its actions do."""

from __future__ import annotations

import struct
from collections.abc import AsyncIterator

import pytest
import pytest_asyncio

from sandbox.browser import Act, Pixels
from sandbox.types import MachineError
from tests.sandbox.browser_setup import Rig, rig
from tests.support.waiting import until_true

pytestmark = [pytest.mark.slow, pytest.mark.asyncio(loop_scope="module"), pytest.mark.timeout(300)]

PAGES = {
    "/form": """<title>Order</title><h1>Order</h1><p>Please fill this in.</p>
      <label>Name <input id=name></label><label>Password <input type=password value=hunter2></label>
      <select aria-label=Size><option>Small<option>Large</select><label><input type=checkbox> Gift</label>
      <button onclick="out.textContent = 'Ordered ' + document.querySelector('select').value + ' for ' +
        document.querySelector('#name').value">Order</button><button>Idle</button><output id=out></output>""",
    "/parts": """<title>Parts</title><iframe title=inner srcdoc="<button onclick=&quot;this.textContent=
      'Pressed inside'&quot;>Inside</button>"></iframe><x-card><b>slotted</b></x-card><script>
      customElements.define('x-card', class extends HTMLElement { connectedCallback() {
        this.attachShadow({mode: 'open'}).innerHTML = '<button>Shady</button><slot></slot>';
        this.shadowRoot.querySelector('button').onclick =
          event => { event.target.textContent = 'Sunny' } } })</script>""",
    "/ask": """<title>Ask</title><button onclick="out.textContent = prompt('Your name?', 'x')">Ask me</button>
      <p id=out></p>""",
    "/tabs": """<title>First</title><a href=/form target=_blank>Open another</a>""",
    "/drag": """<title>Drag</title><div draggable=true id=card style="width:80px;height:40px">Card</div>
      <div id=bin role=listbox aria-label=Bin style="width:200px;height:100px;margin-top:40px"
        ondragover="event.preventDefault()"
        ondrop="this.textContent = 'Dropped'">Empty</div>""",
    "/hit": """<title>Hit</title><body style="margin:0"><button style="position:fixed;left:300px;top:200px;width:200px;
      height:100px" onclick="this.textContent='Hit at '+event.clientX">Aim</button><input autofocus aria-label=Line
      style="position:fixed;left:20px;top:20px">""",
    "/cover": """<title>Cover</title><button style="position:fixed;left:0;top:0">Below</button>
      <div id=veil style="position:fixed;inset:0;background:#fff">veil</div>""",
}


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def shop(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Rig]:
    async with rig(tmp_path_factory.mktemp("shop"), PAGES) as made:
        yield made


async def test_a_page_is_shown_as_an_outline_with_refs(shop: Rig) -> None:
    view = await shop.open("/form")
    assert view.title == "Order"
    assert '- heading 1 "Order"' in view.outline
    assert '- combobox "Size" [' in view.outline
    assert "options: Small | Large" in view.outline
    assert await shop.ref('textbox "Name"') == await shop.ref('textbox "Name"')


async def test_a_password_is_never_shown(shop: Rig) -> None:
    view = await shop.open("/form")
    assert "hunter2" not in view.outline
    assert "(hidden)" in view.outline


async def test_typing_selecting_and_clicking_say_what_the_page_shows_now(shop: Rig) -> None:
    await shop.open("/form")
    typed = await shop.browser.act(Act("type", ref=await shop.ref('"Name"'), text="Ann Lee"))
    assert '"Ann Lee"' in typed.changed
    await shop.browser.act(Act("select", ref=await shop.ref('"Size"'), values=("Large",)))
    checked = await shop.browser.act(Act("click", ref=await shop.ref("checkbox")))
    assert "checked" in checked.changed
    view = await shop.browser.act(Act("click", ref=await shop.ref('button "Order"')))
    assert "Ordered Large for Ann Lee" in view.changed


async def test_a_click_that_does_nothing_is_said_to_do_nothing(shop: Rig) -> None:
    await shop.open("/form")
    await shop.browser.act(Act("click", ref=await shop.ref('button "Idle"')))
    again = await shop.browser.act(Act("click", ref=await shop.ref('button "Idle"')))
    assert again.ok
    assert again.nothing_changed


async def test_an_option_that_is_not_there_is_named_with_those_that_are(shop: Rig) -> None:
    await shop.open("/form")
    view = await shop.browser.act(Act("select", ref=await shop.ref('"Size"'), values=("Huge",)))
    assert not view.ok
    assert "Small | Large" in view.note


async def test_buttons_in_frames_and_shadow_roots_are_pressed(shop: Rig) -> None:
    await shop.open("/parts")
    inside = await shop.browser.act(Act("click", ref=await shop.ref('"Inside"')))
    assert "Pressed inside" in inside.changed
    shady = await shop.browser.act(Act("click", ref=await shop.ref('"Shady"')))
    assert "Sunny" in shady.changed
    assert "slotted" in (await shop.browser.act(Act("outline"))).outline


async def test_a_dialog_holds_the_page_up_until_it_is_answered(shop: Rig) -> None:
    await shop.open("/ask")
    view = await shop.browser.act(Act("click", ref=await shop.ref('"Ask me"')))
    assert [(box.kind, box.message) for box in view.dialogs] == [("prompt", "Your name?")]
    assert "dialog" in (await shop.browser.act(Act("outline"))).note
    answered = await shop.browser.act(Act("dialog", text="Maria"))
    assert "Maria" in answered.changed
    assert not answered.dialogs


async def test_a_link_opens_a_tab_that_can_be_left_and_closed(shop: Rig) -> None:
    first = await shop.open("/tabs")
    view = await shop.browser.act(Act("click", ref=await shop.ref('"Open another"')))
    assert view.moved
    assert view.title == "Order"
    assert len(view.tabs) == len(first.tabs) + 1
    back = await shop.browser.act(Act("switch_tab", tab=first.tab))
    assert back.title == "First"
    closed = await shop.browser.act(Act("close_tab", tab=view.tab))
    assert len(closed.tabs) == len(first.tabs)


async def test_history_goes_back_and_forward(shop: Rig) -> None:
    await shop.open("/form")
    await shop.open("/tabs")
    assert (await shop.browser.act(Act("back"))).title == "Order"
    assert (await shop.browser.act(Act("forward"))).title == "First"


async def test_something_is_dragged_onto_something_else(shop: Rig) -> None:
    await shop.open("/drag")
    view = await shop.browser.act(Act("drag", ref=await shop.ref('"Card"'), to=await shop.ref('"Bin"')))
    assert "Dropped" in (view.changed + (await shop.browser.act(Act("outline"))).outline)


async def test_what_stands_in_the_way_of_a_click_is_said(shop: Rig) -> None:
    await shop.open("/cover")
    view = await shop.browser.act(Act("click", ref=await shop.ref('"Below"')))
    assert not view.ok
    assert "veil" in view.note


async def test_a_ref_that_left_the_page_is_refused(shop: Rig) -> None:
    await shop.open("/form")
    gone = await shop.ref('button "Order"')
    await shop.open("/tabs")
    view = await shop.browser.act(Act("click", ref=gone))
    assert not view.ok
    assert "no longer on the page" in view.note


@pytest.mark.parametrize("url", ["file:///etc/passwd", "chrome://settings", "javascript:alert(1)", "data:text/html,x"])
async def test_only_web_pages_are_opened(shop: Rig, url: str) -> None:
    view = await shop.browser.act(Act("goto", url=url))
    assert not view.ok
    assert "web pages only" in view.note


async def test_the_host_behind_the_gate_is_not_reached(shop: Rig) -> None:
    view = await shop.browser.act(Act("goto", url="http://169.254.169.254/latest/meta-data"))
    assert not view.ok or "403" in view.note


async def test_words_are_found_with_refs(shop: Rig) -> None:
    await shop.open("/form")
    view = await shop.browser.act(Act("find", text="fill this in"))
    assert "[e" in view.outline
    assert "Please fill this in." in view.outline


async def test_pictures_are_png_of_the_page_and_of_the_screen(shop: Rig) -> None:
    await shop.open("/form")
    for picture in (await shop.browser.screenshot(), await shop.browser.screenshot("screen")):
        assert picture.startswith(b"\x89PNG")
    assert struct.unpack("!II", picture[16:24]) == (1280, 800)


async def test_a_click_at_a_pixel_hits_what_is_there_and_keys_reach_the_page(shop: Rig) -> None:
    await shop.open("/hit")
    top = 800 - await inner_height(shop)
    picture = await shop.browser.pixels([Pixels("click", x=400, y=top + 250)])
    assert picture.startswith(b"\x89PNG")
    await until_true(lambda: shop.shows("Hit at 400"))
    typing = [
        Pixels("click", x=60, y=top + 30),
        Pixels("type", text="Grüße, 42%"),
        Pixels("keypress", keys=("ctrl", "a")),
    ]
    await shop.browser.pixels(typing)
    await until_true(lambda: shop.shows('"Grüße, 42%"'))


async def inner_height(shop: Rig) -> int:
    """Height of the page in pixels, from its picture."""
    return int(struct.unpack("!I", (await shop.browser.screenshot())[20:24])[0])


async def test_the_agents_programs_reach_neither_profile_nor_screen(shop: Rig) -> None:
    await shop.open("/form")
    for attempt in ("ls /home/browser", "ls /run/desktop", "ls /tmp/.X11-unix", "DISPLAY=:7 xauth list | grep ."):
        assert (await shop.machine.exec(attempt, timeout=20)).exit_code != 0, attempt
    killed = await shop.machine.exec("pkill -u 1001 -9; true", timeout=20)
    assert killed.exit_code == 0
    assert (await shop.browser.act(Act("outline"))).title == "Order"


async def test_the_screen_can_be_watched_from_the_host(shop: Rig) -> None:
    stream = await shop.machine.desktop()
    try:
        assert (await stream.read()).startswith(b"RFB 003.008")
    finally:
        await stream.close()


async def test_an_unknown_action_is_refused_in_words(shop: Rig) -> None:
    with pytest.raises(MachineError, match="no action"):
        await shop.browser.act(Act("fly"))  # pyright: ignore[reportArgumentType]
