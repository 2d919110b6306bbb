// A message field: Enter sends, Shift+Enter breaks the line, @ offers people, files can be dropped or chosen.
import { state, trying } from "./state.js";
import { upload } from "./api.js";

const MENTION = /(^|\s)@([\w.-]*)$/;

export class Composer {
  // `send(text, fileIds)` is called with what was written; its promise decides whether the field is emptied.
  constructor(place, { id, label, send }) {
    const made = document.getElementById("composer-template").content.cloneNode(true);
    this.form = made.querySelector("form");
    this.text = made.querySelector("textarea");
    this.list = made.querySelector(".completion");
    this.attached = made.querySelector(".attached");
    this.files = [];
    this.send = send;
    this.text.id = id;
    this.list.id = `${id}-people`;
    this.label(label);
    place.append(made);
    this.listen();
  }

  label(words) {
    this.text.placeholder = words;
    this.text.setAttribute("aria-label", words);
  }

  listen() {
    this.form.addEventListener("submit", (event) => {
      event.preventDefault();
      this.submit();
    });
    this.text.addEventListener("keydown", (event) => this.key(event));
    this.text.addEventListener("input", () => this.grown());
    this.text.addEventListener("blur", () => setTimeout(() => this.offer([]), 150));
    this.form.querySelector("input[type=file]").addEventListener("change", (event) => {
      this.attach(event.target.files);
      event.target.value = "";
    });
    this.form.addEventListener("dragover", (event) => event.preventDefault());
    this.form.addEventListener("drop", (event) => {
      event.preventDefault();
      this.attach(event.dataTransfer.files);
    });
    this.text.addEventListener("paste", (event) => event.clipboardData.files.length && this.attach(event.clipboardData.files));
  }

  key(event) {
    if (event.isComposing) return;
    if (!this.list.hidden && this.choosing(event)) return;
    if (event.key === "Enter" && !event.shiftKey) {
      event.preventDefault();
      this.submit();
    }
  }

  async submit() {
    const text = this.text.value;
    if (!text.trim() && !this.files.length) return;
    const [files, kept] = [this.files, text];
    this.text.value = "";
    this.files = [];
    this.grown();
    this.shown();
    const sent = await trying(() => this.send(text, files.map((file) => file.id)));
    if (sent === undefined) {
      this.text.value = kept;
      this.files = files;
      this.shown();
    }
  }

  async attach(files) {
    for (const file of files) {
      const id = await trying(() => upload(file));
      if (id) this.files.push({ id, name: file.name });
    }
    this.shown();
    this.text.focus();
  }

  shown() {
    this.attached.hidden = !this.files.length;
    this.attached.replaceChildren(
      ...this.files.map((file) => {
        const item = document.createElement("li");
        const drop = document.createElement("button");
        item.textContent = file.name;
        Object.assign(drop, { type: "button", textContent: "×", ariaLabel: `Remove ${file.name}`, className: "plain" });
        drop.addEventListener("click", () => {
          this.files = this.files.filter((other) => other !== file);
          this.shown();
        });
        item.append(drop);
        return item;
      }),
    );
  }

  grown() {
    this.text.rows = Math.min(8, this.text.value.split("\n").length);
    const found = MENTION.exec(this.text.value.slice(0, this.text.selectionStart));
    if (!found) return this.offer([]);
    const begun = found[2].toLowerCase();
    const fits = state.people.filter(
      (person) => person.handle.startsWith(begun) || person.name.toLowerCase().startsWith(begun),
    );
    return this.offer(fits.sort((one, other) => Number(other.bot) - Number(one.bot)).slice(0, 6));
  }

  offer(people) {
    this.people = people;
    this.at = 0;
    this.list.hidden = !people.length;
    this.list.replaceChildren(
      ...people.map((person, index) => {
        const item = document.createElement("li");
        Object.assign(item, { id: `${this.list.id}-${index}`, role: "option", textContent: person.name });
        const handle = document.createElement("small");
        handle.textContent = `@${person.handle}`;
        item.append(handle);
        item.addEventListener("mousedown", (event) => {
          event.preventDefault();
          this.choose(index);
        });
        return item;
      }),
    );
    this.mark();
  }

  mark() {
    [...this.list.children].forEach((item, index) => (item.ariaSelected = String(index === this.at)));
    if (this.list.hidden) this.text.removeAttribute("aria-activedescendant");
    else this.text.setAttribute("aria-activedescendant", `${this.list.id}-${this.at}`);
  }

  choosing(event) {
    const steps = { ArrowDown: 1, ArrowUp: -1 };
    if (event.key in steps) {
      this.at = (this.at + steps[event.key] + this.people.length) % this.people.length;
      this.mark();
    } else if (event.key === "Enter" || event.key === "Tab") this.choose(this.at);
    else if (event.key === "Escape") this.offer([]);
    else return false;
    event.preventDefault();
    return true;
  }

  choose(index) {
    const caret = this.text.selectionStart;
    const person = this.people[index];
    const name = person.bot ? person.name : person.handle;
    const before = this.text.value.slice(0, caret).replace(MENTION, `$1@${name} `);
    this.text.value = before + this.text.value.slice(caret);
    this.text.setSelectionRange(before.length, before.length);
    this.offer([]);
    this.text.focus();
  }

  write(words) {
    this.text.value = words;
    this.grown();
    this.offer([]);
    this.text.focus();
  }
}
