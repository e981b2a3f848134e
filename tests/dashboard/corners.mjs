// Where what is shown could be wrong: polls that fail or come late, windows over windows: `node corners.mjs PROGRAM`.

import assert from "node:assert/strict";
import { Browser, count, loaded, signIn, start, step, until } from "./browser.mjs";

const [, , program] = process.argv;
const service = await start(program, []);
const browser = await Browser.launch();
const begun = performance.now();
const API = "**/admin/api/monitoring/";

const signedIn = async (hash = "", options = {}) => {
  const page = await browser.page(`${service.url}${hash}`, options);
  await signIn(page);
  return page;
};
/** Looks again, as the next poll would. */
const again = async (page) => {
  await page.evaluate(() => document.dispatchEvent(new Event("visibilitychange")));
  await loaded(page);
};
const refuse = (page, path) => page.route(`${API}${path}`, (route) => route.fulfill({
  status: 503, json: { error: { code: "STORE_UNAVAILABLE", message: "the error store is unavailable", status: 503 } },
}));
const rows = (page) => page.locator("#error-list tbody tr").evaluateAll((all) => all.map((row) => row.textContent.trim()));
const assertWhole = async (page) => {
  const texts = await rows(page);
  assert.ok(texts.length > 0 && texts.every((text) => /\d\d:\d\d/.test(text) && text.length > 20), texts.slice(0, 3).join(" | "));
};

await step("rows and the focus outlive a look that fails", async () => {
  const page = await signedIn("#range=24h");
  await page.locator("#error-list .opens").nth(3).focus();
  const focused = () => page.evaluate(() => document.activeElement.dataset.id);
  const id = await focused();
  await refuse(page, "logs/recent-errors*");
  await again(page);
  await page.locator("#error-list .failed").waitFor();
  await assertWhole(page);
  await page.unroute(`${API}logs/recent-errors*`);
  await again(page);
  await until("it is mended", async () => (await page.locator("#error-list .failed").count()) === 0);
  await assertWhole(page);
  await again(page);
  await assertWhole(page);
  assert.equal(await focused(), id);
  // A filter comes and goes.
  await page.getByLabel("Code").fill("HOSTILE");
  await page.getByRole("button", { name: "Filter", exact: true }).click();
  await until("only those", async () => (await rows(page)).every((text) => text.includes("HOSTILE")));
  await assertWhole(page);
  await page.locator("#error-list .chips button").click();
  await until("all again", async () => (await rows(page)).some((text) => !text.includes("HOSTILE")));
  await assertWhole(page);
  await page.context().close();
});

await step("focus goes with its row where rows change places", async () => {
  const page = await signedIn("#range=24h");
  const codes = (reversed) => page.route(`${API}errors/patterns*`, async (route) => {
    const answer = await (await route.fetch()).json();
    const patterns = answer.patterns.slice(0, 5);
    await route.fulfill({ json: { ...answer, patterns: reversed ? patterns.reverse() : patterns } });
  });
  await codes(false);
  await again(page);
  const opener = page.locator("#pattern-list .opens");
  await until("five", async () => (await opener.count()) === 5);
  // The one that is moved, not those that it is moved past.
  const name = await opener.nth(4).getAttribute("data-fingerprint");
  await opener.nth(4).focus();
  await page.unroute(`${API}errors/patterns*`);
  await codes(true);
  await again(page);
  await until("the first", async () => (await opener.nth(0).getAttribute("data-fingerprint")) === name);
  assert.equal(await page.evaluate(() => document.activeElement.dataset.fingerprint), name);
  await page.context().close();
});

await step("a link to an error opens it, in its section", async () => {
  const page = await signedIn();
  const id = await page.locator("#error-list .opens").first().getAttribute("data-id");
  const other = await signedIn(`#section=errors&open=error%3A${id}`);
  await other.getByRole("dialog").getByText("Origin").waitFor();
  assert.match(other.url(), /open=error/);
  await other.context().close();
  // What is no id is nothing.
  const none = await signedIn("#range=__proto__&measure=constructor&open=error%3A%22%5D&status=abc&sort=toString");
  assert.equal(await none.getByRole("dialog").count(), 0);
  assert.equal(await none.getByLabel("Range").inputValue(), "1h");
  await none.context().close();
  await page.context().close();
});

await step("a pattern that is not in the list is shown with its own range", async () => {
  const page = await signedIn("#range=15m");
  await page.route(`${API}errors/patterns?fingerprint*`, async (route) => {
    const from = Date.parse(new URL(route.request().url()).searchParams.get("from"));
    // Met in the month, and not in the last quarter of an hour.
    if (Date.now() - from < 3_600_000) await route.fulfill({ json: { total: 0, patterns: [], next_cursor: null } });
    else await route.continue();
  });
  await page.goto(`${service.url}#range=15m&open=pattern%3Amany%2FHOSTILE`);
  await page.getByRole("dialog").getByText("In the last 30 days").waitFor();
  assert.equal(await page.getByRole("dialog").getByText("In the last 15 minutes").count(), 0);
  await page.context().close();
});

