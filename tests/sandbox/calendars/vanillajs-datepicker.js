import { Datepicker, DateRangePicker } from "vanillajs-datepicker";
import "vanillajs-datepicker/css/datepicker.css";
import ar from "vanillajs-datepicker/locales/ar";
import de from "vanillajs-datepicker/locales/de";
import fr from "vanillajs-datepicker/locales/fr";
import ja from "vanillajs-datepicker/locales/ja";
import { given, day, field, pair, holds, isOff, language, pattern } from "./common.js";

Object.assign(Datepicker.locales, ar, de, fr, ja);
const options = {
  format: pattern, language, minDate: day(given.min) || null, maxDate: day(given.max) || null, autohide: true,
  beforeShowDay: (date) => !isOff(date),
};
if (given.range) {
  pair();
  const made = new DateRangePicker(document.getElementById("pair"), options);
  if (given.start) made.setDates(day(given.start), day(given.end));
  holds(() => made.getDates());
} else {
  const made = new Datepicker(field(), options);
  if (given.start) made.setDate(day(given.start));
  holds(() => [made.getDate()]);
}
