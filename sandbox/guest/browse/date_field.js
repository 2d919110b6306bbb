  // The field that shall hold a date, what it shows, and what may open its calendar. Part of the script in calendars.py.
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
    return box.width > 1 && box.height > 1 && el.checkVisibility({ visibilityProperty: true, opacityProperty: true });
  };
  const TEXTS = "input:not([type=hidden]):not([type=checkbox]):not([type=radio]):not([type=button]):not([type=submit]):not([aria-hidden=true])";
  const sections = (el) => [...el.querySelectorAll("[role=spinbutton]")];
  const field = (given) => {
    if (given.matches("input")) return given;
    for (let at = given, level = 0; at && level < 5; at = up(at), level++) {
      if (sections(at).length >= 3) return sections(at).length < 8 ? at : given;
      if (at.matches("form, body")) break;
    }
    if (given.matches("button, [role=button]")) return given;
    return given.querySelector(TEXTS) || given.shadowRoot?.querySelector(TEXTS) || given;
  };
  // Two fields that hold a range between them: the other one, when the first of exactly two was given.
  const partner = (given) => {
    const first = field(given);
    if (first.tagName !== "INPUT") return null;
    for (let at = up(first), level = 0; at && level < 4; at = up(at), level++) {
      const both = [...at.querySelectorAll(TEXTS)].filter((el) => ["text", "tel", "search"].includes(el.type) && visible(el));
      if (both.length > 1) return both.length === 2 && both[0] === first ? both[1] : null;
    }
    return null;
  };
  const shownBy = (el) => {
    if (el.tagName === "INPUT") return el.value;
    const parts = sections(el).map((one) => clean(one.textContent));
    if (parts.length >= 3) return parts.every((one) => /\d/.test(ascii(one))) ? parts.join("/") : "";
    return clean(el.textContent);
  };
  const describe = (given) => {
    const el = field(given);
    const text = el.tagName === "INPUT";
    const about = (el.getAttribute("aria-describedby") || "").split(/\s+/).map((id) => el.getRootNode().getElementById?.(id)?.textContent);
    const order = usual().formatToParts(new Date(2023, 10, 25))
      .map((one) => (one.type === "literal" ? ascii(one.value) : `{${one.type}}`)).join("");
    return {
      type: text ? el.type : "", value: shownBy(el), min: el.min || "", max: el.max || "",
      disabled: Boolean(el.disabled) || el.getAttribute("aria-disabled") === "true",
      readonly: Boolean(el.readOnly), invalid: el.getAttribute("aria-invalid") === "true" || (text && !el.validity.valid),
      why: text ? el.validationMessage : "", language: languages[0] || "en", order,
      hints: [el.placeholder, el.getAttribute("data-format"), el.title, el.getAttribute("aria-label"),
        ...(el.labels ? [...el.labels].map((label) => label.textContent) : []), ...about].map(clean).filter(Boolean),
    };
  };
  // Buttons beside the field that look as if they opened a calendar.
  const wordsOf = (el) => [el.getAttribute("aria-label"), el.title, el.id, el.getAttribute("class"), el.getAttribute("part"),
    el.getAttribute("data-action"), el.getAttribute("slot"), el.getAttribute("name"), el.getAttribute("alt")].filter(Boolean).join(" ");
  const CALENDAR = /calend|kalend|date|datum|datte|fecha|\bdata\b|\btag\b|日付|カレンダー|日历|日期|날짜|تاريخ|تقويم|дат|ημερομην/i;
  const NEVER = /clear|reset|remove|delete|submit|search|close|löschen|effacer/i;
  const openers = (given) => {
    const el = field(given);
    const found = [];
    for (let at = up(el), level = 0; at && level < 4 && found.length < 2; at = up(at), level++) {
      const others = [...at.querySelectorAll(TEXTS)].filter((one) => one !== el && !within(one, el) && visible(one));
      if (others.length || at.matches("body")) break;
      for (const one of [...everything(at)].filter((part) => part.matches("button, [role=button], svg, img, i, [onclick], [class*=addon]"))) {
        if (one === el || within(one, el) || !visible(one) || found.some((old) => within(one, old))) continue;
        const words = `${wordsOf(one)} ${clean(one.textContent)} ${wordsOf(one.firstElementChild || one)}`;
        const bare = !clean(one.textContent) && !one.getAttribute("aria-label") && one.type !== "submit";
        if (!NEVER.test(words) && (CALENDAR.test(words) || bare)) found.push(one);
      }
    }
    return found.slice(0, 2);
  };
