// A browser that looks at one service, and what all looks have in common.

import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { createInterface } from "node:readline";
import { chromium } from "playwright-core";

const require = createRequire(import.meta.url);
const AXE = readFileSync(require.resolve("axe-core/axe.min.js"), "utf8");

export const OPERATOR = "operator-0123456789abcdef";
export const VIEWER = "viewer-0123456789abcdef";

const QUIET = [
  "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run",
  "--disable-background-networking", "--disable-component-update", "--disable-sync",
];

/** Starts a program, and waits until it has said all about itself. */
export async function start(command, args, last = /^the dashboard:/) {
  const child = spawn(command, args, {
    env: { ...process.env, SERVICE_ADMIN_TOKEN: OPERATOR, SERVICE_VIEWER_TOKEN: VIEWER },
    stdio: ["ignore", "pipe", "inherit"],
  });
  process.on("exit", () => child.kill("SIGKILL"));
  const lines = [];
  const stop = () => new Promise((done) => {
    if (child.exitCode !== null) return done(child.exitCode);
    child.on("exit", done);
    child.kill("SIGINT");
  });
  await new Promise((done, failed) => {
    createInterface({ input: child.stdout }).on("line", (line) => {
      lines.push(line);
      if (last.test(line)) done();
    });
    child.on("exit", (code) => failed(new Error(`it ended with ${code}:\n${lines.join("\n")}`)));
  });
  const url = /http\S+/.exec(lines.find((line) => line.startsWith("the dashboard:")))[0];
  return { url, lines, stop };
}

/** One browser; every page of it is watched: no other host, no refused markup, no error of the script. */
export class Browser {
  static async launch() {
    const browser = new Browser();
    browser.chromium = await chromium.launch({ executablePath: process.env.CHROMIUM ?? "/usr/bin/chromium", args: QUIET });
    browser.faults = [];
    browser.requests = [];
    return browser;
  }

  async page(url, { width = 1280, height = 900, dark = false, bypassCSP = false, fresh = true } = {}) {
    const context = await this.chromium.newContext({
      viewport: { width, height }, colorScheme: dark ? "dark" : "light", bypassCSP,
      permissions: ["clipboard-read", "clipboard-write"],
    });
    context.setDefaultTimeout(30_000);
    const page = await context.newPage();
    page.on("request", (request) => {
      this.requests.push(request.url());
      const { protocol, host } = new URL(request.url());
      if (protocol !== "data:" && host !== new URL(url).host) this.faults.push(`asked ${request.url()}`);
    });
    page.on("pageerror", (error) => this.faults.push(`the script: ${error.stack}`));
    page.on("console", (message) => {
      // A refused sign-in and an outage that a test makes are told of here too.
      if (["error", "warning"].includes(message.type()) && !message.text().startsWith("Failed to load resource")) {
        this.faults.push(`the console: ${message.text()}`);
      }
    });
    if (fresh) await page.goto(url);
    return page;
  }

  close() {
    return this.chromium.close();
  }
}

export async function signIn(page, token = OPERATOR) {
  await page.getByLabel("Token").fill(token);
  await page.getByRole("button", { name: "Sign in" }).click();
  await loaded(page);
}

/** Until everything was looked at once. */
export async function loaded(page) {
  await page.locator("#main[aria-busy=false]").waitFor();
}

/** What axe-core finds wrong. */
export async function violations(page) {
  await page.evaluate(AXE);
  const { violations: found } = await page.evaluate(() => globalThis.axe.run(document, {
    runOnly: ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"],
  }));
  return found.map(({ id, help, nodes }) =>
    `${id}: ${help}\n${nodes.map(({ html, failureSummary }) => `    ${html.slice(0, 160)}\n      ${failureSummary.replaceAll("\n", " ")}`).slice(0, 5).join("\n")}`);
}

/** Nothing is wider than the window. */
export async function assertFits(page) {
  const wide = await page.evaluate(() => {
    const width = document.documentElement.clientWidth;
    const inScroller = (node) => node.closest(".scroll, nav, pre, .unseen, thead") !== null;
    return [...document.querySelectorAll("body *")]
      .filter((node) => node.getBoundingClientRect().right > width + 1 && !inScroller(node))
      .map((node) => `${node.tagName} ${node.className} ${node.textContent.slice(0, 60)}`);
  });
  assert.deepEqual(wide.slice(0, 5), []);
  assert.ok(await page.evaluate(() => [document.documentElement, ...document.querySelectorAll("dialog[open]")]
    .every((node) => node.scrollWidth <= node.clientWidth)));
}

const steps = [];
let only = process.env.ONLY;

/** A named piece of the test. */
export async function step(name, run) {
  if (only && !name.includes(only)) return;
  process.stdout.write(`${name} … `);
  await run();
  steps.push(name);
  process.stdout.write("ok\n");
}

/** Asks until it is so. */
export async function until(what, ask, seconds = 60) {
  for (let waited = 0; waited < seconds * 10; waited += 1) {
    if (await ask()) return;
    await new Promise((done) => setTimeout(done, 100));
  }
  throw new Error(`not so after ${seconds} s: ${what}`);
}

export const count = () => steps.length;
