// What a date field is and what a calendar shows, found by roles, layout and the names of months as Intl has them:
// no library is known by name. Evaluates to {describe, calendar}.
() => {
  const clean = (text) => (text || "").replace(/\s+/g, " ").trim();
  const up = (el) => el.parentElement || el.getRootNode().host || null;
  const within = (el, root) => {
    for (let at = el; at; at = up(at)) if (at === root) return true;
    return false;
  };
  const everything = function* (root) {
    for (const el of root.querySelectorAll("*")) {
      yield el;
      if (el.shadowRoot) yield* everything(el.shadowRoot);
    }
  };
  const visible = (el) => {
    const box = el.getBoundingClientRect();
    return el.checkVisibility({ visibilityProperty: true, opacityProperty: true }) && box.width > 1 && box.height > 1;
  };
  const plainMonth = (text) => text.toLocaleLowerCase().replace(/\./g, "");
  const languages = [...new Set([document.documentElement.lang, navigator.language, "en", "de", "fr", "es", "it", "pt",
    "nl", "pl", "sv", "da", "fi", "cs", "tr", "ru", "ja"])].filter((one) => {
    try { return one && Intl.DateTimeFormat.supportedLocalesOf(one).length; } catch { return false; }
  });
  const names = new Map();
  for (const language of languages) {
    for (let month = 0; month < 12; month++) {
      const day = new Date(2023, month, 5);
      for (const style of ["long", "short"]) {
        const alone = new Intl.DateTimeFormat(language, { month: style }).format(day);
        const parts = new Intl.DateTimeFormat(language, { day: "numeric", month: style }).formatToParts(day);
        for (const name of [alone, parts.find((one) => one.type === "month")?.value || alone]) {
          const plain = plainMonth(name);
          if (plain.length > 2 && !/^\d+$/.test(plain) && !names.has(plain)) names.set(plain, month + 1);
        }
      }
    }
  }
  const byLength = [...names.keys()].sort((a, b) => b.length - a.length);
  const monthsIn = (text) => {
    const plain = plainMonth(text);
    const letter = (char) => char && /\p{L}/u.test(char);
    return byLength.filter((name) => {
      const at = plain.indexOf(name);
      return at >= 0 && !letter(plain[at - 1]) && !letter(plain[at + name.length]);
    }).map((name) => names.get(name));
  };
  const monthIn = (text) => monthsIn(text)[0] || 0;
  const yearIn = (text) => Number(/(?<!\d)(1[89]|2[01])\d\d(?!\d)/.exec(text)?.[0] || 0);
  const monthYear = (text) => {
    const numeric = /(?<!\d)(\d{4})\s*[-/.年]\s*(\d{1,2})(?!\d)/.exec(text) || null;
    if (numeric) return { year: Number(numeric[1]), month: Number(numeric[2]) };
    const turned = /(?<!\d)(\d{1,2})\s*[-/.]\s*(\d{4})(?!\d)/.exec(text);
    if (turned) return { year: Number(turned[2]), month: Number(turned[1]) };
    return { year: yearIn(text), month: monthIn(text) };
  };
  const daysIn = (year, month) => new Date(year, month, 0).getDate();

  const describe = (given) => {
    const inner = "input:not([type=hidden]):not([type=checkbox]):not([type=radio])";
    const el = given.matches("input") ? given : given.querySelector(inner) || given.shadowRoot?.querySelector(inner) || given;
    const text = el.tagName === "INPUT";
    const about = (el.getAttribute("aria-describedby") || "").split(/\s+/).map((id) => el.getRootNode().getElementById?.(id)?.textContent);
    const language = languages[0] || "en";
    const order = new Intl.DateTimeFormat(language, { year: "numeric", month: "2-digit", day: "2-digit" })
      .formatToParts(new Date(2023, 10, 25)).map((one) => (one.type === "literal" ? one.value : `{${one.type}}`)).join("");
    return {
      type: text ? el.type : "", value: text ? el.value : clean(el.textContent), min: el.min || "", max: el.max || "",
      disabled: Boolean(el.disabled) || el.getAttribute("aria-disabled") === "true",
      readonly: Boolean(el.readOnly), invalid: el.getAttribute("aria-invalid") === "true" || (text && !el.validity.valid),
      why: text ? el.validationMessage : "", language, order,
      hints: [el.placeholder, el.getAttribute("data-format"), el.title, el.getAttribute("aria-label"),
        ...(el.labels ? [...el.labels].map((label) => label.textContent) : []), ...about].map(clean).filter(Boolean),
    };
  };
  const field = (given) => {
    const inner = "input:not([type=hidden]):not([type=checkbox]):not([type=radio])";
    return given.matches("input") ? given : given.querySelector(inner) || given.shadowRoot?.querySelector(inner) || given;
  };

  const dayCells = () => {
    const found = [];
    const number = (el) => (/^\d{1,2}$/.test(el.textContent.trim()) ? Number(el.textContent) : 0);
    for (const el of everything(document)) {
      if (el.childElementCount > 4 || el.tagName === "OPTION") continue;
      const value = number(el);
      const parent = up(el);
      if (value >= 1 && value <= 31 && !(parent && number(parent)) && visible(el)) found.push({ el, value });
    }
    return found;
  };
  const stamped = (el) => {
    for (const one of [el, ...el.querySelectorAll("*"), up(el)].filter(Boolean)) {
      for (const attribute of one.attributes || []) {
        if (["class", "id", "style", "href"].includes(attribute.name)) continue;
        const iso = /(\d{4})-(\d\d?)-(\d\d?)/.exec(attribute.value);
        if (iso) return { year: Number(iso[1]), month: Number(iso[2]) };
        const both = monthYear(attribute.value);
        if (both.year && both.month) return both;
      }
    }
    return null;
  };
  const headers = (root, cells) => {
    const found = [];
    for (const el of [root, ...everything(root)]) {
      if (!visible(el) || cells.some((cell) => within(el, cell.el) || within(cell.el, el))) continue;
      if (el.tagName === "SELECT") found.push({ el, text: el.selectedOptions[0]?.label || "" });
      else if (el.tagName === "INPUT") found.push({ el, text: el.value });
      else if (!el.childElementCount || clean(el.textContent).length < 40) found.push({ el, text: clean(el.textContent) });
    }
    return found;
  };
  const titled = (pane, cells) => {
    const box = pane.getBoundingClientRect();
    const above = (one) => {
      const at = one.el.getBoundingClientRect();
      const middle = at.x + at.width / 2;
      return middle > box.x - 20 && middle < box.right + 20;
    };
    for (let root = pane, level = 0; root && root !== document.body && level < 6; root = up(root), level++) {
      const texts = headers(root, cells);
      for (const some of [texts.filter(above), texts]) {
        const whole = some.map((one) => monthYear(one.text)).find((one) => one.year && one.month);
        if (whole) return { ...whole, root };
        const year = some.map((one) => yearIn(one.text)).find(Boolean);
        const month = some.map((one) => monthIn(one.text)).find(Boolean);
        if (year && month) return { year, month, root };
      }
    }
    return null;
  };

  const calendar = (given) => {
    const anchor = given ? field(given) : null;
    const all = dayCells();
    const panes = [];
    for (const { el } of all.filter((one) => one.value === 15)) {
      let root = el;
      let inside = [];
      for (let level = 0; root && level < 12; root = up(root), level++) {
        inside = all.filter((one) => within(one.el, root));
        if (new Set(inside.map((one) => one.value).filter((value) => value <= 28)).size === 28) break;
      }
      if (!root || inside.length > 45 || inside.length < 28 || panes.some((one) => one.root === root)) continue;
      const first = inside.findIndex((one, place) => one.value === 1 && inside[place + 1]?.value === 2);
      const days = [];
      for (let place = first; place >= 0 && inside[place]?.value === days.length + 1; place++) days.push(inside[place].el);
      const title = titled(root, inside);
      const when = stamped(days[14]) || title;
      if (!when || daysIn(when.year, when.month) !== days.length) continue;
      panes.push({ root, days, year: when.year, month: when.month, box: title?.root || up(root) || root });
    }
    let box = panes[0]?.box;
    if (box && panes.length) {
      for (let level = 0; level < 3 && up(box) && up(box) !== document.body; level++) {
        const wider = up(box);
        const size = wider.getBoundingClientRect();
        if ((anchor && within(anchor, wider)) || size.width * size.height > innerWidth * innerHeight * 0.6) break;
        box = wider;
      }
    }
    const cells = new Set(all.map((one) => one.el));
    const presses = box ? [...everything(box)].filter((el) => visible(el) && !panes.some((pane) => within(pane.root, el)) &&
      !panes.some((pane) => pane.days.some((day) => within(el, day))) && !cells.has(el) &&
      (el.matches("button, a[href], [role=button], [onclick], [tabindex]") ||
        (getComputedStyle(el).cursor === "pointer" && getComputedStyle(up(el)).cursor !== "pointer"))) : [];
    const selects = box ? [...everything(box)].filter((el) => el.tagName === "SELECT" && visible(el)) : [];
    const off = (el) => el.disabled || el.getAttribute("aria-disabled") === "true" ||
      getComputedStyle(el).pointerEvents === "none" || getComputedStyle(el).cursor === "not-allowed" ||
      /(^|[-_\s])(disabled|unavailable|blocked)/i.test(String(el.className || ""));
    const state = () => ({
      panes: panes.map((pane) => ({ year: pane.year, month: pane.month })),
      presses: presses.map((el) => {
        const at = el.getBoundingClientRect();
        const pane = panes[0].root.getBoundingClientRect();
        const last = panes[panes.length - 1].root.getBoundingClientRect();
        return {
          text: clean(el.textContent).slice(0, 40), label: clean(el.getAttribute("aria-label") || el.title), off: Boolean(off(el)),
          side: at.x + at.width / 2 < (pane.x + last.right) / 2 ? -1 : 1, below: at.y > pane.bottom - 4,
          far: Math.abs(at.x + at.width / 2 - (pane.x + last.right) / 2), key: `${Math.round(at.x)},${Math.round(at.y / 8)}`,
        };
      }),
      years: selects.map((el) => [...el.options].some((one) => yearIn(one.label))),
      months: selects.map((el) => [...el.options].filter((one) => monthIn(one.label)).length > 5),
    });
    const day = (year, month, number) => {
      const pane = panes.find((one) => one.year === year && one.month === month);
      const el = pane?.days[number - 1];
      if (!el) return null;
      const parts = [el, ...el.querySelectorAll("*"), up(el)];
      return parts.some((one) => one && one !== pane.root && off(one)) ? null : el;
    };
    const chosen = () => {
      for (const pane of panes) {
        for (const [place, el] of pane.days.entries()) {
          const parts = [el, ...el.querySelectorAll("*"), up(el)];
          if (parts.some((one) => ["aria-selected", "aria-pressed"].some((name) => one?.getAttribute(name) === "true"))) {
            return [pane.year, pane.month, place + 1];
          }
        }
      }
      return null;
    };
    const option = (el, year, month) => [...el.options].findIndex((one) =>
      month ? monthIn(one.label) === month : yearIn(one.label) === year);
    return { state, day, chosen, press: (place) => presses[place], select: (place) => selects[place], option };
  };
  return { describe, field, calendar, monthsIn };
}
