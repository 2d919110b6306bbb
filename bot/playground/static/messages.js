// A list of messages that stays true: drawn by the server, replaced in place, what people typed in them kept.

const nearEnd = (box) => box.scrollHeight - box.scrollTop - box.clientHeight < 120;

function drawn(html) {
  const template = document.createElement("template");
  template.innerHTML = html; // the server escapes everything people and the app wrote
  for (const time of template.content.querySelectorAll("time")) {
    const moment = new Date(time.dateTime);
    time.textContent = moment.toLocaleTimeString([], { hour: "2-digit", minute: "2-digit" });
    time.title = moment.toLocaleString();
  }
  return template.content.firstElementChild;
}

const inputs = (node) => node.querySelectorAll("[data-input], [data-picks] input");

// Carries typed values, unfolded parts and the focus from the old drawing of a message to its new one.
function keep(old, fresh) {
  const before = [...inputs(old)];
  [...inputs(fresh)].forEach((input, index) => {
    const same = before[index];
    if (!same || same.dataset.input !== input.dataset.input) return;
    if (input.type === "checkbox" || input.type === "radio") input.checked = same.checked;
    else if (same.value !== same.defaultValue) input.value = same.value;
  });
  const folds = [...old.querySelectorAll("details")];
  [...fresh.querySelectorAll("details")].forEach((fold, index) => {
    if (folds[index]) fold.open = folds[index].open;
  });
  const focused = old.contains(document.activeElement) ? document.activeElement.dataset : null;
  if (focused?.action) return () => fresh.querySelector(`[data-action="${CSS.escape(focused.action)}"]`)?.focus();
  return () => {};
}

export class Messages {
  constructor(box) {
    this.box = box;
    this.stuck = true;
    box.addEventListener("scroll", () => (this.stuck = nearEnd(box)));
    // Pictures arrive and panels change size after the list was drawn; whoever was at the end stays there.
    this.sizes = new ResizeObserver(() => this.stuck && (box.scrollTop = box.scrollHeight));
    this.sizes.observe(box);
  }

  find(ts) {
    return this.box.querySelector(`:scope > article[data-ts="${CSS.escape(ts)}"]`);
  }

  fill(messages) {
    this.box.replaceChildren(...messages.map((message) => drawn(message.html)));
    this.join();
    this.toEnd();
  }

  put(message) {
    const stick = this.stuck;
    const fresh = drawn(message.html);
    const old = this.find(message.ts);
    if (old) {
      if (old.querySelector("form.editing")) return;
      const refocus = keep(old, fresh);
      old.replaceWith(fresh);
      refocus();
    } else {
      const later = [...this.box.children].find((other) => Number(other.dataset.ts) > Number(message.ts));
      this.box.insertBefore(fresh, later ?? null);
    }
    this.join();
    if (stick) this.toEnd();
  }

  remove(ts) {
    this.find(ts)?.remove();
    this.join();
  }

  // Messages of one person in a row within five minutes share one name.
  join() {
    let last = null;
    for (const article of this.box.children) {
      const same = last && last.ariaLabel === article.ariaLabel && article.dataset.ts - last.dataset.ts < 300;
      const apart = [article, last].some((each) => each?.classList.contains("private"));
      article.classList.toggle("joined", Boolean(same && !apart));
      last = article;
    }
  }

  toEnd() {
    this.stuck = true;
    this.box.scrollTop = this.box.scrollHeight;
    for (const picture of this.box.querySelectorAll("img")) this.sizes.observe(picture);
  }
}
