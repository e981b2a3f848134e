// What is looked at: the range, the filters, what is open. It is in the address, behind the `#`, so that a look can
// be sent to somebody, and no server's log has it.

const RANGES = {
  "15m": { length: 15 * MINUTE, step: MINUTE, bucket: "1m", every: 5 * SECOND, name: "15 minutes" },
  "1h": { length: HOUR, step: MINUTE, bucket: "1m", every: 5 * SECOND, name: "hour" },
  "6h": { length: 6 * HOUR, step: 15 * MINUTE, bucket: "15m", every: 15 * SECOND, name: "6 hours" },
  "24h": { length: DAY, step: HOUR, bucket: "1h", every: 15 * SECOND, name: "24 hours" },
  "7d": { length: 7 * DAY, step: 6 * HOUR, bucket: "6h", every: MINUTE, name: "7 days" },
  "30d": { length: 30 * DAY, step: DAY, bucket: "1d", every: MINUTE, name: "30 days" },
};

const FILTERS = ["q", "code", "status", "service", "category", "route", "fingerprint", "request_id", "user"];

const DEFAULTS = { range: "1h", measure: "count", state: "", sort: "count", section: "overview", open: "" };
for (const name of FILTERS) DEFAULTS[name] = "";

const view = { ...DEFAULTS };

function readView() {
  const asked = new URLSearchParams(location.hash.slice(1));
  for (const name of Object.keys(DEFAULTS)) view[name] = asked.get(name) ?? DEFAULTS[name];
  // An address is written by people too.
  if (!Object.hasOwn(RANGES, view.range)) view.range = DEFAULTS.range;
  if (!["count", "share"].includes(view.measure)) view.measure = DEFAULTS.measure;
  if (!["", "open", "resolved", "ignored"].includes(view.state)) view.state = DEFAULTS.state;
  if (!["count", "last_seen", "first_seen"].includes(view.sort)) view.sort = DEFAULTS.sort;
  if (!/^([1-5][0-9][0-9])?$/.test(view.status)) view.status = "";
}

/** The address of a view that differs from this one. */
function address(changes) {
  const wanted = new URLSearchParams();
  for (const [name, value] of Object.entries({ ...view, ...changes })) {
    if (value !== DEFAULTS[name]) wanted.set(name, value);
  }
  return `#${wanted}`;
}

/** Looks at something else. The way back is the browser's. */
function look(changes) {
  const wanted = address(changes);
  Object.assign(view, changes);
  if (wanted !== (location.hash || "#")) history.pushState(null, "", wanted);
  showView();
}

/** The steps of the range, the last of which is not over. */
function steps() {
  const { length, step, bucket } = RANGES[view.range];
  const to = now();
  // Steps begin with UTC's hours and days, as the service has them.
  const from = Math.floor(to / step) * step - length + step;
  return { from, to, step, bucket, length };
}

const iso = (time) => new Date(time).toISOString();
