import "cally";
import { given, put, holds, isOff, day, format } from "./common.js";

const kind = given.range ? "range" : "date";
const months = given.range ? "<calendar-month></calendar-month><calendar-month offset=1></calendar-month>" : "<calendar-month></calendar-month>";
const start = [given.start, given.end].filter(Boolean).join("/");
const button = put(`<label id=l>Day</label> <button type=button id=f aria-labelledby="l f" popovertarget=pop></button>
  <div id=pop popover><calendar-${kind} months=${given.range ? 2 : 1} locale=${given.locale} value="${start}"
  ${given.min ? `min=${given.min}` : ""} ${given.max ? `max=${given.max}` : ""}>${months}</calendar-${kind}></div>`);
const made = document.querySelector(`calendar-${kind}`);
made.isDateDisallowed = isOff;
const show = () => {
  button.textContent = made.value ? made.value.split("/").map((one) => format(day(one))).join(" - ") : "Pick";
};
made.addEventListener("change", () => {
  show();
  document.getElementById("pop").hidePopover();
});
show();
holds(() => made.value.split("/"));
