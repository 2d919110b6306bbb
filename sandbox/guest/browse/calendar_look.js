  // What calendars show: grids of days under the name of a month. Found by figures, layout and words; no library is
  // known by name. Part of the script in calendars.py.
  const figure = (text) => Number(/^(\d{1,2})\s*[日일]?$/.exec(ascii(text).trim())?.[1] || 0);
  const dayCells = (root) => {
    const found = new Map();
    const walk = (node) => {
      const walker = document.createTreeWalker(node, NodeFilter.SHOW_ELEMENT | NodeFilter.SHOW_TEXT);
      for (let at = walker.nextNode(); at; at = walker.nextNode()) {
        if (at.nodeType === 1) {
          if (at.shadowRoot) walk(at.shadowRoot);
        } else if (at.data.length < 12 && figure(at.data)) {
          let el = at.parentElement;
          if (!el || el.matches("option, script, style")) continue;
          while (el.parentElement && clean(el.parentElement.textContent) === clean(el.textContent)) el = el.parentElement;
          if (!found.has(el) && visible(el)) found.set(el, figure(at.data));
        }
      }
    };
    if (root.shadowRoot) walk(root.shadowRoot);
    walk(root);
    return [...found].map(([el, value]) => ({ el, value })).filter((one) => one.value <= 53);
  };
  const middle = (el) => {
    const box = (el.closest("td, [role=gridcell]") || el).getBoundingClientRect();
    return [box.x + box.width / 2, box.y + box.height / 2];
  };
  // A column of week numbers counts by one where days count by seven.
  const withoutWeeks = (cells) => {
    const columns = new Map();
    for (const cell of cells) {
      const key = Math.round(middle(cell.el)[0] / 8);
      columns.set(key, [...(columns.get(key) || []), cell]);
    }
    const weeks = [...columns.values()].filter((column) => column.length > 3 &&
      column.slice(1).every((one, place) => one.value - column[place].value === 1 || (one.value === 1 && column[place].value > 50)));
    return cells.filter((cell) => cell.value <= 31 && !weeks.some((column) => column.includes(cell)));
  };
  // Weeks begin on a Sunday, a Monday or a Saturday: where the rows break tells whether it is the month we think it is.
  const fitsWeeks = (days, year, month) => {
    const tops = days.map((el) => middle(el)[1]);
    const breaks = tops.map((top, place) => place && top - tops[place - 1] > 4 ? place : 0).filter(Boolean);
    if (!breaks.length || breaks.some((one, place) => place && one - breaks[place - 1] !== 7)) return !breaks.length;
    return [0, 1, 6].includes(new Date(year, month - 1, breaks[0] + 1).getDay());
  };
  const stampOf = (el, number) => {
    for (const one of [el, ...el.querySelectorAll("*"), up(el)].filter(Boolean)) {
      for (const attribute of one.attributes || []) {
        if (["class", "id", "style", "href"].includes(attribute.name) || attribute.value.length > 80) continue;
        const some = readings(attribute.value)[0]?.filter((read) => read[2] === number) || [];
        if (some.length === 1) return some[0];
      }
    }
    return null;
  };
  const stamped = (days) => {
    const found = [1, 15, 16, days.length].map((number) => stampOf(days[number - 1], number));
    const [first] = found;
    return first && found.every((one) => one && one[0] === first[0] && one[1] === first[1]) ? { year: first[0], month: first[1] } : null;
  };
  const textOf = (el) => {
    if (el.tagName === "SELECT") return el.selectedOptions[0]?.label || "";
    if (el.tagName === "INPUT") return el.value;
    let text = "";
    for (const node of (el.shadowRoot || el).childNodes) {
      if (node.nodeType === 3) text += node.data;
      else if (node.nodeType === 1 && !["SELECT", "STYLE", "SCRIPT"].includes(node.tagName)) text += ` ${textOf(node)}`;
      if (text.length > 60) break;
    }
    return clean(text);
  };
  const titled = (pane, cells) => {
    const box = pane.getBoundingClientRect();
    const inside = (el) => cells.some((cell) => within(el, cell.el) || within(cell.el, el));
    const above = (one) => {
      const at = one.el.getBoundingClientRect();
      const centre = at.x + at.width / 2;
      return centre > box.x - 20 && centre < box.right + 20;
    };
    for (let root = pane, level = 0; root && root !== document.body && level < 6; root = up(root), level++) {
      const texts = [root, ...everything(root)].filter((el) => !inside(el) && visible(el))
        .map((el) => ({ el, text: textOf(el) })).filter((one) => one.text && one.text.length < 45);
      for (const some of [texts.filter(above), texts]) {
        const whole = some.map((one) => monthYear(one.text)).find((one) => one.year && one.month);
        if (whole) return { ...whole, root };
        const year = some.map((one) => yearIn(one.text)).find(Boolean);
        const month = some.map((one) => monthsIn(one.text)[0]).find(Boolean);
        if (year && month) return { year, month, root };
      }
    }
    return null;
  };
  const paneOf = (root, inside) => {
    const cells = withoutWeeks(inside);
    const first = cells.findIndex((one, place) => one.value === 1 && cells[place + 1]?.value === 2);
    const days = [];
    for (let place = first; place >= 0 && cells[place]?.value === days.length + 1; place++) days.push(cells[place].el);
    if (days.length < 28) return null;
    const title = titled(root, inside);
    // Stamps may count months from zero, titles may stand elsewhere: what fits the days counts, a title first.
    const fits = (one) => one && daysIn(one.year, one.month) === days.length && fitsWeeks(days, one.year, one.month);
    const when = [title, stamped(days)].find(fits);
    if (!when) return null;
    return { root, days, year: when.year, month: when.month, box: title?.root || up(root) || root };
  };
  const panesIn = (scope) => {
    const all = dayCells(scope);
    const panes = [];
    for (const { el } of all.filter((one) => one.value === 15)) {
      let root = el;
      let inside = [];
      for (let level = 0; root && level < 12; root = up(root), level++) {
        inside = all.filter((one) => within(one.el, root));
        if (new Set(inside.map((one) => one.value).filter((value) => value <= 28)).size === 28) break;
      }
      if (!root || inside.length < 28 || inside.length > 50 || panes.some((one) => one.root === root)) continue;
      const pane = paneOf(root, inside);
      if (pane && !panes.some((one) => one.year === pane.year && one.month === pane.month)) panes.push(pane);
    }
    return panes;
  };
  const partsOf = (el) => {
    const wrap = up(el);
    const alone = wrap && dayCells(wrap).length <= 1;
    return [el, ...el.querySelectorAll("*"), ...(alone ? [wrap] : [])];
  };
  const tokens = (el) => `${el.getAttribute("class") || ""} ${el.getAttribute("part") || ""}`.split(/\s+/).map((one) => one.replace(/^[-_]+|[-_]+$/g, ""));
  const OFF = /(^|[-_])(disabled|unavailable|blocked|locked|disallowed|unselectable|not-available|excluded|booked|forbidden)$/i;
  const off = (el) => {
    const style = getComputedStyle(el);
    return el.disabled === true || el.getAttribute("aria-disabled") === "true" || style.pointerEvents === "none" ||
      style.cursor === "not-allowed" || tokens(el).some((one) => OFF.test(one)) ||
      [...el.attributes].some((one) => /^data-.*disabled$/.test(one.name) && one.value !== "false");
  };
  const CHOSEN = /(^|[-_])(?<!keyboard[-_])(selected|active|chosen|picked|checked|current-day|start-?date|end-?date|start|end)$/i;
  const said = (el) => ["aria-selected", "aria-pressed", "aria-checked"].some((name) => el.getAttribute(name) === "true");
  const worn = (el) => tokens(el).some((one) => CHOSEN.test(one)) || [...el.attributes].some((one) => /^data-.*selected$/.test(one.name) && one.value !== "false");
  // The days marked as chosen: by what is said to everybody, else by the names of styles.
  const marked = (panes) => {
    for (const test of [said, worn]) {
      const found = panes.flatMap((pane) => pane.days.map((el, place) => [el, [pane.year, pane.month, place + 1]]))
        .filter(([el]) => partsOf(el).some(test)).map(([, day]) => day);
      if (found.length) return found;
    }
    return [];
  };
