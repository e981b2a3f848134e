// Single failures: the list, its filters, and one of them at the side.

/** More rows than this are read by nobody; a filter finds what is sought. */
const MOST_ROWS = 1000;

const errors = { list: [], next: null, filter: "", paged: false, newer: false, loading: false };

const wantedErrors = () => {
  const query = { from: iso(steps().from) };
  for (const name of FILTERS) query[name] = view[name];
  return query;
};
const filterKey = () => [view.range, ...FILTERS.map((name) => view[name])].join("\n");

async function loadErrors(signal) {
  const key = filterKey();
  const page = await get("logs/recent-errors", { ...wantedErrors(), limit: 25 }, signal);
  if (key !== filterKey()) return;
  if (errors.paged && errors.filter === key) {
    // Who reads older pages keeps their place.
    errors.newer = page.errors.length > 0 && page.errors[0].id !== errors.list[0]?.id;
  } else {
    Object.assign(errors, { list: page.errors, next: page.next_cursor, filter: key, paged: false, newer: false });
  }
  showErrors();
}

async function olderErrors() {
  if (errors.loading || !errors.next) return;
  errors.loading = true;
  // From now on: a look at the newest meanwhile would leave a gap.
  errors.paged = true;
  const key = filterKey();
  const reader = me;
  showErrors();
  try {
    let found = 0;
    // A page may be empty and yet be followed by another: a rare failure is looked for in parts.
    for (let parts = 0; found === 0 && errors.next && parts < 20; parts += 1) {
      const page = await get("logs/recent-errors", { ...wantedErrors(), cursor: errors.next, limit: 100 });
      if (key !== filterKey() || me !== reader) return;
      const ids = new Set(errors.list.map(({ id }) => id));
      errors.list.push(...page.errors.filter(({ id }) => !ids.has(id)));
      errors.next = page.next_cursor;
      found += page.errors.length;
    }
  } catch (error) {
    if (!signedOutBy(error)) tell(said(error), true);
  } finally {
    errors.loading = false;
    if (me) showErrors();
  }
}

function errorTable(list, label, place) {
  // A failure stays what it is: of a thousand rows only the new ones are made.
  const there = new Set([...place.querySelectorAll(".rows tr[data-key]")].map(keyOf));
  return table(label, ["Time", "Status", "Failure", "Route", "Request"],
    list.map((one) => there.has(one.id) ? same("tr", one.id, () => errorRow(one)) : errorRow(one)));
}

const errorRow = (one) => row(one.id, [
  ["Time", atClock(one.time)],
  ["Status", el("span", { class: one.status >= 500 ? "status fail" : "status" }, String(one.status))],
  ["Failure",
    el("button", { type: "button", class: "link strong opens", "data-act": "open-error", "data-id": one.id }, one.code),
    el("div", { class: "text" }, one.display || one.message)],
  ["Route", one.route ? el("code", null, [one.method, one.route].filter(Boolean).join(" ")) : el("span", { class: "quiet" }, "–")],
  ["Request", one.request_id ? el("code", { class: "cut", title: one.request_id }, one.request_id) : el("span", { class: "quiet" }, "–")],
]);

function showErrors() {
  const { list, next, newer, loading } = errors;
  const active = FILTERS.filter((name) => view[name] !== "");
  const chips = active.length === 0 ? null : el("ul", { class: "chips", "data-key": "chips", "aria-label": "Filters in force" }, active.map((name) =>
    el("li", { "data-key": name }, el("button", { type: "button", "data-act": "drop-filter", "data-name": name,
      title: "Take this filter away" }, `${name.replace("_", " ")}: ${view[name]}`, el("span", { "aria-hidden": "true" }, " ×")))));
  const full = list.length >= MOST_ROWS;
  show(byId("error-list"), chips,
    newer ? el("p", { class: "foot", "data-key": "newer" }, el("button", { type: "button", "data-act": "newest-errors" }, "Newer errors have come: show them")) : null,
    list.length ? errorTable(list, "Recent errors", byId("error-list"))
      : el("p", { class: "empty", "data-key": "none" }, next ? "None in what was looked through so far."
        : active.length ? "No failure fits these filters in this range." : `No failures in the last ${RANGES[view.range].name}.`),
    el("p", { class: "foot", "data-key": "foot" },
      list.length ? el("span", { class: "quiet" }, `${count(list.length)} shown`) : null,
      next && !full ? el("button", { type: "button", "data-act": "older-errors", "aria-disabled": loading ? "true" : null }, loading ? "Loading…" : "Older") : null,
      full && next ? el("span", { class: "quiet" }, "there are more; a filter or a shorter range finds them") : null));
}

