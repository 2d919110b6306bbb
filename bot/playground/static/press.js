// Everything pressed inside messages and views: buttons, menus, reactions, edit, delete; and the two dialogs.
import { act } from "./api.js";
import { byId, toast, trying } from "./state.js";

// What is typed or chosen inside `node`, by block_id/action_id.
export function valuesIn(node) {
  const values = {};
  for (const input of node.querySelectorAll("[data-input]")) {
    values[input.dataset.input] = input.multiple ? [...input.selectedOptions].map((each) => each.value) : input.value;
  }
  for (const group of node.querySelectorAll("[data-picks]")) {
    const on = [...group.querySelectorAll("input:checked")].map((each) => each.value);
    values[group.dataset.picks] = group.querySelector("[type=checkbox]") ? on : (on[0] ?? "");
  }
  return values;
}

// A question with the app's own words; resolves to whether it was confirmed.
function confirmed(words) {
  const dialog = byId("confirm");
  byId("confirm-title").textContent = words.title || "Are you sure?";
  byId("confirm-text").textContent = words.text || "";
  byId("confirm-yes").textContent = words.confirm || "Yes";
  byId("confirm-deny").textContent = words.deny || "Cancel";
  dialog.returnValue = "";
  dialog.showModal();
  return new Promise((done) => {
    dialog.addEventListener("close", () => done(dialog.returnValue === "confirm"), { once: true });
  });
}

function placeOf(node) {
  const article = node.closest("article.message");
  if (article) return [article, { channel: article.dataset.channel, place: article.dataset.ts }];
  const view = node.closest("[data-view]");
  return [view, { channel: "", place: view.dataset.view }];
}

async function press(control, wanted) {
  if (control.dataset.confirm && !(await confirmed(JSON.parse(control.dataset.confirm)))) return;
  const [holder, place] = placeOf(control);
  const row = control.closest(".controls") ?? control.parentElement;
  const controls = [...row.querySelectorAll("button, select")];
  controls.forEach((each) => (each.disabled = true));
  control.setAttribute("aria-busy", "true");
  const least = new Promise((done) => setTimeout(done, 350));
  await trying(() => act("press", { ...place, wanted, values: valuesIn(holder) }));
  await least;
  control.removeAttribute("aria-busy");
  controls.forEach((each) => (each.disabled = false));
}

function edit(article, button) {
  const content = article.querySelector(".content");
  if (!content) return toast("There are no words to change in this message.");
  const form = document.createElement("form");
  const text = document.createElement("textarea");
  const save = Object.assign(document.createElement("button"), { className: "press primary", textContent: "Save" });
  const leave = Object.assign(document.createElement("button"), { className: "press", type: "button", textContent: "Cancel" });
  form.className = "editing";
  text.value = button.dataset.edit;
  text.ariaLabel = "Edit message";
  text.rows = Math.min(8, text.value.split("\n").length + 1);
  const close = () => form.replaceWith(content);
  const keep = async () => {
    const body = { channel: article.dataset.channel, ts: article.dataset.ts, typed: text.value };
    close();
    await trying(() => act("edit", body));
  };
  text.addEventListener("keydown", (event) => {
    if (event.key === "Escape") close();
    if (event.key === "Enter" && !event.shiftKey && !event.isComposing) {
      event.preventDefault();
      keep();
    }
  });
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    keep();
  });
  leave.addEventListener("click", close);
  form.append(text, save, leave);
  content.replaceWith(form);
  return text.focus();
}

async function clicked(event, openThread) {
  const control = event.target.closest("button, a[data-action]");
  if (!control) return;
  const { action, react, edit: words } = control.dataset;
  const article = control.closest("article.message");
  if (action !== undefined) return press(control, action);
  if (!article) return;
  const where = { channel: article.dataset.channel, ts: article.dataset.ts };
  if (react !== undefined) await trying(() => act("react", { ...where, name: react }));
  else if (words !== undefined) edit(article, control);
  else if ("openThread" in control.dataset) openThread(article.dataset.thread);
  else if ("delete" in control.dataset) {
    const sure = await confirmed({ title: "Delete this message?", text: "It cannot be brought back.", confirm: "Delete" });
    if (sure) await trying(() => act("delete", where));
  }
}

// Gives life to everything the server drew, wherever it stands.
export function listen(openThread) {
  document.addEventListener("click", (event) => clicked(event, openThread));
  document.addEventListener("change", (event) => {
    const control = event.target.closest(".block.actions select, .block.section select, .block.actions [data-picks]");
    const wanted = control?.dataset.input ?? control?.dataset.picks;
    if (wanted && (control.value !== "" || control.dataset.picks)) press(control, wanted);
  });
}
