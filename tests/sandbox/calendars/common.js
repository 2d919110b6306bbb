// What every page of a calendar shares: what the test asks for, and dates as the test writes them.
export const given = window.given;
export const language = given.locale.split("-")[0];
export const pad = (number) => String(number).padStart(2, "0");
export const iso = (date) => date && `${date.getFullYear()}-${pad(date.getMonth() + 1)}-${pad(date.getDate())}`;
export const day = (text) => {
  if (!text) return undefined;
  const [year, month, number] = text.split("-").map(Number);
  return new Date(year, month - 1, number);
};
export const isOff = (date) => given.off.includes(iso(date));
export const pattern = { en: "mm/dd/yyyy", de: "dd.mm.yyyy", fr: "dd/mm/yyyy", ja: "yyyy/mm/dd", ar: "dd/mm/yyyy" }[language];
export const format = (date) => date
  ? pattern.replace("yyyy", date.getFullYear()).replace("mm", pad(date.getMonth() + 1)).replace("dd", pad(date.getDate())) : "";
export const put = (html) => {
  const root = document.getElementById("root");
  root.innerHTML = html;
  return root.querySelector("#f");
};
export const field = () => put("<label>Day <input id=f autocomplete=off></label>");
export const pair = () => put("<div id=pair><label>Day <input id=f></label> <label>Until <input id=g></label></div>");
export const holds = (read) => {
  window.held = () => read().filter(Boolean).map((one) => (typeof one === "string" ? one : iso(one)));
};
