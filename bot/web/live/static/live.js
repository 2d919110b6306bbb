// The live page: shows what the server says, polls for changes, and opens the streams it may open.

const session = document.body.dataset.session;
const viewer = document.body.dataset.viewer === "yes";
const base = `/live/${session}`;
const at = (id) => document.getElementById(id);
const POLL = 1500;
const ENDED = { 4401: "", 4402: "", 4403: "The machine sleeps.", 4404: "", 4405: "The connection ended." };

let state = null;
let rfb = null;
let opening = false;
let told = "";
let shownSteps = "";
let shellFor = "";
let failures = 0;

async function ask(path, options = {}) {
  const answer = await fetch(base + path, { credentials: "same-origin", ...options });
  const said = await answer.json().catch(() => ({}));
  if (answer.status === 401) location.reload();
  if (!answer.ok) throw new Error(said.error || "That did not work. Try again.");
  return said;
}

function hint(text) {
  at("hint").textContent = text;
}

// Views

const tabs = ["screen", "terminal", "files"];

function choose(name, focus = false) {
  for (const other of tabs) {
    const tab = at(`tab-${other}`);
    tab.setAttribute("aria-selected", String(other === name));
    tab.tabIndex = other === name ? 0 : -1;
    at(other).hidden = other !== name;
  }
  if (focus) at(`tab-${name}`).focus();
  if (name === "files") list(folder);
  if (name === "terminal") shell();
}

for (const name of tabs) {
  at(`tab-${name}`).addEventListener("click", () => choose(name));
  at(`tab-${name}`).addEventListener("keydown", (event) => {
    const step = { ArrowRight: 1, ArrowLeft: -1 }[event.key];
    if (step) choose(tabs[(tabs.indexOf(name) + step + tabs.length) % tabs.length], true);
  });
}

// Screen

const CURTAINS = {
  asleep: "The machine sleeps. It wakes when there is work, or when you take over.",
  elsewhere: "The screen cannot be shown from here: the machine runs in another process.",
};

function curtain(text) {
  at("curtain").textContent = text;
  at("curtain").hidden = !text;
}

function closeScreen() {
  if (!rfb) return;
  const old = rfb;
  rfb = null;
  old.disconnect();
}

async function openScreen() {
  if (opening || rfb || !viewer) return;
  opening = true;
  try {
    const { default: RFB } = await import("/live/vendor/novnc/core/rfb.js");
    const socket = new WebSocket(`${location.origin.replace("http", "ws")}${base}/screen`);
    socket.binaryType = "arraybuffer";
    const made = new RFB(at("display"), socket, { shared: true });
    made.mine = state.held === "me";
    made.viewOnly = !made.mine;
    made.scaleViewport = true;
    made.focusOnClick = true;
    made.background = "transparent";
    socket.addEventListener("close", (event) => {
      if (rfb === made) rfb = null;
      told = event.reason || ENDED[event.code] || "";
      draw();
    });
    made.addEventListener("connect", () => {
      told = "";
      curtain("");
      if (made.mine) made.focus();
    });
    rfb = made;
  } finally {
    opening = false;
  }
}

function drawScreen() {
  if (rfb && rfb.mine !== (state.held === "me")) closeScreen();
  if (!viewer) return curtain("The viewer is not installed on this host. What was done and the files are here.");
  if (state.screen === "here") {
    if (!rfb) curtain(told || "Connecting to the screen…");
    return openScreen();
  }
  closeScreen();
  return curtain(state.screen === "curtain" ? `${state.holder} has the screen. It is hidden meanwhile.` : CURTAINS[state.screen]);
}

// Terminal

function shell() {
  const wanted = !viewer ? "none" : state && state.held === "me" ? "me" : "others";
  if (wanted === shellFor || at("terminal").hidden) return;
  shellFor = wanted;
  const room = at("terminal");
  if (wanted === "me") {
    const frame = document.createElement("iframe");
    frame.title = "Terminal";
    frame.src = `${base}/shell`;
    room.replaceChildren(frame);
    return;
  }
  const words = document.createElement("p");
  words.className = "curtain";
  words.textContent =
    wanted === "none" ? "The terminal is not installed on this host." : "The terminal opens when you take over.";
  room.replaceChildren(words);
}

// Files

let folder = "/home/agent";

function size(bytes) {
  if (bytes < 1000) return `${bytes} bytes`;
  return bytes < 1e6 ? `${Math.round(bytes / 1000)} KB` : `${(bytes / 1e6).toFixed(1)} MB`;
}

