import $ from "./jquery.js";
import moment from "moment";
import "moment/locale/ar.js";
import "moment/locale/de.js";
import "moment/locale/fr.js";
import "moment/locale/ja.js";
import "daterangepicker";
import "daterangepicker/daterangepicker.css";
import { given, field, holds, isOff, language, pattern } from "./common.js";

moment.locale(language);
const made = $(field());
const at = (text) => (text ? moment(text) : undefined);
made.daterangepicker({
  singleDatePicker: !given.range, autoUpdateInput: Boolean(given.start), ...(given.start && { startDate: at(given.start) }),
  ...(given.start && { endDate: at(given.end || given.start) }), ...(given.min && { minDate: at(given.min) }),
  ...(given.max && { maxDate: at(given.max) }), isInvalidDate: (date) => isOff(date.toDate()),
  locale: { format: pattern.toUpperCase(), separator: " - " },
});
let chosen = Boolean(given.start);
made.on("apply.daterangepicker", (event, picker) => {
  chosen = true;
  const last = given.range ? " - " + picker.endDate.format(pattern.toUpperCase()) : "";
  made.val(picker.startDate.format(pattern.toUpperCase()) + last);
});
holds(() => {
  const { startDate, endDate } = made.data("daterangepicker");
  return chosen ? [startDate.toDate(), given.range && endDate && endDate.toDate()] : [];
});
