import AirDatepicker from "air-datepicker";
import "air-datepicker/air-datepicker.css";
import ar from "air-datepicker/locale/ar.js";
import de from "air-datepicker/locale/de.js";
import en from "air-datepicker/locale/en.js";
import fr from "air-datepicker/locale/fr.js";
import ja from "air-datepicker/locale/ja.js";
import { given, day, field, isOff, holds, language, pattern } from "./common.js";

const locale = { ar, de, en, fr, ja }[language];
const made = new AirDatepicker(field(), {
  locale: locale.default || locale, dateFormat: pattern.replace("mm", "MM"), range: given.range,
  multipleDatesSeparator: " - ", minDate: day(given.min) || "", maxDate: day(given.max) || "", autoClose: true,
  selectedDates: [day(given.start), day(given.end)].filter(Boolean),
  onRenderCell: ({ date, cellType }) => ({ disabled: cellType === "day" && isOff(date) }),
});
holds(() => made.selectedDates);
