// Puts the page together: who you are, where you are, what is open, and what the live feed brings.
import { act, follow, read } from "./api.js";
import { Composer } from "./composer.js";
import { Messages } from "./messages.js";
import * as press from "./press.js";
import { byId, state, toast, trying } from "./state.js";
import * as views from "./views.js";

const channel = new Messages(byId("messages"));
const thread = new Messages(byId("thread-messages"));
let feed = null;
let prompts = null;

const composer = new Composer(byId("composer-place"), {
  id: "composer-text",
  label: "Message",
  send: (typed, file_ids) => act("say", { channel: state.channel, typed, file_ids }),
});
const reply = new Composer(byId("thread-composer-place"), {
  id: "thread-text",
  label: "Reply",
  send: (typed, file_ids) => act("say", { channel: state.channel, thread_ts: state.thread, typed, file_ids }),
});

function button(words, classes, onClick) {
  const made = Object.assign(document.createElement("button"), { type: "button", className: classes, textContent: words });
  made.addEventListener("click", onClick);
  return made;
}

function drawPlaces() {
  const item = (room) => {
    const li = document.createElement("li");
    const name = room.kind === "im" ? room.name : `# ${room.name}`;
    const place = button(name, "place", () => go(room.id));
    if (room.shared) place.title = "Shared with another company";
    place.classList.toggle("unread", state.unread.has(room.id));
    if (room.id === state.channel && state.view !== "notices") place.ariaCurrent = "page";
    li.append(place);
    return li;
  };
  const of = (direct) => state.channels.filter((room) => (room.kind === "im") === direct).map(item);
  byId("channels").replaceChildren(...of(false));
  byId("directs").replaceChildren(...of(true));
  byId("open-notices").ariaCurrent = state.view === "notices" ? "page" : null;
}

// Says something and opens its thread, where the answer will be.
async function begin(typed) {
  const { ts } = await act("say", { channel: state.channel, typed });
  await openThread(ts);
}

function drawPrompts(hints) {
  const room = state.channels.find((each) => each.id === state.channel);
  const offered = prompts?.prompts ?? (room?.kind === "im" ? [] : hints);
  const bare = (message) => (room?.kind === "im" ? message.replace(/^@Threadhand\s+/, "") : message);
  byId("hint-prompts").replaceChildren(
    ...offered.map((prompt) =>
      button(prompt.title, "press", () => trying(() => begin(bare(prompt.message)))),
    ),
  );
  byId("hint").hidden = state.view !== "messages" || !offered.length || Boolean(sessionStorage.getItem("playground.hint"));
}

function drawPeople() {
  const options = state.people.filter((person) => !person.bot).map((person) => {
    const option = document.createElement("option");
    Object.assign(option, { value: person.id, textContent: `${person.name} · ${person.role}` });
    option.selected = person.id === state.me;
    return option;
  });
  byId("people").replaceChildren(...options);
}

function drawConnection(connected) {
  const line = byId("connection");
  line.textContent = connected ? "Threadhand is connected" : "Threadhand is not running";
  line.classList.toggle("off", !connected);
}

function drawStatus(session) {
  const line = byId("thread-status");
  const words = {
    processing: "Threadhand is working…",
    suspended: "Threadhand waits for an answer.",
  };
  const shown = session.note ? `Threadhand ${session.note}` : (words[session.status] ?? "");
  line.hidden = !shown && !session.can_stop;
  line.firstElementChild.textContent = shown || "Threadhand is writing…";
  line.querySelector("button").hidden = !session.can_stop;
  byId("thread-title").textContent = session.title || "Thread";
}

async function drawNotices() {
  const { notices } = await read("state");
  const box = byId("notices");
  const lead = document.createElement("p");
  lead.textContent = "A service outside the workspace, for trying what needs a yes. Anyone who can reach it may post:";
  const how = document.createElement("pre");
  how.textContent = `curl -d 'hello' ${location.origin}/notices`;
  const list = document.createElement("ul");
  for (const entry of notices.toReversed()) {
    const item = document.createElement("li");
    const time = document.createElement("time");
    time.textContent = new Date(entry.at * 1000).toLocaleString();
    item.append(entry.text, time);
    list.append(item);
  }
  if (!notices.length) list.append("Nothing on the board yet.");
  box.replaceChildren(lead, how, list);
}

function show(view) {
  state.view = view;
  const direct = state.channels.find((room) => room.id === state.channel)?.kind === "im";
  byId("messages").hidden = byId("composer-place").hidden = view !== "messages";
  byId("home").hidden = view !== "home";
  byId("notices").hidden = view !== "notices";
  byId("tabs").hidden = !direct || view === "notices";
  byId("tab-home").ariaSelected = String(view === "home");
  byId("tab-messages").ariaSelected = String(view === "messages");
  if (view !== "messages") byId("hint").hidden = true;
  if (view === "notices") {
    byId("place-name").textContent = "Notice board";
    byId("place-topic").textContent = "outside the workspace";
    trying(drawNotices);
  }
  drawPlaces();
}

let hints = [];

