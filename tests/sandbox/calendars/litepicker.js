import Litepicker from "litepicker";
import { given, day, field, holds, isOff, pattern } from "./common.js";

const made = new Litepicker({
  element: field(), singleMode: !given.range, lang: given.locale, format: pattern.toUpperCase(),
  minDate: day(given.min) || null, maxDate: day(given.max) || null, startDate: day(given.start) || null,
  endDate: day(given.end) || null, lockDaysFilter: (one) => isOff(one.toJSDate()), numberOfMonths: given.range ? 2 : 1,
  numberOfColumns: given.range ? 2 : 1,
});
holds(() => (given.range ? [made.getStartDate(), made.getEndDate()] : [made.getDate()]).map((one) => one && one.toJSDate()));