await step("older errors have no gap, whatever comes meanwhile", async () => {
  const page = await signedIn("#range=24h");
  let release;
  const held = new Promise((done) => { release = done; });
  await page.route(`${API}logs/recent-errors?*cursor*`, async (route) => {
    await held;
    await route.continue();
  });
  await page.locator("[data-act=older-errors]").click();
  // The newest have changed by the time of the next look.
  await page.route(`${API}logs/recent-errors?*limit=25`, async (route) => {
    const answer = await (await route.fetch()).json();
    await route.fulfill({ json: { ...answer, errors: answer.errors.slice(0, 5) } });
  });
  await again(page);
  release();
  await until("older ones", async () => (await rows(page)).length === 125);
  const ids = await page.locator("#error-list .opens").evaluateAll((all) => all.map((one) => one.dataset.id));
  const token = "operator-0123456789abcdef";
  const all = await (await fetch(new URL("api/monitoring/logs/recent-errors?limit=125", service.url), { headers: { Authorization: `Bearer ${token}` } })).json();
  assert.deepEqual(ids, all.errors.map(({ id }) => id));
  await page.context().close();
});

await step("old numbers keep the name of their range", async () => {
  const page = await signedIn("#range=15m");
  await page.getByText("Failures in each 1 min").waitFor();
  await refuse(page, "errors/stats*");
  await page.getByLabel("Range").selectOption("30d");
  await page.locator("#trend .failed").waitFor();
  assert.equal(await page.getByText("Failures in each 1 d").count(), 0);
  assert.equal(await page.locator("#trend .legend").getByText("the 30 days before").count(), 0);
  await page.context().close();
});

await step("a long outage is not longer than it was", async () => {
  const page = await signedIn("#range=24h");
  const [hour, end] = [3_600_000, Date.now()];
  // Three hours with a probe each minute, which ended an hour ago.
  const events = [];
  const add = (ago, from, to) => events.push({ time: new Date(end - ago).toISOString(), instance: "here", from, to });
  add(hour, "half_open", "closed");
  for (let minute = 1; minute < 180; minute += 1) {
    // Of one moment, as a probe that fails at once.
    add(hour + minute * 60_000, "half_open", "open");
    add(hour + minute * 60_000, "open", "half_open");
  }
  add(4 * hour, "closed", "open");
  const breaker = { name: "long", state: "closed", since: new Date(end - hour).toISOString(), would_admit: true, retry_after_ms: null, last_error_code: null,
    window: { calls: 0, failures: 0, slow: 0, failure_rate: null, slow_rate: null },
    totals: { successes: 0, failures: 0, ignored: 0, slow: 0, rejected: 0, stale: 0, opened: 180 } };
  await page.route(`${API}circuit-breakers`, (route) => route.fulfill({ json: { instance: "here", breakers: [breaker] } }));
  await page.route(`${API}circuit-breakers/long/events*`, (route) => {
    const asked = new URL(route.request().url()).searchParams;
    const at = Number(asked.get("cursor") ?? 0);
    const size = Math.min(Number(asked.get("limit")), 100);
    const found = events.slice(at, at + size);
    route.fulfill({ json: { events: found, next_cursor: found.length > 0 && at + size < events.length ? String(at + size) : null } });
  });
  await again(page);
  await page.locator(".breaker .ends").getByText("open for 3 h").waitFor();
  assert.equal(await page.locator(".breaker .state-unknown").count(), 0);
  // Where the pages end before the range does, the rest is not known, and is not said to be known.
  for (let more = 0; more < 400; more += 1) add(23 * hour + more * 100, "open", "half_open");
  breaker.since = new Date(end - hour + 1).toISOString();
  await again(page);
  await page.locator(".breaker .ends").getByText("not known before").waitFor();
  assert.equal(await page.locator(".breaker .state-unknown").count(), 1);
  await page.context().close();
});

await step("a question is not closed by the one before it", async () => {
  const page = await signedIn();
  let release;
  const held = new Promise((done) => { release = done; });
  await page.route(`${API}circuit-breakers/reset/database`, async (route) => {
    await held;
    await route.continue();
  });
  const card = page.locator('.breaker[data-key="database"]');
  const dialog = page.getByRole("dialog");
  await card.getByRole("button", { name: "Reset" }).click();
  await dialog.getByRole("button", { name: "Reset" }).click();
  await page.keyboard.press("Escape");
  await card.getByRole("button", { name: "Disable" }).click();
  await dialog.getByText("Disable the breaker of database?").waitFor();
  release();
  await page.locator("#said").getByText("database: was closed, is closed.").waitFor();
  assert.ok(await dialog.getByText("Disable the breaker of database?").isVisible());
  // It is told within the window: nothing beside it is read out.
  assert.equal(await page.evaluate(() => document.getElementById("said").parentElement.id), "ask");
  await page.keyboard.press("Escape");
  assert.equal(await page.evaluate(() => document.getElementById("said").parentElement.tagName), "BODY");
  await page.context().close();
});

