// Modals and App Home of the person looking.
import { act, read } from "./api.js";
import { byId, trying } from "./state.js";
import { valuesIn } from "./press.js";

let open = null;

function fill(node, view) {
  node.dataset.view = view.id;
  node.innerHTML = view.html; // drawn by the server, everything in it escaped
}

function showFaults(errors) {
  const left = { ...errors };
  for (const fault of byId("modal-body").querySelectorAll("[data-fault]")) {
    const words = left[fault.dataset.fault];
    delete left[fault.dataset.fault];
    fault.textContent = words ?? "";
    fault.hidden = !words;
  }
  const rest = Object.values(left).join(" ");
  byId("modal-fault").textContent = rest;
  byId("modal-fault").hidden = !rest;
}

function showModal(view) {
  const dialog = byId("modal");
  open = view;
  byId("modal-title").textContent = view.title;
  byId("modal-close").textContent = view.close;
  byId("modal-submit").textContent = view.submit;
  byId("modal-submit").hidden = !view.submit;
  byId("modal-fault").hidden = true;
  fill(byId("modal-body"), view);
  if (!dialog.open) dialog.showModal();
  byId("modal-body").querySelector("input, textarea, select")?.focus();
}

export async function refresh() {
  const told = await trying(() => read("views"));
  if (!told) return;
  const home = byId("home");
  if (told.home) fill(home, told.home);
  else home.textContent = "Nothing here yet. Threadhand fills this page when it is running.";
  const top = told.modals.at(-1);
  if (top) showModal(top);
  else {
    open = null;
    if (byId("modal").open) byId("modal").close();
  }
}

async function submit() {
  const button = byId("modal-submit");
  button.disabled = true;
  const view = open;
  try {
    const told = await act("submit", { view_id: view.id, values: valuesIn(byId("modal-body")) });
    if (told.errors) showFaults(told.errors);
    else await refresh();
  } catch (error) {
    showFaults({ "": error.message });
  }
  button.disabled = false;
}

async function close() {
  if (!open) return byId("modal").close();
  const view = open;
  open = null;
  await trying(() => act("close_view", { view_id: view.id }));
  return refresh();
}

export function listen() {
  byId("modal").querySelector("form").addEventListener("submit", (event) => {
    event.preventDefault();
    submit();
  });
  byId("modal-close").addEventListener("click", close);
  byId("modal").addEventListener("cancel", (event) => {
    event.preventDefault();
    close();
  });
}
