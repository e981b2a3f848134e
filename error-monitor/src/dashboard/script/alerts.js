// Alerts: what is so, who is told, and who is not for a while.

const LENGTHS = [["30m", "30 minutes"], ["1h", "1 hour"], ["4h", "4 hours"], ["24h", "1 day"], ["168h", "7 days"]];
const PHASES = { firing: "fail", pending: "warn", resolved: "pass" };
const rules = { list: [], channels: [], read: 0 };

async function loadAlerts(signal) {
  try {
    const [alerts, configured] = await Promise.all([
      get("alerts", {}, signal),
      // Rules seldom change.
      now() - rules.read > MINUTE ? get("alerts/configure", {}, signal) : null,
    ]);
    known.alerts = alerts;
    if (configured) Object.assign(rules, { list: configured.rules, channels: configured.channels, read: now() });
  } catch (error) {
    if (error.code !== "NOT_BUILT") throw error;
    known.alerts = { absent: error.message, alerts: [], silences: [], waiting: 0 };
  }
  showAlerts();
  showHealth();
}

/** What a rule looks for, in words. */
function conditionOf({ when, filter, group_by: by, for: holds }) {
  const only = Object.entries(filter ?? {}).filter(([, value]) => value !== null).map(([name, value]) => `${name} ${value}`);
  const of = only.length ? ` of ${only.join(", ")}` : "";
  const what = {
    count: () => `${number(when.threshold, "failure")}${of} in ${when.window}`,
    rate: () => `${percent(when.threshold)} of at least ${when.min_requests} requests${of} answered with 5xx in ${when.window}`,
    new_code: () => `a kind of failure${of} never met before, in ${when.window}`,
    breaker_open: () => `${when.service ? `the circuit of ${when.service}` : "a circuit"} not closed for ${when.longer_than}`,
    health_failing: () => `${when.check ? `the check ${when.check}` : "a check"} fails`,
    budget_burn: () => `${when.budget ? `the budget ${when.budget}` : "a budget"} used up too fast`,
  }[when.kind];
  const lasts = holds && holds !== "0s" ? `, for ${holds}` : "";
  return `${what ? what() : when.kind}${by ? `, for each ${by}` : ""}${lasts}`;
}

function showAlerts() {
  const { alerts, silences, waiting, absent } = known.alerts;
  if (absent) {
    show(byId("alert-list"), el("p", { class: "empty card" }, `${absent}.`));
    return;
  }
  const order = ["firing", "pending", "resolved"];
  const sorted = [...alerts].sort((a, b) => order.indexOf(a.phase) - order.indexOf(b.phase) || b.since.localeCompare(a.since));
  const cards = sorted.map((one) => el("li", { class: "card", "data-key": `${one.rule}\n${one.group}` },
    el("div", { class: "row" },
      el("h3", null, one.rule, one.group ? el("span", { class: "quiet" }, ` ${one.group}`) : null),
      el("span", null, badge(PHASES[one.phase] ?? "plain", one.phase), " ", badge("plain", one.severity), one.silenced ? [" ", badge("plain", "silenced")] : null)),
    el("p", null, one.summary),
    el("p", { class: "quiet" }, "since ", moment(one.since), one.told_at ? ["; told ", moment(one.told_at)] : "; nobody was told"),
    one.phase === "resolved" ? null : el("div", { class: "buttons" }, el("button", { type: "button", "data-act": "silence", "data-rule": one.rule,
      "data-group": one.group, "data-operator": true, "aria-label": `Silence ${one.rule} ${one.group}` }, "Silence…"))));
  const quiet = silences.map((one) => el("li", { "data-key": one.id },
    el("span", null, one.rule ? `${one.rule}${one.group ? ` ${one.group}` : ""}` : "Everything",
      el("span", { class: "quiet" }, ` until ${dateAndTime.format(Date.parse(one.until))}, by ${one.by}${one.reason ? `: ${one.reason}` : ""}`)),
    el("button", { type: "button", "data-act": "end-silence", "data-id": one.id, "data-operator": true,
      "aria-label": `End… the silence of ${one.rule ?? "everything"}` }, "End…")));
  const rows = rules.list.map((rule) => row(rule.name, [
    ["Rule", el("strong", null, rule.name), rule.enabled ? null : [" ", badge("plain", "off")]],
    ["Fires on", conditionOf(rule)],
    ["Severity", rule.severity],
    ["Tells", rule.channels?.length ? rule.channels.join(", ") : rules.channels.length ? "all channels" : "nobody: there is no channel"],
    ["", el("button", { type: "button", class: "small", "data-act": "test-rule", "data-rule": rule.name, "data-operator": true, "aria-label": `Test ${rule.name}` }, "Test…")],
  ]));
  show(byId("alert-list"),
    cards.length ? el("ul", { class: "cards", "data-key": "cards" }, cards) : el("p", { class: "empty card", "data-key": "none" }, "Nothing fires, and nothing is about to."),
    waiting > 0 ? el("p", { class: "quiet", "data-key": "waiting" }, `Waiting to be sent: ${number(waiting, "notice")}.`) : null,
    quiet.length ? [el("h3", { "data-key": "silences" }, "Silences"), el("ul", { class: "card lines", "data-key": "quiet" }, quiet)] : null,
    rows.length ? [el("h3", { "data-key": "rules title" }, "Rules"), el("div", { class: "card flush", "data-key": "rules" },
      table("Rules", ["Rule", "Fires on", "Severity", "Tells", "Test"], rows))] : null);
}

function silenceAlerts({ rule, group }) {
  const what = rule ? `${rule}${group ? ` ${group}` : ""}` : "all alerts";
  confirmThen({
    title: `Silence ${what}?`, verb: "Silence", danger: !rule,
    text: [rule ? "Nobody is told of it meanwhile. Who was not told is told when the time is over, if it lasts."
      : "Nobody is told of anything meanwhile, however urgent. What lasts is told when the time is over."],
    fields: [{ name: "length", label: "For", options: LENGTHS }, REASON],
    act: async ({ length, reason }) => {
      const { until } = await post("alerts/silence", { rule: rule || undefined, group: group || undefined, for: length, reason: given(reason) });
      return `${rule ? what : "All alerts"}: silent until ${dateAndTime.format(Date.parse(until))}.`;
    },
  });
}

function endSilence({ id }) {
  const silence = known.alerts?.silences.find((one) => one.id === id);
  confirmThen({
    title: `End the silence of ${silence?.rule ?? "everything"}?`, verb: "End", text: ["What lasts is told of at once."],
    act: async () => {
      await post(`alerts/silence/${part(id)}/expire`);
      return "The silence is over.";
    },
  });
}

function testRule({ rule }) {
  const of = rules.list.find((known) => known.name === rule);
  const channels = of?.channels?.length ? of.channels : rules.channels.map(({ name }) => name);
  confirmThen({
    title: `Send a trial of ${rule}?`, verb: "Send",
    text: [channels.length ? `A message that says it is a trial goes to ${channels.join(", ")} now.` : "There is no channel to send it to."],
    act: async () => {
      const { results } = await post(`alerts/test/${part(rule)}`);
      const failed = results.filter(({ sent }) => !sent);
      if (failed.length) throw new Refusal(0, { message: failed.map(({ channel, error }) => `${channel}: ${error}`).join("; ") });
      return results.length ? `Sent to ${results.map(({ channel }) => channel).join(", ")}.` : "There is no channel: nothing was sent.";
    },
  });
}
