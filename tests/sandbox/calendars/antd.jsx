import React, { useState } from "react";
import { createRoot } from "react-dom/client";
import dayjs from "dayjs";
import "dayjs/locale/ar.js";
import "dayjs/locale/de.js";
import "dayjs/locale/fr.js";
import "dayjs/locale/ja.js";
import ConfigProvider from "antd/es/config-provider";
import DatePicker from "antd/es/date-picker";
import ar from "antd/locale/ar_EG.js";
import de from "antd/locale/de_DE.js";
import en from "antd/locale/en_US.js";
import fr from "antd/locale/fr_FR.js";
import ja from "antd/locale/ja_JP.js";
import { given, holds, isOff, language, pattern } from "./common.js";

dayjs.locale(language);
const locale = { ar, de, en, fr, ja }[language];
const at = (text) => (text ? dayjs(text) : undefined);
let held = given.range ? [at(given.start), at(given.end)] : [at(given.start)];
const Field = () => {
  const [dates, choose] = useState(held);
  held = dates;
  const shared = {
    format: pattern.toUpperCase(), minDate: at(given.min), maxDate: at(given.max), disabledDate: (one) => isOff(one.toDate()),
  };
  return <ConfigProvider locale={locale.default || locale} direction={document.dir || "ltr"}><label htmlFor="f">Day</label>
    {given.range ? <DatePicker.RangePicker id={{ start: "f", end: "g" }} value={dates} onChange={(all) => choose(all || [])} {...shared} />
      : <DatePicker id="f" value={dates[0]} onChange={(one) => choose([one])} {...shared} />}</ConfigProvider>;
};
createRoot(document.getElementById("root")).render(<Field />);
holds(() => held.map((one) => one && one.toDate()));
