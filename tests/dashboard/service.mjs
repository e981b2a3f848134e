// The page beside a back end that lives through an outage: `node service.mjs PROGRAM FOLDER`.

import assert from "node:assert/strict";
import { Browser, OPERATOR, VIEWER, assertFits, count, loaded, signIn, start, step, until, violations } from "./browser.mjs";

const [, , program, folder] = process.argv;
const service = await start(program, ["--port", "0", "--quiet-upstreams"], /^ +renderer .*switches$/);
const browser = await Browser.launch();
const begun = performance.now();
const shot = (page, name, fullPage = false) => page.screenshot({ path: `${folder}/${name}.png`, fullPage });

/** Turns a switch of a server behind the service. */
async function turn(name, switches) {
  const line = service.lines.find((line) => line.trim().startsWith(`${name} `) && line.includes("/switches"));
  const answer = await fetch(/http\S+\/switches/.exec(line)[0], {
    method: "PUT", headers: { "Content-Type": "application/json" }, body: JSON.stringify(switches),
  });
  assert.equal(answer.status, 200);
}

const page = await browser.page(`${service.url}#range=15m`);
const card = (name) => page.locator(`.breaker[data-key="${name}"]`);
const dialog = page.getByRole("dialog");
const toast = (text) => page.locator("#said").getByText(text).waitFor();

await step("the door is for everybody", async () => {
  await page.getByLabel("Token").waitFor();
  assert.deepEqual(await violations(page), []);
  assert.equal(await page.locator("#desk").isVisible(), false);
});

await step("the keyboard is enough to come in", async () => {
  // The field has the focus already.
  await page.keyboard.type(OPERATOR);
  await page.keyboard.press("Enter");
  await loaded(page);
  await page.getByText("Failures in each 1 min").waitFor();
});

await step("the token is in this page alone", async () => {
  const kept = await page.evaluate(async () => JSON.stringify([
    { ...localStorage }, { ...sessionStorage }, document.cookie, location.href, history.state,
    (await indexedDB.databases()), (await caches?.keys?.()), document.documentElement.outerHTML,
    [...document.querySelectorAll("input")].map((input) => input.value),
  ]));
  assert.ok(!kept.includes(OPERATOR));
  assert.deepEqual(await page.context().cookies(), []);
});

await step("an outage rises in the chart, and its circuit opens", async () => {
  await card("payments").getByText("calls go through").waitFor();
  await turn("payments", { outage: true });
  const last = () => page.locator(".chart").getAttribute("aria-valuetext");
  await until("the chart has it", async () => /PAYMENTS_UNAVAILABLE \d+/.test(await last()));
  const height = () => page.locator(".chart .bar").evaluateAll((bars) => bars.reduce((sum, bar) => sum + Number(bar.getAttribute("height")), 0));
  assert.ok(await height() > 0);
  await until("the circuit is open", async () => (await card("payments").locator(".badge").textContent()) === "open");
  await card("payments").getByText("Next probe").waitFor();
  await page.locator(".tile").filter({ hasText: "Open circuits" }).getByText("payments").waitFor();
  assert.match(await card("payments").locator(".strip").getAttribute("aria-label"), /open for/);
});

await step("an alert fires", async () => {
  const alert = page.locator("#alert-list .card").filter({ hasText: "checkouts-fail" }).first();
  await alert.getByText("firing", { exact: true }).waitFor({ timeout: 60_000 });
  await shot(page, "outage");
  await shot(page, "outage-whole", true);
  assert.deepEqual(await violations(page), []);
});

await step("a pattern is opened, ignored and opened again, by keyboard", async () => {
  const opener = page.locator("#pattern-list .opens").filter({ hasText: "PAYMENTS_UNAVAILABLE" });
  await opener.focus();
  await page.keyboard.press("Enter");
  await dialog.getByText("The last of it").waitFor();
  assert.match(page.url(), /open=pattern/);
  await shot(page, "pattern");
  assert.deepEqual(await violations(page), []);
  await dialog.getByRole("button", { name: "Ignore" }).press("Enter");
  await toast("now ignored");
  await dialog.getByRole("button", { name: "Open again" }).press("Enter");
  await toast("ignored, now open");
  // From the pattern to one of its errors, and back by the browser.
  await dialog.locator(".opens").first().press("Enter");
  await dialog.getByText("Caused by").waitFor();
  await shot(page, "error");
  assert.deepEqual(await violations(page), []);
  await page.goBack();
  await dialog.getByText("The last of it").waitFor();
  await page.keyboard.press("Escape");
  await until("the drawer is closed", async () => !(await dialog.isVisible()));
  assert.equal(await page.evaluate(() => document.activeElement.textContent), "PAYMENTS_UNAVAILABLE");
});