function row(entry) {
  const item = document.createElement("li");
  const link = document.createElement("a");
  link.textContent = entry.kind === "folder" ? `${entry.name}/` : entry.name;
  if (entry.kind === "folder") {
    link.href = "#";
    link.addEventListener("click", (event) => {
      event.preventDefault();
      list(entry.path);
    });
  } else if (entry.kind === "file") {
    link.href = `${base}/file?path=${encodeURIComponent(entry.path)}`;
    link.setAttribute("download", entry.name);
  }
  const note = document.createElement("span");
  note.textContent = entry.kind === "file" ? size(entry.size) : "";
  item.append(link, note);
  return item;
}

async function list(path) {
  folder = path;
  const up = document.createElement("button");
  up.textContent = "Up";
  up.disabled = path === "/home/agent";
  up.addEventListener("click", () => list(path.replace(/\/[^/]*$/, "")));
  const where = document.createElement("span");
  where.textContent = path;
  at("crumbs").replaceChildren(up, where);
  try {
    const found = await ask(`/files?path=${encodeURIComponent(path)}`);
    at("listing").replaceChildren(...found.entries.map(row));
    if (!found.entries.length) at("listing").replaceChildren("Nothing here.");
  } catch (error) {
    at("listing").replaceChildren(error.message);
  }
}

at("upload").addEventListener("change", async (event) => {
  for (const file of event.target.files) {
    try {
      hint(`Uploading ${file.name}…`);
      const to = `?path=${encodeURIComponent(folder)}&name=${encodeURIComponent(file.name)}`;
      await ask(`/upload${to}`, { method: "POST", body: file });
      hint(`${file.name} is there.`);
    } catch (error) {
      hint(error.message);
    }
  }
  event.target.value = "";
  list(folder);
});

// What was done

const SIGNS = { ok: "✓", failed: "✗", unknown: "?", running: "▸", dropped: "–" };
const WORDS = { ok: "done", failed: "failed", unknown: "outcome unknown", running: "running", dropped: "not run" };

function step(one) {
  const item = document.createElement("li");
  item.className = one.outcome;
  const sign = document.createElement("span");
  sign.className = "sign";
  sign.textContent = SIGNS[one.outcome];
  sign.title = WORDS[one.outcome];
  const title = document.createElement("strong");
  title.textContent = one.title;
  const when = document.createElement("time");
  when.dateTime = one.at;
  const long = one.seconds === null ? "" : ` · ${one.seconds} s`;
  when.textContent = `${new Date(one.at).toLocaleTimeString()}${long} · ${WORDS[one.outcome]}`;
  item.append(sign, title, when);
  if (one.said) {
    const said = document.createElement("p");
    said.textContent = one.said;
    item.append(said);
  }
  if (one.picture) {
    const picture = document.createElement("img");
    picture.src = `${base}/picture/${one.picture}`;
    picture.alt = `The screen after: ${one.title}`;
    picture.loading = "lazy";
    item.append(picture);
  }
  return item;
}

function drawSteps() {
  const now = JSON.stringify(state.steps);
  if (now === shownSteps) return;
  shownSteps = now;
  at("steps").replaceChildren(...state.steps.map(step).reverse());
  at("none").hidden = state.steps.length > 0;
}

// Control

const LABELS = { me: "Give back", coming: "Waiting for the machine…", other: "Take over", "": "Take over" };

function drawControl() {
  const button = at("take");
  button.textContent = LABELS[state.held];
  button.disabled = state.held === "coming" || state.held === "other" || !state.may || state.screen === "elsewhere";
  button.classList.toggle("mine", state.held === "me");
  const who = state.held === "me" ? "You have control. Nothing you type is recorded." : `${state.holder} has control.`;
  at("holder").textContent = state.holder ? who : "Threadhand has control.";
  if (!state.may) hint("Only those it works for can take over.");
  at("upload").disabled = state.held !== "me";
}

at("take").addEventListener("click", async () => {
  const back = state.held === "me";
  at("take").disabled = true;
  hint("");
  if (back) closeScreen();
  try {
    await ask(back ? "/give" : "/take", { method: "POST" });
    if (!back) hint("A moment: what runs is brought to a halt.");
    await poll();
  } catch (error) {
    hint(error.message);
    at("take").disabled = false;
  }
});

function draw() {
  if (!state) return;
  document.title = state.title;
  at("title").textContent = state.title;
  at("headline").textContent = state.headline;
  if (state.held === "me") hint("");
  drawControl();
  drawScreen();
  drawSteps();
  shell();
}

async function poll() {
  const alive = document.visibilityState === "visible" ? "?alive=1" : "";
  state = await ask(`/state${alive}`);
  failures = 0;
  draw();
}

async function follow() {
  try {
    await poll();
  } catch (error) {
    failures += 1;
    hint(error.message);
  }
  setTimeout(follow, POLL * Math.min(1 + failures, 10));
}

follow();
