import * as Popper from "@popperjs/core";
import { TempusDominus } from "@eonasdan/tempus-dominus";
import "@eonasdan/tempus-dominus/dist/css/tempus-dominus.css";
import { given, day, field, holds, isOff, pattern } from "./common.js";

window.Popper = Popper;
const made = new TempusDominus(field(), {
  defaultDate: given.range ? undefined : day(given.start), dateRange: given.range, multipleDatesSeparator: " - ",
  localization: { locale: given.locale, format: pattern.replace("mm", "MM") },
  display: { components: { clock: false }, buttons: { close: true } },
  restrictions: { minDate: day(given.min), maxDate: day(given.max), disabledDates: given.off.map(day) },
});
holds(() => made.dates.picked);
