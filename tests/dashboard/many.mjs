// The page before 200 000 errors, some of them hostile: `node many.mjs PROGRAM FOLDER`.

import assert from "node:assert/strict";
import { Browser, VIEWER, assertFits, count, loaded, signIn, start, step, until, violations } from "./browser.mjs";

const [, , program, folder] = process.argv;
const service = await start(program, []);
const browser = await Browser.launch();
const shot = (page, name, fullPage = false) => page.screenshot({ path: `${folder}/${name}.png`, fullPage });
const page = await browser.page(service.url);
const begun = performance.now();

await step("a token that is not known comes to nothing", async () => {
  await page.getByLabel("Token").fill("somebody-elses-token-0123");
  await page.getByRole("button", { name: "Sign in" }).click();
  await page.getByText("This token is not known.").waitFor();
  await shot(page, "door");
});

await step("200 000 errors are shown", async () => {
  const from = performance.now();
  await signIn(page);
  await page.getByLabel("Range").selectOption("24h");
  await page.locator("#pattern-list tbody tr").first().waitFor();
  await loaded(page);
  const shown = await page.locator("#about").textContent();
  assert.match(shown, /200k errors kept/);
  console.log(`(${Math.round(performance.now() - from)} ms from the token to all of it) `);
  await shot(page, "many", true);
});

await step("older errors are paged, up to what a page can hold", async () => {
  const older = page.locator("[data-act=older-errors]");
  const rows = page.locator("#error-list tbody tr");
  const from = performance.now();
  while (await older.isVisible()) {
    const before = await rows.count();
    await older.click();
    await until("more rows", async () => (await rows.count()) > before || !(await older.isVisible()));
  }
  console.log(`(${await rows.count()} rows in ${Math.round(performance.now() - from)} ms) `);
  assert.ok(await rows.count() >= 1000);
  await page.getByText("there are more; a filter or a shorter range finds them").waitFor();
  const times = await rows.locator("time").evaluateAll((all) => all.map((one) => one.dateTime));
  assert.deepEqual(times, [...times].sort().reverse());
});

