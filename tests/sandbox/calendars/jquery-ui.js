import $ from "./jquery.js";
import "jquery-ui/dist/jquery-ui.js";
import "jquery-ui/dist/themes/base/jquery-ui.css";
import "jquery-ui/ui/i18n/datepicker-ar.js";
import "jquery-ui/ui/i18n/datepicker-de.js";
import "jquery-ui/ui/i18n/datepicker-fr.js";
import "jquery-ui/ui/i18n/datepicker-ja.js";
import { given, day, field, holds, isOff, language, pattern } from "./common.js";

const made = $(field());
made.datepicker({
  ...$.datepicker.regional[language === "en" ? "" : language], dateFormat: pattern.replace("yyyy", "yy"),
  minDate: day(given.min), maxDate: day(given.max), beforeShowDay: (date) => [!isOff(date), ""], showAnim: "fadeIn",
});
if (given.start) made.datepicker("setDate", day(given.start));
holds(() => [made.datepicker("getDate")]);