await step("an alert is silenced, and the silence ended", async () => {
  const alert = page.locator("#alert-list .card").filter({ hasText: "checkouts-fail" }).first();
  await alert.getByRole("button", { name: "Silence" }).click();
  await dialog.getByText("Silence checkouts-fail").waitFor();
  await dialog.locator("[name=length]").selectOption("1h");
  await dialog.getByLabel("Reason").fill("the provider knows <script>window.ran = 4</script>");
  await shot(page, "silence");
  assert.deepEqual(await violations(page), []);
  await dialog.getByRole("button", { name: "Silence" }).click();
  await toast("checkouts-fail: silent until");
  await alert.getByText("silenced", { exact: true }).waitFor();
  await page.getByText("by token 1: the provider knows <script>window.ran = 4</script>").waitFor();
  assert.equal(await page.evaluate(() => globalThis.ran), undefined);
  await page.getByRole("button", { name: "End… the silence of checkouts-fail" }).click();
  await dialog.getByRole("button", { name: "End" }).click();
  await toast("The silence is over.");
  await until("it is gone", async () => (await alert.getByText("silenced", { exact: true }).count()) === 0);
});

await step("a rule is tried out", async () => {
  await page.getByRole("button", { name: "Test storage-circuit-open" }).click();
  await dialog.getByText("A message that says it is a trial goes to").waitFor();
  await dialog.getByRole("button", { name: "Send" }).click();
  await toast("Sent to");
});

await step("a breaker is reset, by who says why", async () => {
  await turn("payments", { outage: false });
  await card("payments").getByRole("button", { name: "Reset" }).click();
  await dialog.getByText("Reset the circuit of payments?").waitFor();
  await dialog.getByText("all calls go through again").waitFor();
  await dialog.getByLabel("Reason").fill("the provider is back");
  await shot(page, "reset");
  assert.deepEqual(await violations(page), []);
  await dialog.getByRole("button", { name: "Reset" }).click();
  await toast(/payments: was .*, is closed\./);
  await card("payments").locator(".badge", { hasText: /^closed$/ }).waitFor();
  await page.locator("#change-list tr").filter({ hasText: "reset breaker payments" }).getByText("the provider is back").waitFor();
});

await step("what was not meant is not done", async () => {
  const asked = browser.requests.length;
  await card("mail").getByRole("button", { name: "Disable" }).click();
  await dialog.getByRole("button", { name: "Cancel" }).click();
  await until("it is closed", async () => !(await dialog.isVisible()));
  await card("mail").getByRole("button", { name: "Disable" }).click();
  await page.keyboard.press("Escape");
  await until("it is closed", async () => !(await dialog.isVisible()));
  assert.ok(browser.requests.slice(asked).every((url) => !url.endsWith("/disable")));
});

await step("a breaker is held open, disabled, and let alone again", async () => {
  const pull = async (button, verb, state) => {
    await card("storage").getByRole("button", { name: button }).click();
    await dialog.getByRole("button", { name: verb }).click();
    await card("storage").locator(".badge", { hasText: new RegExp(`^${state}$`) }).waitFor();
  };
  await pull("Force open", "Force open", "held open");
  await card("storage").getByText("ends in").waitFor();
  await pull("Disable", "Disable", "disabled");
  await pull("Automatic", "Automatic", "closed");
});

await step("everything is reached by keyboard, and is seen when it is", async () => {
  await page.evaluate(() => { document.activeElement.blur(); scrollTo(0, 0); });
  await page.getByRole("button", { name: "Live" }).click();
  const all = await page.evaluate(() => {
    const list = [...document.querySelectorAll("a[href], button, select, input, summary, [tabindex='0']")]
      .filter((node) => node.checkVisibility({ visibilityProperty: true }) && !node.disabled && !(node.type === "radio" && !node.checked));
    list.forEach((node, place) => { node.dataset.stop = place; });
    return list.length;
  });
  await page.evaluate(() => { document.activeElement.blur(); document.body.focus(); });
  const met = new Set();
  const unseen = [];
  for (let tab = 0; tab < all + 5; tab += 1) {
    await page.keyboard.press("Tab");
    const { stop, name, isSeen } = await page.evaluate(() => {
      const node = document.activeElement;
      const style = getComputedStyle(node);
      const after = getComputedStyle(node, "::after");
      const beside = node.nextElementSibling ? getComputedStyle(node.nextElementSibling) : null;
      const ring = [style, after, beside].some((one) => one && one.outlineStyle !== "none" && parseFloat(one.outlineWidth) >= 2);
      const box = node.getBoundingClientRect();
      return {
        stop: node.dataset?.stop, name: `${node.tagName} ${node.textContent.slice(0, 40)}`,
        isSeen: node === document.body || (ring && box.bottom > 0 && box.top < innerHeight),
      };
    });
    if (stop !== undefined) met.add(stop);
    if (!isSeen) unseen.push(name);
  }
  assert.deepEqual(unseen, []);
  assert.equal(met.size, all);
  await page.getByRole("button", { name: "Paused" }).press("Enter");
  // The first stop leads past the controls.
  await page.evaluate(() => { document.activeElement.blur(); scrollTo(0, 0); });
  await page.locator(".skip").focus();
  await shot(page, "skip");
  await page.keyboard.press("Enter");
  assert.equal(await page.evaluate(() => document.activeElement.id), "main");
});