await step("a search goes into the address, and comes back with it", async () => {
  await page.getByLabel("Search").fill("<SCRIPT>");
  await page.getByRole("button", { name: "Filter", exact: true }).click();
  await loaded(page);
  const codes = () => page.locator("#error-list .of-failure .opens").allTextContents();
  await until("only those", async () => (await codes()).length > 10 && new Set(await codes()).size === 1);
  assert.match(page.url(), /#.*q=%3CSCRIPT%3E/);
  const other = await browser.page(page.url());
  await signIn(other);
  assert.equal(await other.getByLabel("Search").inputValue(), "<SCRIPT>");
  await other.locator("#error-list").getByText("HOSTILE").first().waitFor();
  assert.equal(await other.getByLabel("Range").inputValue(), "24h");
  await other.context().close();
  await page.goBack();
  await until("the search is gone", async () => (await page.getByLabel("Search").inputValue()) === "");
});

await step("what is hostile stays text", async () => {
  await page.goto(`${service.url}#range=24h&code=HOSTILE`);
  await page.reload();
  await signIn(page);
  await page.locator("#error-list .opens").first().click();
  const drawer = page.getByRole("dialog");
  await drawer.getByText("Caused by").waitFor();
  const text = await drawer.textContent();
  assert.ok(text.split("<script>window.ran = 1</script><img src=x").length > 5, text);
  await drawer.getByText("Backtrace").click();
  await shot(page, "hostile");
  assert.equal(await page.evaluate(() => document.querySelectorAll("img, script").length), 1);
  assert.equal(await page.evaluate(() => globalThis.ran), undefined);
  await drawer.getByRole("button", { name: "Copy as JSON" }).click();
  await page.getByText("Error copied.").waitFor();
  const copied = JSON.parse(await page.evaluate(() => navigator.clipboard.readText()));
  assert.equal(copied.code, "HOSTILE");
  await page.keyboard.press("Escape");
  await until("the drawer is closed", async () => !(await drawer.isVisible()));
  assert.doesNotMatch(page.url(), /open=/);
});

await step("a script that comes in by another way does not run", async () => {
  const refused = await page.evaluate(() => {
    const script = document.createElement("script");
    try {
      script.textContent = "globalThis.ran = 3";
    } catch (error) {
      return String(error);
    }
    document.body.append(script);
    return "taken";
  });
  assert.match(refused, /TrustedScript/);
  assert.equal(await page.evaluate(() => globalThis.ran), undefined);
  // The browser tells of it, which is what is wanted here.
  browser.faults = browser.faults.filter((fault) => !fault.includes("TrustedScript"));
});

await step("names with every character reach their breaker", async () => {
  for (const name of ["with/slash and space?#", "<script>"]) {
    const card = page.locator(".breaker").filter({ hasText: name });
    await card.getByRole("button", { name: "Force open" }).click();
    const dialog = page.getByRole("dialog");
    await dialog.getByText("No call goes through").waitFor();
    await dialog.getByLabel("Reason").fill("<b>because</b>");
    await dialog.getByRole("button", { name: "Force open" }).click();
    await card.getByText("held open", { exact: true }).waitFor();
  }
  await page.locator("#change-list").getByText("<b>because</b>").first().waitFor();
  await page.getByRole("button", { name: "Reset all…" }).click();
  await page.getByRole("dialog").getByText("Not closed now: ").waitFor();
  await page.getByRole("dialog").getByRole("button", { name: "Reset all" }).click();
  await until("all are closed", async () => (await page.locator(".breaker .badge", { hasText: "held open" }).count()) === 0);
});

await step("nothing is asked while nobody looks, and at once when somebody does", async () => {
  const other = await browser.page(service.url, { fresh: false });
  await other.clock.install();
  await other.goto(service.url);
  await signIn(other);
  let asked = 0;
  other.on("request", () => { asked += 1; });
  const hide = (hidden) => other.evaluate((hidden) => {
    Object.defineProperty(document, "hidden", { configurable: true, get: () => hidden });
    document.dispatchEvent(new Event("visibilitychange"));
  }, hidden);
  await hide(true);
  await other.clock.runFor(120_000);
  assert.equal(asked, 0);
  await hide(false);
  await until("it looks", async () => asked >= 8);
  await loaded(other);
  asked = 0;
  await other.clock.runFor(6_000);
  await until("it looks again", async () => asked >= 8);
  await loaded(other);
  // Hidden in the middle of a look: the look ends, and is the last.
  let release;
  const held = new Promise((done) => { release = done; });
  await other.route("**/audit*", async (route) => {
    await held;
    await route.continue();
  });
  await hide(false);
  await hide(true);
  release();
  await loaded(other);
  asked = 0;
  await other.clock.runFor(120_000);
  assert.equal(asked, 0);
  await hide(false);
  await until("it looks", async () => asked >= 8);
  await loaded(other);
  await other.getByRole("button", { name: "Live" }).click();
  asked = 0;
  await other.clock.runFor(120_000);
  assert.equal(asked, 0);
  await other.context().close();
});

await step("what cannot be loaded says so, and keeps what was there", async () => {
  const other = await browser.page(service.url);
  await signIn(other);
  await other.route("**/errors/patterns*", (route) => route.fulfill({
    status: 503, contentType: "application/json", headers: { "Retry-After": "5" },
    body: JSON.stringify({ error: { code: "STORE_UNAVAILABLE", message: "the error store is unavailable", status: 503, request_id: "r-1" } }),
  }));
  await other.getByLabel("State").selectOption("open");
  await other.getByText("This is from before: the error store is unavailable. Try again in 5 s. (request r-1)").waitFor();
  assert.ok(await other.locator("#pattern-list tbody tr").count() > 0);
  await shot(other, "failed", true);
  await other.unroute("**/errors/patterns*");
  await other.getByRole("button", { name: "Try again" }).click();
  await until("it is mended", async () => (await other.locator(".failed").count()) === 0);
  await other.context().setOffline(true);
  await other.evaluate(() => document.dispatchEvent(new Event("visibilitychange")));
  await other.getByText("The service does not answer. What is shown is of").waitFor();
  assert.equal(await other.locator(".failed").count(), 0);
  await shot(other, "away");
  await other.context().setOffline(false);
  await other.evaluate(() => document.dispatchEvent(new Event("visibilitychange")));
  await until("it answers", async () => await other.locator("#trouble").isHidden());
  await other.route("**/admin/api/monitoring/**", (route) => route.fulfill({
    status: 401, contentType: "application/json", body: JSON.stringify({ error: { code: "NOT_SIGNED_IN", message: "sign in", status: 401 } }),
  }));
  await other.evaluate(() => document.dispatchEvent(new Event("visibilitychange")));
  await other.getByText("The token is not valid any more.").waitFor();
  assert.equal(await other.locator("#desk").isVisible(), false);
  assert.doesNotMatch(await other.locator("body").innerText(), /HOSTILE|PAYMENT_TIMEOUT/);
  await other.context().close();
});

await step("where there is nothing, it says that", async () => {
  const other = await browser.page(service.url);
  const empty = {
    "errors/stats": { from: "2026-01-01T00:00:00.000Z", to: "2026-01-01T01:00:00.000Z", group_by: "code", bucket: "1m", total: 0, requests: 0,
      server_error_rate: null, previous: { from: "2026-01-01T00:00:00.000Z", total: 0, change: null }, buckets: [], groups: [], other: 0 },
    "errors/patterns": { total: 0, patterns: [], next_cursor: null },
    "logs/recent-errors": { errors: [], next_cursor: null },
    "circuit-breakers": { instance: "here", breakers: [] },
    "alerts/configure": { rules: [], channels: [], budgets: [], trusted_hosts: [] },
    "alerts": { alerts: [], silences: [], waiting: 0 },
    "budgets": { budgets: [] },
    "audit": { entries: [], next_cursor: null },
  };
  for (const [path, body] of Object.entries(empty)) {
    await other.route((url) => url.pathname.endsWith(`/monitoring/${path}`), (route) => route.fulfill({ json: body }));
  }
  await signIn(other);
  for (const text of ["No failures in the last hour, and none in the one before.", "No circuit breakers yet",
    "Nothing fires, and nothing is about to.", "No error budgets.", "Nobody has changed anything."]) {
    await other.getByText(text).first().waitFor();
  }
  await shot(other, "empty", true);
  assert.deepEqual(await violations(other), []);
  await other.context().close();
});

await step("who only looks has no buttons that change anything", async () => {
  const other = await browser.page(service.url);
  await signIn(other, VIEWER);
  await other.locator(".breaker").first().waitFor();
  for (const name of [/Reset/, /Force open/, /Disable/, /Automatic/, /Silence/, /Test/]) {
    assert.equal(await other.getByRole("button", { name }).count(), 0, String(name));
  }
  await other.locator("#pattern-list .opens").first().click();
  await other.getByRole("dialog").getByText("Clients read").waitFor();
  assert.equal(await other.getByRole("button", { name: /Resolve|Ignore/ }).count(), 0);
  await shot(other, "viewer");
  await other.context().close();
});

await step("it fits a phone, in the dark", async () => {
  const other = await browser.page(service.url, { width: 360, height: 740, dark: true });
  await signIn(other);
  await other.getByLabel("Range").selectOption("24h");
  await other.locator("#pattern-list tbody tr").first().waitFor();
  await loaded(other);
  await assertFits(other);
  await shot(other, "phone-dark", true);
  await other.locator("#error-list .opens").first().click();
  await other.getByRole("dialog").getByText("Origin").waitFor();
  await assertFits(other);
  await shot(other, "phone-drawer");
  await other.context().close();
});

await step("it prints", async () => {
  await page.emulateMedia({ media: "print" });
  assert.equal(await page.locator(".tools").isVisible(), false);
  assert.equal(await page.getByRole("button", { name: "Reset all…" }).isVisible(), false);
  assert.ok(await page.locator(".chart").isVisible());
  // On white, whatever the theme is.
  await page.evaluate(() => { document.documentElement.dataset.theme = "dark"; });
  assert.equal(await page.evaluate(() => getComputedStyle(document.body).backgroundColor), "rgb(255, 255, 255)");
  await shot(page, "print", true);
  await page.emulateMedia({ media: "screen" });
});

assert.deepEqual(browser.faults, []);
assert.ok(browser.requests.length > 50);
await browser.close();
await service.stop();
console.log(`${count()} steps before 200 000 errors, ${Math.round((performance.now() - begun) / 1000)} s`);
