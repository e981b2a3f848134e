// Numbers and times as people read them.

const SECOND = 1000;
const MINUTE = 60 * SECOND;
const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;

const whole = new Intl.NumberFormat("en-GB", { maximumFractionDigits: 3 });
const short = new Intl.NumberFormat("en-GB", { notation: "compact", maximumFractionDigits: 1 });
const dateAndTime = new Intl.DateTimeFormat("en-GB", {
  year: "numeric", month: "short", day: "2-digit", hour: "2-digit", minute: "2-digit", second: "2-digit",
});
const clock = new Intl.DateTimeFormat("en-GB", { hour: "2-digit", minute: "2-digit", second: "2-digit" });
const hourAndMinute = new Intl.DateTimeFormat("en-GB", { hour: "2-digit", minute: "2-digit" });
const dayOfUtc = new Intl.DateTimeFormat("en-GB", { day: "2-digit", month: "short", timeZone: "UTC" });
const dayAndMonth = new Intl.DateTimeFormat("en-GB", { day: "2-digit", month: "short" });

const count = (number) => (number < 100000 ? whole.format(number) : short.format(number));

/** So many of something. */
const number = (many, what) => `${count(many)} ${what}${many === 1 ? "" : "s"}`;

/** A share, with as many digits as say something. */
function percent(share) {
  if (share === null || share === undefined) return "–";
  const value = Math.abs(share * 100);
  const sign = share < 0 ? "−" : "";
  if (value !== 0 && value < 0.01) return `${sign}< 0.01 %`;
  // What is nearly all of it is not said to be all of it.
  const digits = value >= 99 && value < 100 ? 3 : value >= 10 ? 1 : 2;
  const factor = 10 ** digits;
  const cut = value < 100 ? Math.floor(value * factor + 1e-9) / factor : Math.round(value);
  return `${sign}${whole.format(cut)} %`;
}

/** How much more there is than before, with its sign. */
function change(share) {
  if (share === null || share === undefined) return "";
  if (Math.abs(share) < 0.005) return "as before";
  if (share >= 9) return `× ${count(Math.round(share + 1))}`;
  return `${share > 0 ? "+" : "−"}${Math.round(Math.abs(share) * 100)} %`;
}

/** A length of time in its two largest units. */
function span(millis) {
  const seconds = Math.max(0, Math.round(millis / SECOND));
  const units = [["d", 86400], ["h", 3600], ["min", 60], ["s", 1]];
  const first = units.findIndex(([, size]) => seconds >= size);
  if (first < 0) return "0 s";
  const [name, size] = units[first];
  const [second, smaller] = units[first + 1] ?? ["", 0];
  const rest = smaller ? Math.floor((seconds % size) / smaller) : 0;
  const large = `${Math.floor(seconds / size)} ${name}`;
  return rest > 0 ? `${large} ${rest} ${second}` : large;
}

const ago = (time) => {
  const passed = now() - time;
  return passed < SECOND ? "now" : `${span(passed)} ago`;
};

/** A moment: how long ago, and in full for who points at it. */
function moment(text) {
  const time = Date.parse(text);
  return el("time", { datetime: text, title: `${dateAndTime.format(time)} (${text})`, "data-ago": time }, ago(time));
}

/** A moment by the clock. */
function atClock(text) {
  const time = Date.parse(text);
  const label = now() - time < 12 * HOUR ? clock.format(time) : dateAndTime.format(time);
  return el("time", { datetime: text, title: text }, label);
}

/** Texts that count themselves up or down, between two looks at the service. */
function tick() {
  for (const node of document.querySelectorAll("[data-ago]")) {
    const text = ago(Number(node.dataset.ago));
    if (node.textContent !== text) node.textContent = text;
  }
  for (const node of document.querySelectorAll("[data-until]")) {
    const left = Number(node.dataset.until) - now();
    const text = left > 0 ? `in ${span(left)}` : "with the next call";
    if (node.textContent !== text) node.textContent = text;
  }
}