await step("the chart is read by keyboard", async () => {
  const chart = page.locator(".chart");
  await chart.focus();
  const at = async () => Number(await chart.getAttribute("aria-valuenow"));
  const last = await at();
  await page.keyboard.press("ArrowLeft");
  assert.equal(await at(), last - 1);
  await page.keyboard.press("Home");
  assert.equal(await at(), 0);
  await page.keyboard.press("End");
  assert.match(await chart.getAttribute("aria-valuetext"), /so far: [\d,]+ failures; of [\d,]+ requests/);
  await shot(page, "chart");
  await page.getByText("The same as a table").click();
  assert.ok(await page.locator(".numbers tbody tr").count() >= 15);
  await page.getByText("The same as a table").click();
  await page.getByRole("radio", { name: "share of requests" }).check();
  await page.getByText("Failures as a share of requests, in each 1 min").waitFor();
  await shot(page, "share");
});

await step("a lever is pulled by keyboard, and the focus comes back", async () => {
  await page.getByRole("button", { name: "Reset: mail" }).focus();
  await page.keyboard.press("Enter");
  await dialog.waitFor();
  assert.equal(await page.evaluate(() => document.activeElement.name), "reason");
  // A window keeps the focus: whatever has it is within, or the browser's own.
  for (let tab = 0; tab < 8; tab += 1) {
    await page.keyboard.press("Tab");
    assert.ok(await page.evaluate(() => document.activeElement === document.body || document.activeElement.closest("dialog") !== null));
  }
  await dialog.getByLabel("Reason").focus();
  await page.keyboard.type("by keyboard");
  await page.keyboard.press("Enter");
  await toast("mail: was closed, is closed.");
  assert.equal(await page.evaluate(() => document.activeElement.getAttribute("aria-label")), "Reset: mail");
});

await step("it is dark where that is wanted, and stays so", async () => {
  await page.getByLabel("Theme").selectOption("dark");
  const ground = () => page.evaluate(() => getComputedStyle(document.body).backgroundColor);
  assert.equal(await ground(), "rgb(20, 23, 28)");
  assert.deepEqual(await violations(page), []);
  await page.evaluate(() => scrollTo(0, 0));
  await shot(page, "dark");
  await page.reload();
  assert.equal(await ground(), "rgb(20, 23, 28)");
  assert.deepEqual(await page.evaluate(() => ({ ...localStorage })), { "error-monitor-theme": "dark" });
  // A reload forgets the token, and nothing else of what was looked at.
  await signIn(page);
  assert.equal(await page.getByLabel("Range").inputValue(), "15m");
});

await step("it fits a phone of 360 pixels", async () => {
  await page.setViewportSize({ width: 360, height: 740 });
  await loaded(page);
  await assertFits(page);
  await shot(page, "phone");
  await shot(page, "phone-whole", true);
  assert.deepEqual(await violations(page), []);
  await card("payments").getByRole("button", { name: "Force open" }).click();
  await dialog.waitFor();
  await assertFits(page);
  await shot(page, "phone-dialog");
  await page.keyboard.press("Escape");
  await page.getByLabel("Theme").selectOption("light");
  await page.evaluate(() => scrollTo(0, 0));
  await shot(page, "phone-light");
  assert.deepEqual(await violations(page), []);
  await page.setViewportSize({ width: 1280, height: 900 });
});

await step("a viewer may look, and the service holds to it", async () => {
  const viewer = await browser.page(service.url);
  await signIn(viewer, VIEWER);
  await viewer.locator(".breaker").first().waitFor();
  assert.equal(await viewer.getByRole("button", { name: /Reset|Force|Disable|Silence|Test/ }).count(), 0);
  const refused = await viewer.evaluate(async (token) => (await fetch("api/monitoring/circuit-breakers/reset-all", {
    method: "POST", headers: { Authorization: `Bearer ${token}` },
  })).status, VIEWER);
  assert.equal(refused, 403);
  assert.deepEqual(await violations(viewer), []);
  await viewer.context().close();
});

await step("signing out leaves nothing", async () => {
  await page.getByRole("button", { name: "Sign out" }).click();
  await page.getByLabel("Token").waitFor();
  const left = await page.locator("body").innerHTML();
  for (const text of ["PAYMENTS_UNAVAILABLE", "checkouts-fail", "the provider is back"]) {
    assert.ok(!left.split("<script>")[0].includes(text), text);
  }
});

assert.deepEqual(browser.faults, []);
const hosts = new Set(browser.requests.map((url) => new URL(url).host).filter((host) => host !== ""));
assert.deepEqual([...hosts], [new URL(service.url).host]);
await browser.close();
const code = await service.stop();
assert.equal(code, 0, "the clients and the monitor did not see the same");
console.log(`${count()} steps beside the service, ${browser.requests.length} requests to one host, ${Math.round((performance.now() - begun) / 1000)} s`);
