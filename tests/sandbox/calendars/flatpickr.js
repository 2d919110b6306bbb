import flatpickr from "flatpickr";
import "flatpickr/dist/flatpickr.css";
import { Arabic } from "flatpickr/dist/l10n/ar.js";
import { French } from "flatpickr/dist/l10n/fr.js";
import { German } from "flatpickr/dist/l10n/de.js";
import { Japanese } from "flatpickr/dist/l10n/ja.js";
import { given, language, pattern, field, holds, isOff } from "./common.js";

const made = flatpickr(field(), {
  locale: { ar: Arabic, fr: French, de: German, ja: Japanese }[language] || "default",
  mode: given.range ? "range" : "single",
  dateFormat: pattern.replace("yyyy", "Y").replace("mm", "m").replace("dd", "d"),
  minDate: given.min && new Date(`${given.min}T00:00`), maxDate: given.max && new Date(`${given.max}T00:00`),
  disable: [isOff], defaultDate: [given.start, given.end].filter(Boolean).map((one) => new Date(`${one}T00:00`)),
});
holds(() => made.selectedDates);
