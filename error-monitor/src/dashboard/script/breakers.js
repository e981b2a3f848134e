// Circuit breakers, and the levers on them.

const STATES = {
  closed: { name: "closed", kind: "pass", about: "calls go through" },
  open: { name: "open", kind: "fail", about: "calls are refused at once" },
  half_open: { name: "half-open", kind: "warn", about: "a few calls try whether it works again" },
  forced_open: { name: "held open", kind: "fail", about: "somebody holds it open" },
  disabled: { name: "disabled", kind: "warn", about: "all calls go through, none is counted" },
  metrics_only: { name: "only counting", kind: "plain", about: "calls are counted, none is refused" },
};

/** What each circuit did in this process, the latest first; since when that is known; and when it was read. */
const histories = new Map();

async function loadBreakers(signal) {
  known.breakers = await get("circuit-breakers", {}, signal);
  showBreakers();
  showHealth();
  const { instance, breakers } = known.breakers;
  const from = now() - RANGES[view.range].length;
  // A history is read again where something has happened; many circuits have never done anything.
  const stale = breakers.filter((one) => {
    const had = histories.get(one.name);
    if (!had) return one.totals.opened > 0 || one.state !== "closed";
    return had.since !== one.since || had.knownFrom > from && !had.isCut;
  });
  // Those that have waited longest; the rest has its turn at the next look.
  stale.sort((a, b) => (histories.get(a.name)?.readAt ?? 0) - (histories.get(b.name)?.readAt ?? 0));
  for (const one of stale.slice(0, 30)) {
    const history = await readHistory(one, instance, from, signal).catch((error) => {
      // A name that is no path has none; the others have.
      if (!(error instanceof Refusal) || error.status === 401 || error.status === 429) throw error;
      return { since: one.since, events: [], knownFrom: now(), isCut: true };
    });
    histories.set(one.name, { ...history, readAt: now() });
  }
  if (stale.length) showBreakers();
}

/** Back to the beginning of the range, as far as a few pages reach. */
async function readHistory(one, instance, from, signal) {
  const events = [];
  let cursor = null;
  let oldest = Infinity;
  for (let page = 0; page < 4 && oldest > from; page += 1) {
    const { events: found, next_cursor: next } = await get(`circuit-breakers/${part(one.name)}/events`, { limit: 500, cursor }, signal);
    events.push(...found.filter((event) => event.instance === instance));
    cursor = next;
    oldest = next === null || found.length === 0 ? -Infinity : Date.parse(found.at(-1).time);
    if (next === null) break;
  }
  return { since: one.since, events, knownFrom: oldest, isCut: oldest > from };
}

/** The states of a circuit from one moment to another, in order; not those that are not known. */
function spansOf(one, from, to) {
  const had = histories.get(one.name);
  // The other way round, and not sorted anew: some are of one moment.
  const events = (had?.events ?? []).map(({ time, from: was, to: is }) => ({ time: Date.parse(time), was, is })).reverse();
  const spans = [];
  let state = events.length ? events[0].was : one.state;
  let start = from;
  if (had && had.knownFrom > from) {
    spans.push({ state: "unknown", from, to: had.knownFrom });
    start = had.knownFrom;
  }
  for (const event of events) {
    if (event.time > start) {
      spans.push({ state, from: start, to: Math.min(event.time, to) });
      start = event.time;
    }
    state = event.is;
  }
  spans.push({ state: one.state, from: Math.min(start, to), to });
  return spans.filter((span) => span.to >= span.from);
}

function breakerCard(one, from, to) {
  const state = STATES[one.state] ?? { name: one.state, kind: "plain", about: "" };
  const spans = spansOf(one, from, to);
  const away = spans.filter(({ state: was }) => was === "open" || was === "forced_open").reduce((sum, one) => sum + one.to - one.from, 0);
  const unknown = spans[0].state === "unknown" ? `; not known before ${clock.format(spans[0].to)}` : "";
  const open = `${away > 0 ? `open for ${span(away)}` : "never open"}${unknown}`;
  const lever = (name, text) => el("button", { type: "button", "data-key": name, "data-act": "lever", "data-lever": name, "data-name": one.name,
    "data-operator": true, "aria-label": `${text.replace("…", "")}: ${one.name}` }, text);
  const { window: recent, totals } = one;
  const isAutomatic = !["forced_open", "disabled", "metrics_only"].includes(one.state);
  return el("li", { class: "card breaker", "data-key": one.name },
    el("div", { class: "row" }, el("h3", null, one.name), badge(state.kind, state.name)),
    el("p", { class: "quiet" }, state.about, "; since ", moment(one.since),
      one.last_error_code ? ["; last failure ", el("code", null, one.last_error_code)] : null),
    strip(spans, from, to, `The last ${RANGES[view.range].name}: ${open}`),
    el("p", { class: "ends quiet" }, el("span", null, `${span(to - from)} ago`), el("span", null, open), el("span", null, "now")),
    facts([
      ["Next probe", one.state === "open" ? one.retry_after_ms === null ? "not known"
        : el("span", { "data-until": Math.round(now() + one.retry_after_ms) }, `in ${span(one.retry_after_ms)}`) : null],
      ["Held open", one.state === "forced_open" ? one.retry_after_ms === null ? "until somebody says otherwise"
        : ["ends ", el("span", { "data-until": Math.round(now() + one.retry_after_ms) }, `in ${span(one.retry_after_ms)}`)] : null],
      // Who counts failures in a row keeps no window.
      ["In its window", recent.calls === 0 ? null : `${count(recent.failures)} of ${count(recent.calls)} calls failed${recent.failure_rate === null ? "" : ` (${percent(recent.failure_rate)})`}`],
      ["Slow", recent.slow > 0 ? `${count(recent.slow)}${recent.slow_rate === null ? "" : ` (${percent(recent.slow_rate)})`}` : null],
      ["In all", `${count(totals.successes)} succeeded, ${count(totals.failures)} failed, ${count(totals.rejected)} refused, opened ${number(totals.opened, "time")}`],
    ]),
    el("div", { class: "buttons" }, lever("reset", "Reset…"),
      one.state === "forced_open" ? null : lever("force-open", "Force open…"),
      one.state === "disabled" ? null : lever("disable", "Disable…"),
      isAutomatic ? null : lever("automatic", "Automatic…")));
}

