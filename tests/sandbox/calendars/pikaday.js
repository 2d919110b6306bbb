import Pikaday from "pikaday";
import "pikaday/css/pikaday.css";
import { given, day, field, format, holds, isOff } from "./common.js";

const names = (options, count, date) => [...Array(count).keys()]
  .map((place) => new Intl.DateTimeFormat(given.locale, options).format(date(place)));
const made = new Pikaday({
  field: field(), toString: format, minDate: day(given.min), maxDate: day(given.max), disableDayFn: isOff,
  defaultDate: day(given.start), setDefaultDate: true, yearRange: 15, isRTL: document.dir === "rtl",
  i18n: {
    previousMonth: "<", nextMonth: ">", months: names({ month: "long" }, 12, (place) => new Date(2027, place, 5)),
    weekdays: names({ weekday: "long" }, 7, (place) => new Date(2027, 0, 3 + place)),
    weekdaysShort: names({ weekday: "short" }, 7, (place) => new Date(2027, 0, 3 + place)),
  },
});
holds(() => [made.getDate()]);
