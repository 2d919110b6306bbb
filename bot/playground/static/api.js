// The only file that talks to the server: reading, acting as the chosen person, uploads and the live feed.
import { state } from "./state.js";

const as = () => `as=${encodeURIComponent(state.me)}`;

async function answer(response) {
  const told = await response.json().catch(() => ({ ok: false, error: `HTTP ${response.status}` }));
  if (told.ok === false && told.error) throw new Error(WORDS[told.error] ?? told.error);
  return told;
}

const WORDS = {
  no_text: "There is nothing to send yet.",
  msg_too_long: "That message is too long: 40,000 characters are the most.",
  not_in_channel: "You are not in this channel.",
  session_not_processing: "Nothing is running in this thread any more.",
  no_such_button: "That button is no longer there.",
  message_not_found: "That message is no longer there.",
};

export async function read(path) {
  return answer(await fetch(`/page/${path}${path.includes("?") ? "&" : "?"}${as()}`));
}

export async function act(name, body) {
  const options = { method: "POST", headers: { "Content-Type": "application/json" }, body: JSON.stringify(body) };
  return answer(await fetch(`/page/do/${name}?${as()}`, options));
}

export async function upload(file) {
  const address = `/page/upload?${as()}&name=${encodeURIComponent(file.name)}`;
  return (await answer(await fetch(address, { method: "POST", body: file }))).id;
}

// One feed at a time; `onOpen` runs at every (re)connection, since something may have been missed.
export function follow(onTold, onOpen, onLost) {
  const feed = new EventSource(`/page/feed?${as()}`);
  feed.onmessage = (event) => {
    const told = JSON.parse(event.data);
    if (told.kind === "hello") onOpen();
    else onTold(told);
  };
  feed.onerror = onLost;
  return feed;
}