/** More cards than this are looked through by nobody. */
const MOST_CARDS = 200;

function showBreakers() {
  if (!known.breakers) return;
  const { breakers: all } = known.breakers;
  // In their order, so that no button moves away from under a pointer; those that are closed give way.
  let room = MOST_CARDS - all.filter((one) => one.state !== "closed").length;
  const breakers = all.filter((one) => {
    if (one.state !== "closed") return true;
    room -= 1;
    return room >= 0;
  });
  const to = now();
  const from = to - RANGES[view.range].length;
  show(byId("breaker-list"), breakers.length === 0
    ? el("p", { class: "empty card", "data-key": "none" }, "No circuit breakers yet: those of attributes are there from their first call on.")
    : el("ul", { class: "cards", "data-key": "cards" }, breakers.map((one) => breakerCard(one, from, to))),
  all.length > breakers.length ? el("p", { class: "quiet", "data-key": "more" }, `${number(all.length - breakers.length, "circuit")} more, all closed.`) : null,
  breakers.length === 0 ? null : el("p", { class: "quiet legend-of-states", "data-key": "legend" },
    "The strips: ", ["closed", "disabled", "half_open", "open"].map((state) => el("span", { "data-key": state },
      strip([{ state, from: 0, to: 1 }], 0, 1, ""), ` ${STATES[state].name} `))));
}

const HELD = [["300", "5 minutes"], ["900", "15 minutes"], ["3600", "1 hour"], ["86400", "1 day"], ["", "until somebody says otherwise"]];

/** What each lever does, in words; and how it is pulled. */
const LEVERS = {
  "reset": {
    title: (name) => `Reset the circuit of ${name}?`,
    text: "It is closed at once, with an empty window: all calls go through again.",
    verb: "Reset", path: (name) => `circuit-breakers/reset/${part(name)}`,
  },
  "force-open": {
    title: (name) => `Hold the circuit of ${name} open?`,
    text: "No call goes through: callers get their fallback, or a 503, until the time is over or somebody says otherwise.",
    verb: "Force open", danger: true, path: (name) => `circuit-breakers/${part(name)}/force-open`,
    fields: [{ name: "seconds", label: "For", options: HELD }],
  },
  "disable": {
    title: (name) => `Disable the breaker of ${name}?`,
    text: "All calls go through and none is counted, however many fail, until somebody says otherwise.",
    verb: "Disable", danger: true, path: (name) => `circuit-breakers/${part(name)}/disable`,
  },
  "automatic": {
    title: (name) => `Let the breaker of ${name} decide by itself again?`,
    text: "It begins closed, with an empty window.",
    verb: "Automatic", path: (name) => `circuit-breakers/${part(name)}/automatic`,
  },
  "reset-all": {
    title: () => "Reset all circuits?",
    text: "All are closed at once, with empty windows, those too that somebody holds open or has disabled.",
    verb: "Reset all", danger: true, path: () => "circuit-breakers/reset-all",
  },
};

function pullLever({ lever, name }) {
  const { title, text, verb, danger, path, fields } = LEVERS[lever];
  const open = (known.breakers?.breakers ?? []).filter((one) => one.state !== "closed").map((one) => one.name);
  const which = lever === "reset-all" ? [open.length ? `Not closed now: ${open.join(", ")}.` : "All are closed now."] : [];
  confirmThen({
    title: title(name), verb, danger, fields: [...(fields ?? []), REASON],
    text: [text, ...which, `It is done in this process alone, ${known.breakers?.instance ?? ""}, and is written down.`],
    act: async ({ seconds, reason }) => {
      const answer = await post(path(name), { reason: given(reason), seconds: seconds ? Number(seconds) : undefined });
      if (lever === "reset-all") return answer.reset.length ? `Reset: ${answer.reset.join(", ")}.` : "All were closed already.";
      const state = (which) => STATES[which]?.name ?? which;
      return `${name}: was ${state(answer.before)}, is ${state(answer.breaker.state)}.`;
    },
  });
}
