import React, { useState } from "react";
import { createRoot } from "react-dom/client";
import DatePicker, { registerLocale } from "react-datepicker";
import "react-datepicker/dist/react-datepicker.css";
import { arSA, de, fr, ja, enUS } from "date-fns/locale";
import { given, day, holds, isOff, language, pattern } from "./common.js";

registerLocale(given.locale, { ar: arSA, de, fr, ja, en: enUS }[language]);
let held = [day(given.start), day(given.end)];
const Field = () => {
  const [dates, choose] = useState(held);
  held = dates;
  const change = (one) => choose(given.range ? one : [one]);
  return <label>Day <DatePicker id="f" locale={given.locale} selected={dates[0]} onChange={change} selectsRange={given.range}
    startDate={given.range ? dates[0] : undefined} endDate={given.range ? dates[1] : undefined} minDate={day(given.min)}
    maxDate={day(given.max)} filterDate={(one) => !isOff(one)} dateFormat={pattern.replace("mm", "MM")} /></label>;
};
createRoot(document.getElementById("root")).render(<Field />);
holds(() => held);