await step("an action that is refused keeps its window, and the focus", async () => {
  const page = await signedIn();
  await page.route(`${API}circuit-breakers/reset/database`, (route) => route.fulfill({
    status: 409, json: { error: { code: "CHANGED_MEANWHILE", message: "it was changed by somebody else; read it again", status: 409 } },
  }));
  await page.locator('.breaker[data-key="database"]').getByRole("button", { name: "Reset" }).click();
  const dialog = page.getByRole("dialog");
  await dialog.getByRole("button", { name: "Reset" }).focus();
  await page.keyboard.press("Enter");
  await dialog.getByText("it was changed by somebody else").waitFor();
  assert.equal(await page.evaluate(() => document.activeElement.textContent), "Reset");
  await page.context().close();
});

await step("the drawer closes beside it, and not on its own ground", async () => {
  const page = await signedIn("#range=24h");
  await page.locator("#error-list .opens").first().click();
  const dialog = page.getByRole("dialog");
  await dialog.getByText("Origin").waitFor();
  assert.equal(await page.evaluate(() => document.activeElement.id), "drawer-title");
  const box = await dialog.boundingBox();
  await page.mouse.click(box.x + 5, box.y + box.height - 5);
  assert.ok(await dialog.isVisible());
  // A selection that ends beside it.
  await page.mouse.move(box.x + 200, box.y + 100);
  await page.mouse.down();
  await page.mouse.move(box.x - 100, box.y + 100);
  await page.mouse.up();
  assert.ok(await dialog.isVisible());
  await page.mouse.click(box.x - 100, box.y + 100);
  await until("it is closed", async () => !(await dialog.isVisible()));
  await page.context().close();
});

await step("a second click does not undo the first", async () => {
  const page = await signedIn("#range=24h");
  const changes = [];
  page.on("request", (request) => {
    if (request.method() === "POST") changes.push(request.postData());
  });
  await page.locator("#pattern-list .opens").first().click();
  const dialog = page.getByRole("dialog");
  await dialog.getByRole("button", { name: "Resolve" }).dblclick();
  await dialog.locator(".badge", { hasText: "resolved" }).waitFor();
  await loaded(page);
  assert.deepEqual(changes, ['{"state":"resolved"}']);
  assert.equal(await page.evaluate(() => document.activeElement.id), "drawer-title");
  await page.context().close();
});

await step("a service in trouble is left alone for as long as it asks", async () => {
  const page = await browser.page(service.url, { fresh: false });
  await page.clock.install();
  await page.goto(service.url);
  await signIn(page);
  let asked = 0;
  const trouble = (wait) => page.route(`${API}**`, (route) => {
    asked += 1;
    route.fulfill({ status: 503, headers: { "Retry-After": wait }, json: { error: { code: "STORE_UNAVAILABLE", message: "the error store is unavailable", status: 503 } } });
  });
  await trouble("60");
  await again(page);
  await page.locator(".failed").first().waitFor();
  asked = 0;
  await page.clock.runFor(50_000);
  assert.equal(asked, 0);
  await page.unroute(`${API}**`);
  // More than a timer can hold.
  await trouble("2200000");
  await again(page);
  asked = 0;
  await page.clock.runFor(240_000);
  assert.equal(asked, 0);
  await page.context().close();
});

await step("who has signed in last is who acts", async () => {
  const page = await browser.page(service.url);
  let release;
  const held = new Promise((done) => { release = done; });
  await page.route(`${API}me`, async (route) => {
    const isOperator = route.request().headers().authorization?.includes("operator");
    if (isOperator) await held;
    await route.continue();
  });
  await page.getByLabel("Token").fill("operator-0123456789abcdef");
  await page.keyboard.press("Enter");
  await page.getByLabel("Token").fill("viewer-0123456789abcdef");
  await page.keyboard.press("Enter");
  await loaded(page);
  release();
  await page.locator("#about").getByText("token 2, viewer").waitFor();
  await again(page);
  assert.equal(await page.getByRole("button", { name: "Reset all…" }).count(), 0);
  await page.context().close();
});

await step("what answers after the sign-out is shown to nobody", async () => {
  const page = await signedIn("#range=24h&user=user-7");
  let release;
  const held = new Promise((done) => { release = done; });
  await page.route(`${API}**`, async (route) => {
    await held;
    await route.continue().catch(() => {});
  });
  await page.evaluate(() => document.dispatchEvent(new Event("visibilitychange")));
  await page.getByRole("button", { name: "Sign out" }).click();
  release();
  await page.unroute(`${API}**`);
  assert.ok(!page.url().includes("user-7"));
  await page.locator("#door").waitFor();
  assert.ok(!(await page.locator("body").innerHTML()).split("<script>")[0].includes("user-7"));
  // The next one sees their own, from the start.
  await signIn(page, "viewer-0123456789abcdef");
  assert.equal(await page.getByLabel("User").inputValue(), "");
  assert.equal(await page.getByLabel("Range").inputValue(), "1h");
  await page.context().close();
});

assert.deepEqual(browser.faults, []);
await browser.close();
await service.stop();
console.log(`${count()} corners, ${Math.round((performance.now() - begun) / 1000)} s`);
