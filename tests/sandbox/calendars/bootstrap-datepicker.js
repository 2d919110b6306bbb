import $ from "./jquery.js";
import "bootstrap-datepicker";
import "bootstrap-datepicker/dist/css/bootstrap-datepicker3.standalone.css";
import "bootstrap-datepicker/dist/locales/bootstrap-datepicker.ar.min.js";
import "bootstrap-datepicker/dist/locales/bootstrap-datepicker.de.min.js";
import "bootstrap-datepicker/dist/locales/bootstrap-datepicker.fr.min.js";
import "bootstrap-datepicker/dist/locales/bootstrap-datepicker.ja.min.js";
import { given, day, field, pair, holds, isOff, language, pattern } from "./common.js";

const options = {
  format: pattern, language, startDate: day(given.min) || -Infinity, endDate: day(given.max) || Infinity,
  beforeShowDay: (date) => !isOff(date), rtl: document.dir === "rtl", calendarWeeks: true,
};
if (given.range) {
  pair();
  $("#pair").datepicker({ ...options, inputs: [...document.querySelectorAll("#pair input")] });
  if (given.start) $("#f").datepicker("setDate", day(given.start));
  if (given.end) $("#g").datepicker("setDate", day(given.end));
  holds(() => [$("#f").datepicker("getDate"), $("#g").datepicker("getDate")]);
} else {
  const made = $(field()).datepicker(options);
  if (given.start) made.datepicker("setDate", day(given.start));
  holds(() => [made.datepicker("getDate")]);
}
