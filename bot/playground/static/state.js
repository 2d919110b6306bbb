// What the page knows at the moment; changed by main.js alone, read by everyone.
export const state = {
  me: localStorage.getItem("playground.me") ?? "UMARIA",
  people: [],
  channels: [],
  channel: "",
  thread: "",
  view: "messages",
  unread: new Set(),
};

export const byId = (id) => document.getElementById(id);

export function toast(words) {
  const box = byId("toast");
  box.textContent = words;
  box.hidden = false;
  clearTimeout(toast.timer);
  toast.timer = setTimeout(() => (box.hidden = true), 6000);
}

// Runs an act and shows what went wrong, if anything did.
export async function trying(work) {
  try {
    return await work();
  } catch (error) {
    toast(error.message);
    return undefined;
  }
}
