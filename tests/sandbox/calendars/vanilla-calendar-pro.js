import { Calendar } from "vanilla-calendar-pro";
import "vanilla-calendar-pro/styles/index.css";
import { given, day, field, format, holds } from "./common.js";

const write = (self) => {
  const dates = self.context.selectedDates;
  const both = dates.length > 1 ? [dates[0], dates[dates.length - 1]] : dates;
  self.context.inputElement.value = both.map((one) => format(day(one))).join(" - ");
};
const selected = given.start ? [given.end ? `${given.start}:${given.end}` : given.start] : [];
const made = new Calendar(field(), {
  inputMode: true, locale: given.locale, selectionDatesMode: given.range ? "multiple-ranged" : "single",
  onChangeToInput: write, selectedDates: selected, disableDates: given.off,
  ...(given.min && { dateMin: given.min }), ...(given.max && { dateMax: given.max }),
  ...(given.start && { selectedMonth: day(given.start).getMonth(), selectedYear: day(given.start).getFullYear() }),
});
made.init();
if (given.start) document.getElementById("f").value = [given.start, given.end].filter(Boolean).map((one) => format(day(one))).join(" - ");
holds(() => {
  const read = made.context.selectedDates || [];
  const dates = read.length ? read : selected.flatMap((one) => one.split(":"));  // until it is opened it has read none
  return given.range && dates.length ? [dates[0], dates[dates.length - 1]] : dates;
});
