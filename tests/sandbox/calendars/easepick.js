import * as easepick from "@easepick/bundle";
import "@easepick/bundle/dist/index.css";
import { given, field, holds, isOff, pattern } from "./common.js";

const at = (text) => (text ? new easepick.DateTime(text, "YYYY-MM-DD") : undefined);
const made = new easepick.create({
  element: field(), css: ["/easepick.css"],
  lang: given.locale, format: pattern.toUpperCase(), date: given.range ? undefined : at(given.start), zIndex: 10,
  plugins: [easepick.LockPlugin, ...(given.range ? [easepick.RangePlugin] : [])],
  LockPlugin: { minDate: at(given.min), maxDate: at(given.max), filter: (one) => !Array.isArray(one) && isOff(one.toJSDate()) },
  RangePlugin: { startDate: at(given.start), endDate: at(given.end) },
});
holds(() => (given.range ? [made.getStartDate(), made.getEndDate()] : [made.getDate()]).map((one) => one && one.toJSDate()));
