// The terminal in its own frame: what the shell prints goes to xterm.js, what is typed goes back.

import { Terminal } from "/live/vendor/xterm/lib/xterm.mjs";

const base = `/live/${document.body.dataset.session}`;
const dark = matchMedia("(prefers-color-scheme: dark)").matches;
const theme = dark ? { background: "#15191d", foreground: "#e6e8ea" } : { background: "#ffffff", foreground: "#1b2126", cursor: "#1b2126" };
const terminal = new Terminal({ theme, fontSize: 14, cursorBlink: true, scrollback: 5000 });
const room = document.getElementById("shell");
terminal.open(room);

const socket = new WebSocket(`${location.origin.replace("http", "ws")}${base}/terminal`);
socket.binaryType = "arraybuffer";
const encoder = new TextEncoder();

function fit() {
  const cell = room.querySelector(".xterm-rows > div");
  const height = cell ? cell.getBoundingClientRect().height || 17 : 17;
  const columns = Math.max(20, Math.floor(room.clientWidth / 8.5));
  const rows = Math.max(5, Math.floor(room.clientHeight / height));
  terminal.resize(columns, rows);
  if (socket.readyState === WebSocket.OPEN) socket.send(JSON.stringify({ resize: [rows, columns] }));
}

socket.addEventListener("open", () => {
  fit();
  terminal.focus();
});
socket.addEventListener("message", (event) => terminal.write(new Uint8Array(event.data)));
socket.addEventListener("close", (event) => terminal.write(`\r\n${event.reason || "The connection ended."}\r\n`));
terminal.onData((data) => socket.send(encoder.encode(data)));
terminal.onBinary((data) => socket.send(Uint8Array.from(data, (char) => char.charCodeAt(0))));
new ResizeObserver(fit).observe(room);
