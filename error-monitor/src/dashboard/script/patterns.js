// The kinds of failures.

const patterns = { list: [], total: 0, sparks: new Map(), next: null, pages: 1, isChanging: false };

async function loadPatterns(signal) {
  const { from, to, bucket } = steps();
  const range = { from: iso(from), to: iso(to) };
  const query = { ...range, state: view.state, sort: view.sort, limit: Math.min(100, 20 * patterns.pages) };
  const [page, sparks] = await Promise.all([
    get("errors/patterns", query, signal),
    get("errors/stats", { ...range, bucket, group_by: "fingerprint" }, signal),
  ]);
  Object.assign(patterns, { list: page.patterns, total: page.total, next: page.next_cursor });
  patterns.sparks = new Map(sparks.groups.map(({ key, counts }) => [key, counts]));
  showPatterns();
}

const marks = (one) => [
  one.new ? badge("new", "new") : null,
  one.regressed ? badge("fail", "came back") : null,
  one.rising ? badge("warn", "rising") : null,
  one.state !== "open" ? badge("plain", one.state) : null,
];

const sparkOf = (one) => {
  const values = patterns.sparks.get(one.fingerprint);
  return values
    ? spark(values, `Over the last ${RANGES[view.range].name}: at most ${count(Math.max(...values))} in ${span(RANGES[view.range].step)}`)
    : el("span", { class: "quiet" }, "–");
};

const heads = (names) =>
  el("thead", { role: "rowgroup" }, el("tr", { role: "row" },
    names.map((name) => el("th", { scope: "col", role: "columnheader" }, name))));
const row = (key, cells) => el("tr", { role: "row", "data-key": key },
  cells.map(([name, ...content]) => el("td", { role: "cell", "data-name": name, class: `of-${name.toLowerCase().replace(/\W+/g, "-")}` }, el("div", null, content))));
const table = (label, names, rows) =>
  el("table", { "data-key": `table ${label}`, role: "table", "aria-label": label, class: "rows" }, heads(names), el("tbody", { role: "rowgroup" }, rows));

function showPatterns() {
  const { list, total } = patterns;
  if (list.length === 0) {
    const what = view.state ? `${view.state} patterns` : "failures";
    show(byId("pattern-list"), el("p", { class: "empty" }, `No ${what} in the last ${RANGES[view.range].name}.`));
    return;
  }
  const rows = list.map((one) => row(one.fingerprint, [
    ["Failure",
      el("button", { type: "button", class: "link strong opens", "data-act": "open-pattern", "data-fingerprint": one.fingerprint }, one.code),
      " ", marks(one), el("div", { class: "text" }, one.display || one.message)],
    ["Status", String(one.status)],
    ["Trend", sparkOf(one)],
    ["Count", el("strong", null, count(one.count)), " ", el("span", { class: "quiet" }, change(one.change))],
    ["First seen", moment(one.first_seen)],
    ["Last seen", moment(one.last_seen)],
  ]));
  const more = patterns.next && patterns.pages < 5
    ? el("button", { type: "button", "data-act": "more-patterns" }, "Show more") : null;
  show(byId("pattern-list"),
    table("Patterns", ["Failure", "Status", "Trend", "Count", "First seen", "Last seen"], rows),
    el("p", { class: "foot", "data-key": "foot" }, el("span", { class: "quiet" }, `${count(list.length)} of ${count(total)}`), more,
      patterns.next && !more ? el("span", { class: "quiet" }, "a shorter range or a state shows the others") : null));
}

/** One kind, at the side: as it is in the range, or else in the last 30 days. */
async function openPattern(fingerprint) {
  const mine = `pattern:${fingerprint}`;
  const head = () => drawerHead("Pattern", fingerprint);
  if (!isShown(mine)) openDrawer(mine, [head(), el("p", { class: "quiet", "data-key": "loading" }, "Loading…")]);
  try {
    const from = steps().from;
    const month = now() - 30 * DAY;
    const of = async (from) => (await get("errors/patterns", { fingerprint, from: iso(from) })).patterns[0];
    const [here, recent] = await Promise.all([of(from), get("logs/recent-errors", { fingerprint, limit: 10 })]);
    const one = here ?? (from > month ? await of(month) : undefined);
    if (view.open !== mine) return;
    openDrawer(mine, [head(),
      one ? patternFacts(one, here ? RANGES[view.range].name : "30 days")
        : el("p", { class: "empty", "data-key": "none" }, "It was not met in the last 30 days."),
      el("h3", { "data-key": "last" }, "The last of it"),
      recent.errors.length ? errorTable(recent.errors, "The last of this kind", byId("drawer"))
        : el("p", { class: "empty", "data-key": "no errors" }, "None are kept in full."),
      el("p", { "data-key": "all" }, el("button", { type: "button", "data-act": "filter-fingerprint", "data-fingerprint": fingerprint }, "All of this kind"))]);
  } catch (error) {
    if (!signedOutBy(error) && view.open === mine) openDrawer(mine, [head(), el("p", { class: "problem" }, said(error))]);
  }
}

function patternFacts(one, range) {
  const lever = (state, name) => one.state === state ? null
    : el("button", { type: "button", "data-key": state, "data-act": "change-pattern", "data-fingerprint": one.fingerprint, "data-state": state, "data-operator": true }, name);
  return [
    el("p", { "data-key": "marks" }, marks(one)),
    el("p", { class: "text large", "data-key": "text" }, one.display || one.message),
    facts([
      ["Clients read", one.message], ["Status", String(one.status)], ["Category", one.category], ["Domain", one.domain],
      [`In the last ${range}`, [`${count(one.count)} `, el("span", { class: "quiet" }, change(one.change) || `before: ${count(one.previous)}`)]],
      ["In all", count(one.total)],
      ["First seen", moment(one.first_seen)], ["Last seen", moment(one.last_seen)],
      ["State", one.changed_at ? [`${one.state}, since `, moment(one.changed_at), ` by ${one.changed_by ?? "nobody known"}`] : one.state],
      ["Routes", one.routes.length ? el("ul", null, one.routes.map((route) =>
        el("li", null, el("code", null, route.route || "(no route)"), ` ${count(route.count)}`))) : null],
      ["Last requests", one.request_ids.length ? el("ul", null, one.request_ids.map((id) =>
        el("li", null, el("button", { type: "button", class: "link mono", "data-act": "filter-request", "data-request": id }, id)))) : null],
    ]),
    el("div", { class: "buttons", "data-key": "levers" }, lever("resolved", "Resolve"), lever("ignored", "Ignore"), lever("open", "Open again")),
  ];
}

async function changePattern({ fingerprint, state }) {
  // One at a time: a second click may be meant for what was there before the first.
  if (patterns.isChanging) return;
  patterns.isChanging = true;
  try {
    const { before } = await post(`errors/patterns/${part(fingerprint)}`, { state });
    tell(`${fingerprint}: ${before}, now ${state}.`);
    if (view.open === `pattern:${fingerprint}`) openPattern(fingerprint);
    refresh();
  } catch (error) {
    if (!signedOutBy(error)) tell(said(error), true);
  } finally {
    patterns.isChanging = false;
  }
}
