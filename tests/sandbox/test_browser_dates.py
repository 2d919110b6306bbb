"""set_date: the field holds the date afterwards, whatever widget it is, or the model is told why not."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest
import pytest_asyncio

from sandbox.browser import Act
from tests.sandbox.browser_setup import Rig, rig

pytestmark = [pytest.mark.slow, pytest.mark.asyncio(loop_scope="module"), pytest.mark.timeout(300)]

MASK = """<label>Birthday <input id=f placeholder="DD.MM.YYYY" maxlength=10></label><script>
  f.addEventListener('input', () => { const d = f.value.replace(/\\D/g, '').slice(0, 8);
    f.value = d.length > 4 ? d.slice(0, 2) + '.' + d.slice(2, 4) + '.' + d.slice(4) : d.length > 2 ?
      d.slice(0, 2) + '.' + d.slice(2) : d; }) </script>"""
GRID = """<label>Arrival <input id=f readonly></label><div id=pop hidden role=dialog>
  <button aria-label="Previous month" id=p>&lt;</button><h2 id=t></h2><button aria-label="Next month" id=n>&gt;</button>
  <table role=grid id=g></table></div><script>
  let y = 2026, m = 10; const fmt = new Intl.DateTimeFormat('en', {month: 'long', year: 'numeric'});
  function draw() { t.textContent = fmt.format(new Date(y, m, 1)); g.innerHTML = '';
    let day = 1 - (new Date(y, m, 1).getDay() + 6) % 7;
    while (new Date(y, m, day) <= new Date(y, m + 1, 0)) { const row = g.insertRow();
      for (let i = 0; i < 7; i++, day++) { const c = row.insertCell(), d = new Date(y, m, day);
        c.setAttribute('role', 'gridcell'); c.textContent = d.getDate();
        const off = d.getMonth() != (m + 12) % 12 || d.getDay() == 0;
        c.setAttribute('aria-disabled', off); if (!off) c.onclick = () => {
          f.value = d.toLocaleDateString('en-US'); pop.hidden = true } } } }
  f.onclick = () => { pop.hidden = false; draw() };
  p.onclick = () => { if (--m < 0) { m = 11; y-- } draw() }; n.onclick = () => { if (++m > 11) { m = 0; y++ } draw() };
  </script>"""
BUTTONS = """<button id=f>Pick your days</button><div id=pop style="display:none;width:700px"><div><span id=yp>«</span>
  <span id=p>‹</span><span id=n>›</span><span id=yn>»</span></div>
  <div id=both style="display:flex;gap:20px"></div></div><style>span {cursor: pointer; padding: 4px}
    .m {width: 280px} .d {display: inline-block; width: 36px; height: 24px}</style>
  <script>let at = 2026 * 12 + 10, from = null; const name = (k) => new Intl.DateTimeFormat('de', {month: 'long'})
    .format(new Date(Math.floor(k / 12), k % 12, 1)) + ' ' + Math.floor(k / 12);
  const show = (d) => d.getDate() + '. ' + name(d.getFullYear() * 12 + d.getMonth());
  function draw() { both.innerHTML = ''; for (const k of [at, at + 1]) { const box = document.createElement('div');
    box.className = 'm'; box.innerHTML = '<b>' + name(k) + '</b><br>'; const y = Math.floor(k / 12), m = k % 12;
    for (let d = 1; d <= new Date(y, m + 1, 0).getDate(); d++) { const b = document.createElement('button');
      b.className = 'd'; b.textContent = d;
      if (d == 1) b.style.marginLeft = (new Date(y, m, 1).getDay() + 6) % 7 * 36 + 'px';
      b.onclick = () => { const day = new Date(y, m, d);
        if (!from) { from = day; return }
        f.textContent = show(from) + ' – ' + show(day); from = null; pop.style.display = 'none' }; box.append(b) }
    both.append(box) } }
  f.onclick = () => { pop.style.display = 'block'; draw() };
  const go = (el, by) => el.onclick = () => { at += by; draw() };
  go(p, -1); go(n, 1); go(yp, -12); go(yn, 12)</script>"""
PAGES = {
    "/native": """<label>Day <input type=date min=2027-01-01 max=2027-12-31></label><label>Moment
      <input type=datetime-local></label><label>Month <input type=month></label><label>Closed
      <input type=date disabled></label>""",
    "/mask": MASK,
    "/grid": GRID,
    "/buttons": BUTTONS,
    "/plain": "<label>Name <input readonly></label>",
}


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def shop(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Rig]:
    async with rig(tmp_path_factory.mktemp("shop"), PAGES) as made:
        yield made


@pytest.mark.parametrize(
    ("words", "date"),
    [("date input", "2027-03-05"), ("date-time input", "2028-02-29T14:30"), ("month input", "2031-07")],
)
async def test_a_native_field_holds_the_date(shop: Rig, words: str, date: str) -> None:
    await shop.open("/native")
    view = await shop.set_date(words, date)
    assert (view.ok, view.note) == (True, f"The field holds {date}.")
    assert f'"{date}"' in view.outline


@pytest.mark.parametrize(
    ("date", "why"),
    [
        ("2026-12-31", "nothing before 2027-01-01"),
        ("2028-01-01", "nothing after 2027-12-31"),
        ("2027-02-30", "exist"),
    ],
)
async def test_what_a_native_field_does_not_allow_is_refused(shop: Rig, date: str, why: str) -> None:
    await shop.open("/native")
    view = await shop.set_date("date input", date)
    assert not view.ok
    assert why in view.note
    assert date not in view.outline


async def test_a_disabled_field_is_said_to_be_disabled(shop: Rig) -> None:
    await shop.open("/native")
    view = await shop.set_date('"Closed"', "2027-03-05")
    assert not view.ok
    assert "disabled" in view.note


async def test_a_masked_text_field_is_written_in_its_own_order(shop: Rig) -> None:
    await shop.open("/mask")
    view = await shop.set_date('"Birthday"', "1987-04-09")
    assert (view.ok, view.note) == (True, "The field holds 09.04.1987.")


@pytest.mark.parametrize(("date", "shown"), [("2027-03-05", "3/5/2027"), ("2025-08-12", "8/12/2025")])
async def test_a_calendar_of_cells_is_led_to_the_day(shop: Rig, date: str, shown: str) -> None:
    await shop.open("/grid")
    view = await shop.set_date('"Arrival"', date)
    assert (view.ok, view.note) == (True, f"The field holds {shown}.")


async def test_a_day_the_calendar_blocks_is_refused(shop: Rig) -> None:
    await shop.open("/grid")
    view = await shop.set_date('"Arrival"', "2027-03-07")
    assert not view.ok
    assert "disabled" in view.note


async def test_a_range_is_picked_in_a_calendar_of_buttons_years_away(shop: Rig) -> None:
    await shop.open("/buttons")
    view = await shop.set_date('"Pick your days"', "2031-03-30", end="2031-04-02")
    assert (view.ok, view.note) == (True, "The field holds 30. März 2031 – 2. April 2031.")


async def test_a_field_without_a_calendar_is_said_to_have_none(shop: Rig) -> None:
    await shop.open("/plain")
    view = await shop.set_date('"Name"', "2027-03-05")
    assert not view.ok
    assert "No calendar was found" in view.note


async def test_a_date_field_is_not_typed_into(shop: Rig) -> None:
    await shop.open("/native")
    view = await shop.browser.act(Act("type", ref=await shop.ref("month input"), text="July"))
    assert not view.ok
    assert "set_date" in view.note