function drawerHead(kind, name) {
  return el("div", { class: "head", "data-key": "head" },
    el("div", null, el("p", { class: "quiet" }, kind), el("h2", { id: "drawer-title", tabindex: "-1" }, name)),
    el("button", { type: "button", "data-act": "close-drawer" }, "Close"));
}

/** Names and what is known; what is not known is not shown. */
function facts(list) {
  return el("dl", { "data-key": "facts" }, list.filter(([, value]) => value !== null && value !== undefined && value !== "")
    .map(([name, value]) => el("div", { "data-key": name }, el("dt", null, name), el("dd", null, value))));
}

/** One failure, at the side. Its id has its moment in it, by which it is found where it is in no list. */
async function openError(id) {
  const mine = `error:${id}`;
  const everywhere = [...errors.list, ...shownErrors.values()];
  let one = everywhere.find((known) => known.id === id);
  if (!one) {
    openDrawer(mine, [drawerHead("Error", id), el("p", { class: "quiet", "data-key": "loading" }, "Loading…")]);
    try {
      const next = (BigInt(`0x${id}`) + 1n).toString(16);
      // No later id has as many digits.
      const page = next.length > 16 ? { errors: [] } : await get("logs/recent-errors", { cursor: next, limit: 1 });
      one = page.errors.find((found) => found.id === id) ?? null;
    } catch (error) {
      if (!signedOutBy(error) && view.open === mine) openDrawer(mine, [drawerHead("Error", id), el("p", { class: "problem" }, said(error))]);
      return;
    }
  }
  if (view.open !== mine) return;
  if (!one) {
    openDrawer(mine, [drawerHead("Error", id), el("p", { class: "empty", "data-key": "none" }, "It is not kept any more.")]);
    return;
  }
  shownErrors.set(id, one);
  const filter = (name, value) => value
    ? [el("code", null, value), " ", el("button", { type: "button", class: "small", "data-act": "filter-by", "data-name": name, "data-value": value,
        "aria-label": `Show all: ${name.replace("_", " ")} ${value}` }, "Show all")] : null;
  openDrawer(mine, [
    drawerHead("Error", one.code),
    el("p", { class: "text large", "data-key": "text" }, one.display || one.message),
    facts([
      ["Time", [atClock(one.time), " ", el("span", { class: "quiet" }, moment(one.time))]],
      ["Status", String(one.status)],
      ["Clients read", one.message],
      ["Caused by", one.chain.length ? el("ol", null, one.chain.map((text) => el("li", null, text))) : null],
      ["Route", one.route ? el("code", null, [one.method, one.route].filter(Boolean).join(" ")) : null],
      ["Request id", filter("request_id", one.request_id)],
      ["Trace id", one.trace_id ? el("code", null, one.trace_id) : null],
      ["User", filter("user", one.user)],
      ["Service", filter("service", one.service)],
      ["Retry", one.operation || one.attempts ? [one.operation ?? "", one.attempts ? ` gave up after ${one.attempts} ${one.attempts === 1 ? "attempt" : "attempts"}` : ""].join("") : null],
      ["Category", one.category], ["Level", one.level], ["Origin", one.origin], ["Domain", one.domain],
      ["Instance", one.instance],
      ["Pattern", el("button", { type: "button", class: "link mono", "data-act": "open-pattern", "data-fingerprint": one.fingerprint }, one.fingerprint)],
    ]),
    one.details === null ? null : [el("h3", { "data-key": "details" }, "Details"), el("pre", { tabindex: 0, "data-key": "json" }, JSON.stringify(one.details, null, 2))],
    one.backtrace ? el("details", { "data-key": `backtrace ${id}` }, el("summary", null, "Backtrace"), el("pre", { tabindex: 0 }, one.backtrace)) : null,
    el("div", { class: "buttons", "data-key": "copies" },
      el("button", { type: "button", "data-act": "copy-error", "data-id": id }, "Copy as JSON"),
      one.request_id ? el("button", { type: "button", "data-act": "copy-text", "data-text": one.request_id, "data-what": "Request id" }, "Copy request id") : null,
      el("button", { type: "button", "data-act": "copy-text", "data-text": location.href, "data-what": "Link" }, "Copy link")),
  ]);
}

/** Failures that were shown at the side, whatever has become of the list since. */
const shownErrors = new Map();
