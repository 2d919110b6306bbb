  // Dates in words and figures, in the page's language and the commonest others. Part of the script in calendars.py.
  const clean = (text) => (text || "").replace(/\s+/g, " ").trim();
  const ascii = (text) => (text || "").normalize("NFKC").replace(/[\u200e\u200f\u061c\u2066-\u2069]/g, "")
    .replace(/[\u0660-\u0669\u06f0-\u06f9\u0966-\u096f]/g, (digit) => {
      const code = digit.charCodeAt(0);
      return String(code - (code >= 0x966 ? 0x966 : code >= 0x6f0 ? 0x6f0 : 0x660));
    });
  const plain = (text) => ascii(text).toLocaleLowerCase().replace(/(?<=\p{L})\./gu, "");
  const known = (one) => {
    try { return Boolean(one && Intl.DateTimeFormat.supportedLocalesOf(one).length); } catch { return false; }
  };
  const languages = [...new Set([document.documentElement.lang, navigator.language, "en", "de", "fr", "es", "it", "pt",
    "nl", "pl", "sv", "da", "nb", "fi", "cs", "tr", "ru", "uk", "el", "hu", "ro", "ja", "zh", "ko", "ar", "ar-SY",
    "ar-DZ", "ar-MA", "he", "fa-u-ca-gregory", "hi", "vi", "th", "id"])].filter(known);
  const formatted = (language, options, dates) => {
    const format = new Intl.DateTimeFormat(language, { calendar: "gregory", numberingSystem: "latn", ...options });
    return dates.map((date) => plain(format.formatToParts(date).find((one) => one.type in { month: 1, weekday: 1 })?.value));
  };
  const samples = [...Array(12).keys()].map((month) => new Date(2023, month, 5));
  const week = [...Array(7).keys()].map((day) => new Date(2023, 0, 1 + day));
  const weekdays = new Set(["long", "short"].flatMap((style) => formatted(languages[0] || "en", { weekday: style }, week)));
  const names = new Map();
  for (const language of languages) {
    for (const style of ["long", "short"]) {
      for (const options of [{ month: style }, { day: "numeric", month: style }]) {
        formatted(language, options, samples).forEach((name, place) => {
          if (name && name.length > 1 && !/^\d/.test(name) && !names.has(name) && !weekdays.has(name)) names.set(name, place + 1);
        });
      }
    }
  }
  const quoted = (text) => text.replace(/[.*+?^${}()|[\]\\]/g, "\\$&");
  const named = new RegExp(`(?<!\\p{L})(?:${[...names.keys()].sort((a, b) => b.length - a.length).map(quoted).join("|")})(?!\\p{L})`, "gu");
  const monthsIn = (text) => {
    const found = [...plain(text).matchAll(named)].map((one) => names.get(one[0]));
    for (const one of ascii(text).matchAll(/(?<!\d)(\d{1,2})\s*[月월]/g)) found.push(Number(one[1]));
    return found.filter((month) => month >= 1 && month <= 12);
  };
  const yearIn = (text) => Number(/(?<!\d)(1[89]|2[01])\d\d(?!\d)/.exec(ascii(text))?.[0] || 0);
  const monthYear = (text) => {
    const numeric = /(?<![\d/.-])(?:(\d{4})\s*[-/.年]\s*(\d{1,2})|(\d{1,2})\s*[-/.]\s*(\d{4}))(?![\d/.-])/.exec(ascii(text));
    if (numeric) return { year: Number(numeric[1] || numeric[4]), month: Number(numeric[2] || numeric[3]) };
    const short = /^\D+\s'?(\d\d)$/.exec(ascii(text).trim());
    return { year: yearIn(text) || (short ? 2000 + Number(short[1]) : 0), month: monthsIn(text)[0] || 0 };
  };
  const daysIn = (year, month) => new Date(year, month, 0).getDate();

  // The days a text may mean: for each date in it, all its readings as [year, month, day].
  const readings = (text) => {
    const bare = plain(text.replace(/\d{1,2}:\d\d(:\d\d)?(\s*[ap]\.?m\.?)?/gi, " "))
      .replace(/(?<!\d)(\d{1,2})\s*[月월]/g, " month$1 ").replace(named, (name) => ` month${names.get(name)} `);
    const parts = [...bare.replace(/(\d)(?=month)/g, "$1 ").matchAll(/(month)?(\d+)/g)]
      .map((one) => ({ month: Boolean(one[1]), value: Number(one[2]), figures: one[2].length }));
    return groups(parts).map(meanings);
  };
  const groups = (parts) => {
    const count = parts.length;
    if (count === 4 && parts[3].figures === 4 && parts[2].month) return [[parts[0], ...parts.slice(2)], parts.slice(1)];
    if (count === 4 && parts[3].figures === 4 && parts[0].month) return [[...parts.slice(0, 2), parts[3]], [parts[0], ...parts.slice(2)]];
    if (count === 5 && parts[4].figures === 4) return [[...parts.slice(0, 2), parts[4]], parts.slice(2)];
    return count % 3 ? [] : [...Array(count / 3).keys()].map((place) => parts.slice(place * 3, place * 3 + 3));
  };
  const ORDERS = [[0, 1, 2], [2, 1, 0], [2, 0, 1], [0, 2, 1]];
  const meanings = (parts) => {
    const found = new Map();
    for (const [year, month, day] of ORDERS.map((order) => order.map((place) => parts[place]))) {
      if (parts.some((one) => one.month) && !month.month) continue;
      if (year.month || day.month || day.figures > 2 || month.figures > 2 || ![2, 4].includes(year.figures)) continue;
      for (const whole of year.figures === 4 ? [year.value] : [2000 + year.value, 1900 + year.value]) {
        if (month.value < 1 || month.value > 12 || day.value < 1 || day.value > daysIn(whole, month.value)) continue;
        found.set([whole, month.value, day.value].join("-"), [whole, month.value, day.value]);
      }
    }
    return [...found.values()];
  };
  // "" when a text is not these days; "only" when it cannot be read otherwise, "usual" when this is the order usual in
  // the page's language, else "may".
  const usual = () => new Intl.DateTimeFormat(languages[0] || "en", { calendar: "gregory", numberingSystem: "latn", year: "numeric", month: "2-digit", day: "2-digit" });
  const reads = (text, days) => {
    const found = readings(text);
    if (found.length !== days.length) return "";
    const all = found.every((some, place) => some.some((one) => one.join() === days[place].join()));
    if (!all) return "";
    if (found.every((some) => some.length === 1)) return "only";
    const figures = (one) => one.match(/\d+/g)?.map(Number).join();
    const written = days.map(([year, month, day]) => figures(usual().format(new Date(year, month - 1, day)))).join();
    return figures(ascii(text)) === written ? "usual" : "may";
  };
