// What is on a page, as short lines with refs. Evaluates to a registry that lives as long as its document and that
// the page's own scripts cannot reach. Visible things only, open shadow roots and slots followed; frames are spliced
// in by the caller. A ref stays with its element.
() => {
  const ids = new WeakMap();
  const held = new Map();
  let next = 1;

  const SKIP = new Set(["SCRIPT", "STYLE", "NOSCRIPT", "TEMPLATE", "HEAD", "META", "LINK", "OPTION", "OPTGROUP", "BR"]);
  const TAGS = {
    BUTTON: "button", SUMMARY: "button", TEXTAREA: "textbox", NAV: "navigation", MAIN: "main", FORM: "form",
    TABLE: "table", TR: "row", UL: "list", OL: "list", LI: "listitem", DIALOG: "dialog", IFRAME: "iframe",
    IMG: "img", CANVAS: "canvas", VIDEO: "video", AUDIO: "audio", FIELDSET: "group", DETAILS: "group",
    PROGRESS: "progressbar", METER: "meter", ASIDE: "complementary", ARTICLE: "article", HEADER: "banner",
    FOOTER: "contentinfo", TD: "cell", TH: "columnheader", OUTPUT: "status",
  };
  const INPUTS = {
    checkbox: "checkbox", radio: "radio", range: "slider", number: "spinbutton", submit: "button", button: "button",
    reset: "button", image: "button", file: "file input", date: "date input", "datetime-local": "date-time input",
    month: "month input", week: "week input", time: "time input", color: "color input", search: "searchbox",
  };
  const ACT = new Set([
    "link", "button", "textbox", "searchbox", "checkbox", "radio", "combobox", "listbox", "option", "slider",
    "spinbutton", "switch", "tab", "menuitem", "menuitemcheckbox", "menuitemradio", "treeitem", "gridcell",
    "file input", "date input", "date-time input", "month input", "week input", "time input", "color input",
    "iframe", "canvas", "video", "audio", "clickable", "scrollbar", "dialog", "alertdialog",
  ]);
  const LEAF = new Set([
    "link", "button", "heading", "option", "tab", "menuitem", "menuitemcheckbox", "menuitemradio", "clickable",
    "checkbox", "radio", "switch", "textbox", "searchbox", "combobox", "spinbutton", "gridcell", "columnheader", "img",
  ]);
  const QUIET = new Set(["presentation", "none", "generic", "text"]);

  const clean = (text, most = 160) => {
    const plain = String(text ?? "").replace(/\s+/g, " ").trim();
    return plain.length > most ? plain.slice(0, most - 1) + "…" : plain;
  };
  const quoted = (text) => JSON.stringify(text);
  const childrenOf = (el) => {
    if (el.shadowRoot) return el.shadowRoot.childNodes;
    if (el.tagName === "SLOT") {
      const given = el.assignedNodes();
      return given.length ? given : el.childNodes;
    }
    return el.childNodes;
  };
  const deepText = (el) => {
    let text = "";
    for (const child of childrenOf(el)) {
      if (child.nodeType === 3) text += child.data;
      else if (child.nodeType === 1 && !SKIP.has(child.tagName) && shown(child)) {
        text += child.tagName === "IMG" ? ` ${child.alt} ` : ` ${deepText(child)} `;
      }
      if (text.length > 2000) break;
    }
    return text;
  };
  const shown = (el) => {
    if (el.getAttribute("aria-hidden") === "true" && !el.querySelector("a[href],button,input,select,textarea")) return false;
    if (el.tagName === "INPUT" && el.type === "file") return true;
    return el.checkVisibility() || getComputedStyle(el).display === "contents";
  };
  const hiddenOnly = (el) => getComputedStyle(el).visibility !== "visible" && !(el.tagName === "INPUT" && el.type === "file");

  const roleOf = (el) => {
    const given = (el.getAttribute("role") || "").trim().split(/\s+/)[0];
    if (given) return QUIET.has(given) ? "" : given;
    const tag = el.tagName;
    if (tag === "A") return el.hasAttribute("href") ? "link" : "";
    if (tag === "INPUT") return el.type === "hidden" ? "" : INPUTS[el.type] || "textbox";
    if (tag === "SELECT") return el.multiple || el.size > 1 ? "listbox" : "combobox";
    if (/^H[1-6]$/.test(tag)) return "heading";
    if (tag === "SECTION") return el.getAttribute("aria-label") ? "region" : "";
    if (el.isContentEditable && !(el.parentElement && el.parentElement.isContentEditable)) return "textbox";
    if (TAGS[tag]) return TAGS[tag];
    return "";
  };
  const clickable = (el) => {
    if (el.hasAttribute("onclick") || el.tabIndex >= 0 || el.draggable) return el !== document.body;
    if (getComputedStyle(el).cursor !== "pointer" || el.tagName === "LABEL") return false;
    const parent = el.parentElement;
    return !parent || getComputedStyle(parent).cursor !== "pointer";
  };
  const labelled = (el) => {
    const names = (el.getAttribute("aria-labelledby") || "").split(/\s+/).filter(Boolean);
    const root = el.getRootNode();
    return names.map((id) => root.getElementById?.(id)).filter(Boolean).map((one) => one.textContent).join(" ");
  };
  // A form's fields hide its own properties: with a field named title, form.title is that field.
  const titleOf = (el) => el.getAttribute("title") || "";
  const nameOf = (el, role) => {
    const own = labelled(el) || el.getAttribute("aria-label");
    if (own) return clean(own);
    if (el.labels && el.labels.length) return clean([...el.labels].map((label) => deepText(label)).join(" "));
    if (el.tagName === "INPUT" && ["submit", "button", "reset"].includes(el.type)) return clean(el.value || el.type);
    if (el.tagName === "IMG" || el.type === "image") return clean(el.alt || titleOf(el));
    if (el.tagName === "FIELDSET") return clean(el.querySelector("legend")?.textContent);
    if (el.tagName === "TABLE") return clean(el.caption?.textContent);
    if (el.tagName === "IFRAME") return clean(titleOf(el) || el.name);
    if (LEAF.has(role) && !fields(el)) return clean(deepText(el)) || clean(titleOf(el));
    return clean(el.getAttribute("placeholder") || titleOf(el));
  };
  const fields = (el) => /^(INPUT|TEXTAREA|SELECT)$/.test(el.tagName) || el.isContentEditable;

  const valueOf = (el) => {
    if (el.tagName === "SELECT") return [...el.selectedOptions].map((one) => clean(one.label, 60)).join(", ");
    if (el.tagName === "INPUT") {
      if (["checkbox", "radio", "submit", "button", "reset", "image"].includes(el.type)) return "";
      if (el.type === "password") return el.value ? "(hidden)" : "";
      if (el.type === "file") return [...el.files].map((one) => one.name).join(", ");
      return clean(el.value, 300);
    }
    if (el.tagName === "TEXTAREA") return clean(el.value, 500);
    if (el.isContentEditable) return clean(el.textContent, 500);
    return clean(el.getAttribute("aria-valuetext") || el.getAttribute("aria-valuenow") || "");
  };
  const aria = (el, name, yes, no = "") => {
    const value = el.getAttribute(`aria-${name}`);
    return value === "true" ? yes : value === "mixed" ? "mixed" : value === "false" ? no : "";
  };
  const statesOf = (el, role) => {
    const found = [];
    if (el instanceof HTMLFormElement) return found;
    if (el.disabled || aria(el, "disabled", "x")) found.push("disabled");
    if (role === "checkbox" || role === "radio" || role === "switch" || role.startsWith("menuitem")) {
      found.push(el.checked || aria(el, "checked", "x") === "x" ? "checked" : aria(el, "checked", "") || "");
    }
    found.push(aria(el, "expanded", "expanded", "collapsed"), aria(el, "pressed", "pressed"), aria(el, "selected", "selected"));
    if (el.tagName === "DETAILS") found.push(el.open ? "open" : "");
    if (el.required || aria(el, "required", "x")) found.push("required");
    if (fields(el) && el.readOnly) found.push("read-only");
    if (aria(el, "invalid", "x")) found.push("invalid");
    if (el.draggable && !["A", "IMG"].includes(el.tagName)) found.push("draggable");
    if (el.min) found.push(`min ${el.min}`);
    if (el.max) found.push(`max ${el.max}`);
    if (el.tagName === "SELECT") {
      const all = [...el.options].map((one) => clean(one.label, 40));
      found.push(`options: ${all.slice(0, 15).join(" | ")}${all.length > 15 ? ` | … ${all.length} in all` : ""}`);
    }
    if (role === "link") found.push(`-> ${shortUrl(el)}`);
    if (el.getRootNode().activeElement === el && el !== document.body) found.push("focused");
    return found.filter(Boolean);
  };
  const shortUrl = (el) => {
    const url = String(el.href || el.getAttribute("href") || "");
    return clean(url.startsWith(location.origin + "/") ? url.slice(location.origin.length) : url, 120);
  };

  const refOf = (el) => {
    let ref = ids.get(el);
    if (!ref) {
      ref = `e${next++}`;
      ids.set(el, ref);
      held.set(ref, new WeakRef(el));
    }
    return ref;
  };
  const lineOf = (el, role) => {
    const level = role === "heading" ? ` ${el.getAttribute("aria-level") || el.tagName[1] || ""}` : "";
    const name = nameOf(el, role);
    const value = valueOf(el);
    const ref = ACT.has(role) || fields(el) || el.draggable ? ` [${refOf(el)}]` : "";
    const states = statesOf(el, role);
    return `- ${role}${level}${name ? " " + quoted(name) : ""}${ref}${value ? ": " + quoted(value) : ""}` +
      `${states.length ? " " + states.join(" ") : ""}`;
  };
  const acts = (el) => {
    for (const one of el.querySelectorAll("*")) if (ACT.has(roleOf(one)) || one.shadowRoot) return true;
    return false;
  };

  const outline = (start, seed) => {
    next = Math.max(next, seed);
    const lines = [];
    let visited = 0;
    let text = "";
    const flush = (depth) => {
      const plain = clean(text, 600);
      text = "";
      if (plain) lines.push({ depth, text: `- text: ${plain}` });
    };
    const walk = (node, depth, mute) => {
      if (node.nodeType === 3) {
        if (!mute) text += node.data;
        return;
      }
      if (node.nodeType !== 1 || SKIP.has(node.tagName) || visited++ > 30000 || lines.length > 6000 || !shown(node)) return;
      let role = hiddenOnly(node) ? "" : roleOf(node);
      if (!role && !hiddenOnly(node) && clickable(node)) role = "clickable";
      const block = !/^inline/.test(getComputedStyle(node).display);
      if ((role === "list" || role === "banner" || role === "contentinfo" || role === "article") && !node.ariaLabel) role = "";
      if (role === "form" && !nameOf(node, role)) role = "";
      if (role === "img" && !nameOf(node, role)) return;
      if (["row", "listitem", "cell"].includes(role) && !acts(node)) {
        flush(depth);
        const cells = [...node.children].map((one) => clean(deepText(one)));
        const inside = role === "row" ? cells.join(" | ") : clean(deepText(node), 500);
        if (inside && !mute) lines.push({ depth, text: `- ${role}: ${inside}` });
        return;
      }
      if (role && (node.tagName !== "INPUT" || node.type !== "hidden")) {
        flush(depth);
        const line = lineOf(node, role);
        lines.push({ depth, text: line, ref: ids.get(node) || "" });
        if (node.tagName === "IFRAME" || node.tagName === "SELECT") return;
        const leaf = LEAF.has(role) || fields(node);
        if (leaf && !acts(node)) return;
        for (const child of childrenOf(node)) walk(child, depth + 1, mute || leaf);
        flush(depth + 1);
        return;
      }
      if (block) flush(depth);
      for (const child of childrenOf(node)) walk(child, depth, mute || hiddenOnly(node));
      if (block) flush(depth);
      else if (!mute) text += " ";
    };
    walk(start || document.body || document.documentElement, 0, false);
    flush(0);
    return { lines, next };
  };

  const everything = function* (root) {
    for (const el of root.querySelectorAll("*")) {
      yield el;
      if (el.shadowRoot) yield* everything(el.shadowRoot);
    }
  };
  const find = (words, seed) => {
    next = Math.max(next, seed);
    const wanted = clean(words, 1000).toLowerCase();
    const hits = [];
    for (const el of everything(document)) {
      if (SKIP.has(el.tagName) || !el.checkVisibility()) continue;
      const has = (one) => clean(deepText(one), 5000).toLowerCase().includes(wanted);
      const named = (el.getAttribute("aria-label") || el.getAttribute("placeholder") || titleOf(el) || "").toLowerCase();
      if (!named.includes(wanted) && !(has(el) && ![...childrenOf(el)].some((one) => one.nodeType === 1 && has(one)))) continue;
      const role = roleOf(el) || "text";
      hits.push({ depth: 0, text: `- ${role} ${quoted(clean(deepText(el) || named))} [${refOf(el)}]`, ref: refOf(el) });
      if (hits.length >= 20) break;
    }
    return { lines: hits, next };
  };
  const element = (ref) => {
    const el = held.get(ref)?.deref();
    return el && el.isConnected ? el : null;
  };
  return { outline: (ref, seed) => outline(ref ? element(ref) : null, seed), find, element, refOf };
}