async function load() {
  const told = await read("state").catch(() => {
    state.me = "UMARIA"; // someone remembered from a workspace that is gone
    return read("state");
  });
  Object.assign(state, { people: told.people, channels: told.channels });
  hints = told.hints;
  byId("team").textContent = told.team;
  drawPeople();
  drawConnection(told.connected);
  if (!state.channels.some((room) => room.id === state.channel)) state.channel = state.channels[0].id;
  await loadChannel();
  if (state.thread) await openThread(state.thread);
  await views.refresh();
}

async function loadChannel() {
  const room = state.channels.find((each) => each.id === state.channel);
  const told = await read(`channel/${room.id}`);
  prompts = told.prompts;
  state.unread.delete(room.id);
  byId("place-name").textContent = room.kind === "im" ? "Threadhand" : `# ${room.name}`;
  byId("place-topic").textContent = told.topic || (room.kind === "im" ? "Just between you two" : "");
  byId("place-topic").title = told.members.join(", ");
  composer.label(room.kind === "im" ? "Message Threadhand" : `Message #${room.name}`);
  channel.fill(told.messages);
  show(state.view === "home" && room.kind !== "im" ? "messages" : state.view);
  drawPrompts(hints);
}

async function go(id) {
  state.view = "messages";
  document.body.classList.remove("drawer");
  byId("open-sidebar").ariaExpanded = "false";
  if (id !== state.channel) closeThread();
  state.channel = id;
  remember();
  await trying(loadChannel);
  if (state.channels.find((room) => room.id === id)?.kind === "im") await trying(() => act("open_app", { tab: "messages" }));
  byId("composer-text").focus();
}

async function openThread(ts) {
  const told = await trying(() => read(`thread/${state.channel}/${ts}`));
  if (!told) return;
  state.thread = ts;
  const room = state.channels.find((each) => each.id === state.channel);
  byId("thread").hidden = false;
  document.body.classList.add("with-thread");
  byId("thread-place").textContent = room.kind === "im" ? "" : `#${room.name}`;
  thread.fill(told.messages);
  drawStatus(told.session);
  remember();
  byId("thread-text").focus();
}

function closeThread() {
  state.thread = "";
  byId("thread").hidden = true;
  document.body.classList.remove("with-thread");
  remember();
}

function remember() {
  history.replaceState(null, "", `#${state.channel}${state.thread ? `/${state.thread}` : ""}`);
}

function heard(told) {
  const here = told.channel === state.channel;
  if (told.kind === "message") {
    if (!here) state.unread.add(told.channel);
    else if (told.top) channel.put(told);
    if (here && state.thread && (told.thread_ts || told.ts) === state.thread) thread.put(told);
    if (!here) drawPlaces();
  } else if (told.kind === "deleted" && here) {
    channel.remove(told.ts);
    thread.remove(told.ts);
  } else if (told.kind === "session" && here && told.thread_ts === state.thread) drawStatus(told);
  else if (told.kind === "views") views.refresh();
  else if (told.kind === "prompts" && here) trying(loadChannel);
  else if (told.kind === "notices") {
    if (state.view === "notices") trying(drawNotices);
    else toast("Something was put on the notice board.");
  } else if (told.kind === "connection") drawConnection(told.connected);
}

function connect() {
  feed?.close();
  feed = follow(heard, () => trying(load), () => {
    byId("connection").textContent = "Reconnecting…";
    byId("connection").classList.add("off");
  });
}

function listen() {
  byId("people").addEventListener("change", (event) => {
    state.me = event.target.value;
    localStorage.setItem("playground.me", state.me);
    state.unread.clear();
    const known = state.channel;
    closeThread();
    state.channel = known.startsWith("D") ? "" : known;
    state.view = "messages";
    connect();
  });
  byId("open-notices").addEventListener("click", () => {
    document.body.classList.remove("drawer");
    closeThread();
    show("notices");
  });
  byId("tab-home").addEventListener("click", async () => {
    show("home");
    await trying(() => act("open_app", { tab: "home" }));
  });
  byId("tab-messages").addEventListener("click", () => go(state.channel));
  byId("close-thread").addEventListener("click", closeThread);
  byId("close-hint").addEventListener("click", () => {
    sessionStorage.setItem("playground.hint", "seen");
    byId("hint").hidden = true;
  });
  byId("open-sidebar").addEventListener("click", () => {
    byId("open-sidebar").ariaExpanded = String(document.body.classList.toggle("drawer"));
  });
  byId("thread-status").querySelector("button").addEventListener("click", (event) => {
    event.target.disabled = true;
    setTimeout(() => (event.target.disabled = false), 1000);
    trying(() => act("stop", { channel: state.channel, thread_ts: state.thread }));
  });
  document.addEventListener("keydown", (event) => {
    if (event.key === "Escape" && state.thread && !document.querySelector("dialog[open], form.editing")) closeThread();
  });
}

const [place, root] = decodeURIComponent(location.hash.slice(1)).split("/");
state.channel = place ?? "";
state.thread = root ?? "";
listen();
press.listen(openThread);
views.listen();
connect();
