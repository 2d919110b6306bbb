import React, { useState } from "react";
import { createRoot } from "react-dom/client";
import dayjs from "dayjs";
import "dayjs/locale/ar.js";
import "dayjs/locale/de.js";
import "dayjs/locale/fr.js";
import "dayjs/locale/ja.js";
import { AdapterDayjs } from "@mui/x-date-pickers/AdapterDayjs";
import { DesktopDatePicker } from "@mui/x-date-pickers/DesktopDatePicker";
import { LocalizationProvider } from "@mui/x-date-pickers/LocalizationProvider";
import { given, holds, isOff, language, pattern } from "./common.js";

const at = (text) => (text ? dayjs(text) : undefined);
let held = at(given.start) || null;
const Field = () => {
  const [date, choose] = useState(held);
  held = date;
  return <LocalizationProvider dateAdapter={AdapterDayjs} adapterLocale={language}>
    <DesktopDatePicker label="Day" value={date} onChange={choose} format={pattern.toUpperCase()} minDate={at(given.min)}
      maxDate={at(given.max)} shouldDisableDate={(one) => isOff(one.toDate())} />
  </LocalizationProvider>;
};
createRoot(document.getElementById("root")).render(<Field />);
holds(() => [held && held.isValid() && held.toDate()]);
