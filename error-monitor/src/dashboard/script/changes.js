// Who changed what.

async function loadChanges(signal) {
  const { entries } = await get("audit", { limit: 20 }, signal);
  const text = (value) => value === null || value === undefined ? "–" : typeof value === "object" ? JSON.stringify(value) : String(value);
  show(byId("change-list"), entries.length === 0 ? el("p", { class: "empty" }, "Nobody has changed anything.")
    : table("Changes", ["Time", "Who", "What", "Before", "After", "Result"], entries.map((one, place) => row(`${one.time} ${one.actor} ${one.action} ${place}`, [
      ["Time", moment(one.time)], ["Who", one.actor],
      ["What", el("strong", null, one.action.replaceAll("_", " ")), ` ${one.target}`],
      ["Before", el("code", { class: "wrap" }, text(one.before))], ["After", el("code", { class: "wrap" }, text(one.after))],
      ["Result", one.result === "done" ? badge("pass", "done") : badge("fail", one.result)],
    ]))));
}
