// Error budgets: how much is left, and how fast it goes.

/** What is left; below nothing, how much of it was used. */
const budgetLeft = ({ left }) => (left > 0 ? `${percent(left)} left` : `used ${count(Math.round((1 - left) * 10) / 10)}\u00a0×`);

async function loadBudgets(signal) {
  known.budgets = await get("budgets", {}, signal);
  const { budgets } = known.budgets;
  show(byId("budget-list"), budgets.length === 0
    ? el("p", { class: "empty card" }, "No error budgets. A budget says how many requests may fail in a month.")
    : el("ul", { class: "cards" }, budgets.map(budgetCard)));
  showHealth();
}

function budgetCard(one) {
  const burning = one.burns.filter((burn) => burn.burning);
  const kind = one.left <= 0 || burning.some((burn) => burn.severity === "critical") ? "fail" : burning.length || one.left < 0.25 ? "warn" : "pass";
  const text = one.left <= 0 ? "used up" : burning.length ? "burns too fast" : "holds";
  return el("li", { class: "card", "data-key": one.name },
    el("div", { class: "row" }, el("h3", null, one.name), badge(kind, text)),
    el("p", { class: "quiet" }, `${percent(one.objective)} of requests${one.route ? ` to ${one.route}` : ""} without a 5xx, over ${one.period_days} days`),
    el("meter", { min: 0, max: 1, low: 0.25, high: 0.5, optimum: 1, value: Math.max(0, Math.min(1, one.left)), "aria-label": `Left of ${one.name}` }),
    facts([
      [one.left > 0 ? "Left" : "Budget", `${budgetLeft(one)}: ${count(one.errors)} of ${count(one.requests)} requests failed`],
      ["Used up by", one.left <= 0 ? null : one.exhausted_at ? dateAndTime.format(Date.parse(one.exhausted_at)) : "not in this period, as it goes now"],
    ]),
    el("table", { class: "small-numbers" },
      el("caption", { class: "unseen" }, `How fast ${one.name} burns`),
      el("thead", null, el("tr", null, ["Windows", "long", "short", "limit", ""].map((name) => el("th", { scope: "col" }, name || el("span", { class: "unseen" }, "state"))))),
      el("tbody", null, one.burns.map((burn) => el("tr", { "data-key": burn.windows },
        el("th", { scope: "row" }, burn.windows), el("td", null, `${burn.long_rate.toFixed(1)} ×`), el("td", null, `${burn.short_rate.toFixed(1)} ×`),
        el("td", null, `${burn.threshold} ×`), el("td", null, burn.burning ? badge(burn.severity === "critical" ? "fail" : "warn", "burning") : "ok"))))));
}
