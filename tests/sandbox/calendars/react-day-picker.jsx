import React, { useState } from "react";
import { createRoot } from "react-dom/client";
import { DayPicker } from "react-day-picker";
import "react-day-picker/style.css";
import { arSA, de, fr, ja, enUS } from "date-fns/locale";
import { given, day, format, holds, isOff, language } from "./common.js";

// As design systems use it: a button that shows the date and opens the calendar below.
const start = given.range ? { from: day(given.start), to: day(given.end) } : day(given.start);
let held = given.start ? start : undefined;
const Field = () => {
  const [open, setOpen] = useState(false);
  const [dates, choose] = useState(held);
  held = dates;
  const text = given.range ? [dates?.from, dates?.to].filter(Boolean).map(format).join(" – ") : format(dates);
  const off = [isOff, ...(given.min ? [{ before: day(given.min) }] : []), ...(given.max ? [{ after: day(given.max) }] : [])];
  const change = (one) => { choose(one); if (!given.range) setOpen(false); };
  return <>
    <span id="l">Day</span> <button id="f" aria-labelledby="l f" onClick={() => setOpen(!open)}>{text || "Pick a date"}</button>
    {open && <div role="dialog"><DayPicker mode={given.range ? "range" : "single"} selected={dates} onSelect={change} disabled={off}
      numberOfMonths={given.range ? 2 : 1} locale={{ ar: arSA, de, fr, ja, en: enUS }[language]} dir={document.dir || undefined}
      defaultMonth={day(given.start)} /></div>}
  </>;
};
createRoot(document.getElementById("root")).render(<Field />);
holds(() => (held instanceof Date ? [held] : held ? [held.from, held.to] : []));
