// How the service is, at a glance.

const HEALTH = { pass: "works", warn: "impaired", fail: "fails" };
const known = { services: null, stats: null, breakers: null, alerts: null, budgets: null };

const badge = (kind, text) => el("span", { class: `badge ${kind}` }, text);

function tile(name, value, note, kind, section) {
  return el("li", { "data-key": name },
    el("a", { class: `tile ${kind}`, href: address({ section, open: "" }), "data-section": section },
      el("span", { class: "name" }, name), el("span", { class: "value" }, value), el("span", { class: "note" }, note)));
}

function healthTiles() {
  const { services, stats, breakers, alerts, budgets } = known;
  const tiles = [];
  const range = RANGES[stats?.range ?? view.range].name;
  if (services) {
    const names = (status) => services.services.filter((one) => one.status === status).map((one) => one.name);
    const parts = [["fail", "fails"], ["warn", "is impaired"]].filter(([status]) => names(status).length)
      .map(([status, word]) => `${names(status).join(", ")} ${names(status).length === 1 ? word : word.replace("fails", "fail").replace("is", "are")}`);
    const note = parts.join("; ") || "everything it needs answers";
    tiles.push(tile("Service", HEALTH[services.status] ?? services.status, note, services.status, "overview"));
  }
  if (stats) {
    const { now: current, before } = stats;
    const rate = current.server_error_rate;
    const kind = rate === null || rate === 0 ? "pass" : rate >= 0.05 ? "fail" : "warn";
    tiles.push(tile("Server errors", percent(rate), `of ${count(current.requests)} requests`, kind, "overview"));
    const more = change(before.total > 0 ? current.total / before.total - 1 : null);
    const than = `the ${range} before: ${count(before.total)}`;
    tiles.push(tile("Failures", count(current.total), more ? `${more}; ${than}` : than, "plain", "patterns"));
  }
  if (breakers) {
    const all = breakers.breakers;
    const open = all.filter((one) => ["open", "half_open", "forced_open"].includes(one.state));
    const note = open.length ? open.map((one) => one.name).join(", ") : all.length ? "all let calls through" : "none yet";
    tiles.push(tile("Open circuits", `${open.length} of ${all.length}`, note, open.length ? "fail" : "pass", "breakers"));
  }
  if (alerts && !alerts.absent) {
    const firing = alerts.alerts.filter((one) => one.phase === "firing");
    const pending = alerts.alerts.filter((one) => one.phase === "pending").length;
    const note = firing.length ? firing.map((one) => one.rule).join(", ") : pending ? `${pending} about to` : "nothing to tell of";
    tiles.push(tile("Alerts firing", String(firing.length), note, firing.length ? "fail" : "pass", "alerts"));
  }
  if (budgets && budgets.budgets.length > 0) {
    const least = budgets.budgets.reduce((a, b) => (b.left < a.left ? b : a));
    const kind = least.left <= 0 ? "fail" : least.left < 0.25 ? "warn" : "pass";
    tiles.push(tile("Error budget", budgetLeft(least), `${least.name}, of ${least.period_days} days`, kind, "budgets"));
  }
  return tiles;
}

function showHealth() {
  const { services } = known;
  const rows = (services?.services ?? []).map((one) => {
    const checks = one.checks.map((check) =>
      `${check.name}: ${HEALTH[check.status] ?? check.status}${check.message ? `, ${check.message}` : ""} (${check.took_ms} ms)`);
    return el("li", { class: "service", "data-key": `service ${one.name}` },
      badge(one.status, HEALTH[one.status] ?? one.status),
      el("strong", null, one.name),
      el("span", { class: "quiet" }, [
        one.breaker ? `circuit ${STATES[one.breaker.state]?.name ?? one.breaker.state}` : null,
        one.errors > 0 ? `${number(one.errors, "failure")} in 5 minutes` : null,
        ...checks,
      ].filter(Boolean).join(" · ") || "no failures in 5 minutes"));
  });
  const store = services?.store;
  if (store) {
    rows.push(el("li", { class: "service", "data-key": "the store" },
      badge(store.status, HEALTH[store.status] ?? store.status), el("strong", null, "error store"),
      el("span", { class: "quiet" }, store.message ? `${store.name}: ${store.message}; failures wait for it` : store.name)));
  }
  show(byId("health"), el("ul", { class: "tiles" }, healthTiles()),
    services ? el("ul", { class: "services card" }, rows) : null);
}

async function loadHealth(signal) {
  known.services = await get("health/services", {}, signal);
  byId("instance").textContent = known.services.instance;
  showHealth();
}
