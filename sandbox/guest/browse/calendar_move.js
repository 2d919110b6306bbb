  // Leading a calendar to a month. What its buttons do is learnt by pressing one and looking which month is shown then.
  // Part of the script in calendars.py.
  const FORWARD = /next|forward|later|weiter|nächst|suivant|siguiente|próximo|volgende|successivo|след|التالي|次|下|다음|[>›»→⟩▶❯]/i;
  const BACKWARD = /prev|back|earlier|zurück|vorig|vorher|précéd|anterior|vorige|precedente|пред|السابق|前|上|이전|[<‹«←⟨◀❮]/i;
  const YEARS = /year|jahr|année|año|\bano\b|jaar|年|سنة|год|super|double|[»«]|>>|<</i;
  const CONFIRM = new RegExp("^(ok|okay|apply|done|set|save|select|confirm|choose|übernehmen|fertig|anwenden|auswählen|bestätigen|" +
    "appliquer|valider|confirmer|choisir|aplicar|aceptar|applica|conferma|toepassen|применить|確定|適用|決定|完了|确定|应用|적용|확인|تطبيق|موافق|تأكيد)$", "i");
  let ignored = [];
  let anchor = null;
  let panes = [];
  let effects = new Map();
  let inline = false;
  let stuck = null;

  const pause = (milliseconds) => new Promise((done) => setTimeout(done, milliseconds));
  const until = async (test, milliseconds) => {
    const end = performance.now() + milliseconds;
    for (;;) {
      const found = test();
      if (found || performance.now() > end) return found;
      await pause(12);
    }
  };
  const shared = (el, other) => {
    let depth = 0;
    for (let at = other; at; at = up(at), depth++) if (within(el, at)) return depth;
    return depth;
  };
  const common = () => {
    let root = panes[0]?.box;
    while (root && !panes.every((pane) => within(pane.root, root))) root = up(root);
    return root;
  };
  const look = () => {
    const old = common();
    panes = (old?.isConnected ? panesIn(old) : []).filter((one) => !ignored.includes(one.root));
    if (!panes.length) panes = panesIn(document.body).filter((one) => !ignored.includes(one.root));
    if (panes.length > 1 && anchor) {
      // Of several calendars, the one whose months stand together with the first, nearest to the field.
      const nearest = [...panes].sort((one, other) => shared(one.root, anchor) - shared(other.root, anchor))[0];
      panes = panes.filter((one) => one === nearest || Math.abs(months([one])[0] - months([nearest])[0]) < 4 && shared(one.root, nearest.root) < 6);
    }
    return panes.length > 0;
  };
  const months = (some = panes) => some.map((pane) => pane.year * 12 + pane.month - 1);
  const adopt = () => {
    ignored = [];
    return look();
  };
  // Begin at a field: calendars that stand on the page already are not what it opens.
  const begin = (given) => {
    anchor = field(given);
    const all = panesIn(document.body);
    const own = all.filter((pane) => within(pane.root, anchor) || within(anchor, pane.root));
    inline = own.length > 0;
    if (!inline && anchor === anchor.getRootNode().activeElement) return adopt();
    ignored = inline ? all.filter((pane) => !own.includes(pane)).map((pane) => pane.root) : all.map((pane) => pane.root);
    return look();
  };
  const state = () => ({ months: months(), shown: panes.map((pane) => `${pane.year}-${String(pane.month).padStart(2, "0")}`).join(", "), inline });

  const tap = (el) => {
    const box = el.getBoundingClientRect();
    const at = { bubbles: true, cancelable: true, composed: true, view: window, button: 0, detail: 1, clientX: box.x + box.width / 2, clientY: box.y + box.height / 2 };
    el.dispatchEvent(new PointerEvent("pointerdown", { ...at, pointerId: 1, isPrimary: true, pointerType: "mouse", buttons: 1 }));
    el.dispatchEvent(new MouseEvent("mousedown", { ...at, buttons: 1 }));
    el.dispatchEvent(new PointerEvent("pointerup", { ...at, pointerId: 1, isPrimary: true, pointerType: "mouse" }));
    el.dispatchEvent(new MouseEvent("mouseup", at));
    el.dispatchEvent(new MouseEvent("click", at));
  };
  const AHEAD = /(^|[-_])(next|forward)([-_]|$)/i;
  const BEHIND = /(^|[-_])(prev|previous|back|backward)([-_]|$)/i;
  const styles = (el) => [...tokens(el), ...[...el.attributes].filter((one) => one.name.startsWith("data-")).map((one) => one.value)];
  const namesWay = (el) => styles(el).some((one) => AHEAD.test(one) || BEHIND.test(one));
  // Which way a button leads by what it is called, then by its style, then by its sign.
  const wayOf = (el) => {
    const words = [el.getAttribute("aria-label"), el.title, el.getAttribute("alt"), el.getAttribute("slot")].filter(Boolean).join(" ");
    const text = textOf(el).slice(0, 40);
    const style = styles(el).filter((one) => AHEAD.test(one) || BEHIND.test(one)).join(" ");
    for (const [one, ahead, behind] of [[words, FORWARD, BACKWARD], [style, AHEAD, BEHIND], [text, FORWARD, BACKWARD]]) {
      const forward = one.split(" ").some((part) => ahead.test(part));
      const backward = one.split(" ").some((part) => behind.test(part));
      if (forward !== backward) return { way: forward ? 1 : -1, year: YEARS.test(`${words} ${text} ${style}`), text, words: `${words} ${style}` };
    }
    return { way: 0, year: false, text, words: `${words} ${style}` };
  };
  const clickable = (el) => el.matches("button, a, [role=button], [onclick], [tabindex]") || namesWay(el) ||
    (getComputedStyle(el).cursor === "pointer" && up(el) && getComputedStyle(up(el)).cursor !== "pointer");
  // The buttons around the days, from the nearest box that has one for each way.
  const presses = () => {
    const first = panes[0].root.getBoundingClientRect();
    const last = panes[panes.length - 1].root.getBoundingClientRect();
    let found = [];
    for (let root = common(), level = 0; root && root !== document.body && level < 4; root = up(root), level++) {
      if (level && anchor && !inline && within(anchor, root)) break;
      const inGrid = (el) => panes.some((pane) => pane.days.some((day) => within(el, day) || within(day, el)));
      found = [...everything(root)].filter((el) => clickable(el) && visible(el) && !inGrid(el) && !figure(textOf(el))).map((el) => {
        const at = el.getBoundingClientRect();
        const side = at.x + at.width / 2 < (first.x + last.right) / 2 ? -1 : 1;
        const way = wayOf(el);
        const key = [el.tagName, way.words.replace(/[\d\s]+/g, " ").slice(0, 60), way.text.length < 4 ? way.text : "", side].join("|");
        return { el, key, side, off: off(el), below: at.y > first.bottom - 4, ...way };
      });
      found = found.filter((one) => !found.some((other) => other !== one && within(one.el, other.el)));
      if ([1, -1].every((way) => found.some((one) => !one.below && (one.way === way || (!one.way && one.side === way && one.text.length < 4))))) break;
    }
    return found;
  };
  const likely = (press, sign, far) => {
    if (press.way) return press.way === sign ? (press.year === far ? 8 : 4) : 0;
    return press.text.length < 4 && press.side === sign ? 2 : 0;
  };
  const best = (distance) => {
    const sign = Math.sign(distance);
    const far = Math.abs(distance) >= 12;
    const all = presses().filter((one) => !one.off && !one.below);
    const known = all.map((one) => [Math.abs(distance - effects.get(one.key)), one])
      .filter(([left, one]) => effects.get(one.key) * sign > 0 && left < Math.abs(distance)).sort((one, other) => one[0] - other[0]);
    const fresh = all.filter((one) => !effects.has(one.key)).map((one) => [likely(one, sign, far), one])
      .filter(([chance]) => chance).sort((one, other) => other[0] - one[0]);
    if (fresh.length && (!known.length || (far && fresh[0][0] >= 8))) return fresh[0][1];
    return known[0]?.[1] || null;
  };
  const calm = async () => {
    let last = "";
    for (let round = 0; round < 20; round++) {
      const now = (look(), months().join());
      const moving = panes.some((pane) => pane.box.getAnimations?.({ subtree: true }).some((one) => one.playState === "running" && one.effect?.getTiming().iterations !== Infinity));
      if (now && now === last && !moving) return;
      last = now;
      await pause(30);
    }
  };
  const changed = (before, milliseconds) => until(() => look() && months().join() !== before, milliseconds);
  // Use the calendar's own lists of years and months.
  const byLists = async (year, month) => {
    for (const [wanted, fits] of [[year, yearIn], [month, (label) => monthsIn(label)[0]]]) {
      const lists = panes.flatMap((pane) => [pane.box, ...everything(pane.box)]).filter((el) => el.tagName === "SELECT" && !el.disabled);
      const list = lists.find((el) => [...el.options].filter((one) => fits(one.label)).length > 1 && fits(textOf(el)));
      const place = list ? [...list.options].findIndex((one) => fits(one.label) === wanted && !one.disabled) : -1;
      if (place < 0 || place === list.selectedIndex) continue;
      const [before, old] = [months().join(), list.selectedIndex];
      const choose = (index) => {
        list.selectedIndex = index;
        for (const kind of ["input", "change"]) list.dispatchEvent(new Event(kind, { bubbles: true, composed: true }));
      };
      choose(place);
      if (!(await changed(before, 500)) && list.isConnected) choose(old);
      await calm();
    }
  };
  // Go to a month. Answers "" when it is shown, "bounds" when no button leads there, "time", "gone" when the calendar
  // closed, or the button that did nothing when its events were made by a script.
  const travel = async (year, month, seconds) => {
    const goal = year * 12 + month - 1;
    const end = performance.now() + seconds * 1000;
    await calm();
    if (panes.length && !months().includes(goal)) await byLists(year, month);
    while (panes.length && !months().includes(goal)) {
      if (performance.now() > end) return "time";
      const distance = months().map((shown) => goal - shown).sort((one, other) => Math.abs(one) - Math.abs(other))[0];
      const press = best(distance);
      if (!press) return "bounds";
      const before = months();
      tap(press.el);
      stuck = { key: press.key, before };
      const moved = await changed(before.join(), effects.has(press.key) ? 1500 : 500);
      if (!panes.length && !(await until(look, 1000))) return "gone";
      if (!moved) return press.el;
      effects.set(press.key, months()[0] - before[0]);
    }
    await calm();
    return panes.length ? (months().includes(goal) ? "" : "time") : "gone";
  };
  // What the last press led to in the end.
  const learn = async () => {
    const moved = await changed(stuck.before.join(), 700);
    effects.set(stuck.key, moved ? months()[0] - stuck.before[0] : 0);
  };
  const dayAt = ([year, month, number]) => panes.find((one) => one.year === year && one.month === month)?.days[number - 1];
  const isOff = (day) => partsOf(dayAt(day)).some(off);
  const chosen = () => (look() ? marked(panes) : []);
  const confirms = () => {
    if (!look()) return null;
    for (let root = common(), level = 0; root && root !== document.body && level < 4; root = up(root), level++) {
      if (anchor && within(anchor, root)) break;
      const found = [...everything(root)].find((el) => el.matches("button, [role=button], a, input[type=button]") && visible(el) && !off(el) && CONFIRM.test(textOf(el)));
      if (found) return found;
    }
    return null;
  };
  const inDialog = (el) => Boolean(field(el).closest("dialog, [role=dialog], [aria-modal=true]"));
  return { describe, field, partner, openers, reads, readable: (text) => readings(text).length > 0, inDialog, begin, look, adopt, state, travel, learn, dayAt, isOff, chosen, confirms, tap, until };
