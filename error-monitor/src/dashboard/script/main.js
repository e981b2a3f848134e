// From the door to the desk, and from one look to the next.

const THEME = "error-monitor-theme";
const LONGEST_PAUSE = 5 * MINUTE;

/** Who has signed in; nobody yet. */
let me = null;
let isLive = true;
let timer = null;
let turn = null;
/** How often in a row there was no answer. */
let missed = 0;
let lastLook = 0;

const SECTIONS = [
  ["health", loadHealth], ["trend", loadTrend], ["pattern-list", loadPatterns], ["error-list", loadErrors],
  ["breaker-list", loadBreakers], ["alert-list", loadAlerts], ["budget-list", loadBudgets], ["change-list", loadChanges],
];

/** Whether it was that nobody is signed in any more; then the door says so. */
function signedOutBy(error) {
  if (!(error instanceof Refusal) || error.status !== 401) return false;
  leave(token === null ? "" : "The token is not valid any more.");
  return true;
}

// ---- looking

/** Looks at everything anew. Who looks again meanwhile, ends this look. */
async function refresh() {
  if (!me) return;
  clearTimeout(timer);
  turn?.abort();
  const mine = new AbortController();
  turn = mine;
  byId("main").setAttribute("aria-busy", "true");
  const results = await Promise.allSettled(SECTIONS.map(([, load]) => load(mine.signal)));
  if (turn !== mine || !me) return;
  byId("main").setAttribute("aria-busy", "false");
  const isSilent = ({ status, reason }) => status === "rejected" && reason instanceof Silence;
  const silent = results.filter(isSilent).length;
  let wait = 0;
  for (const [place, { status, reason }] of results.entries()) {
    const body = byId(SECTIONS[place][0]);
    body.querySelector(":scope > .failed")?.remove();
    if (status === "fulfilled") continue;
    if (signedOutBy(reason)) return;
    if (reason instanceof Refusal) wait = Math.max(wait, reason.wait ?? 0);
    else if (!isSilent({ status, reason })) console.error(reason);
    // What was there before stays, with a word that it is old.
    const isEmpty = !body.querySelector("svg, li, table, dl");
    // Where nothing at all is answered, one word above is enough.
    if (silent === results.length && !isEmpty) continue;
    if (isEmpty) body.replaceChildren();
    body.prepend(el("p", { class: "failed problem", "data-key": "failed" },
      `${isEmpty ? "This could not be loaded" : "This is from before"}: ${said(reason)} `,
      el("button", { type: "button", "data-act": "again" }, "Try again")));
  }
  const isDown = results.every(({ status }) => status === "rejected");
  missed = isDown ? missed + 1 : 0;
  if (silent < results.length) lastLook = now();
  const trouble = byId("trouble");
  trouble.hidden = silent < results.length;
  // A service in trouble is asked less often; and never is it waited for longer than anybody would.
  const pause = Math.min(Math.max(RANGES[view.range].every * 2 ** Math.min(missed, 4), wait * SECOND), LONGEST_PAUSE);
  const text = `The service does not answer. What is shown is ${lastLook ? `of ${clock.format(lastLook)}` : "nothing yet"}; it is asked again every ${span(pause)}.`;
  if (!trouble.hidden && trouble.textContent !== text) trouble.textContent = text;
  schedule(pause);
}

/** The next look: not while nobody looks at this page. */
function schedule(pause) {
  clearTimeout(timer);
  if (me && isLive && !document.hidden) timer = setTimeout(refresh, pause);
}

function showLive() {
  const button = byId("live");
  button.setAttribute("aria-pressed", String(isLive));
  button.textContent = isLive ? "Live" : "Paused";
}

/** Brings the controls in line with what is looked at. */
function showView() {
  byId("range").value = view.range;
  byId("pattern-state").value = view.state;
  byId("pattern-sort").value = view.sort;
  for (const radio of document.querySelectorAll("[name=measure]")) radio.checked = radio.value === view.measure;
  for (const input of byId("filters").elements) {
    // What is being typed stays.
    if (!input.name || input.dataset.shown === view[input.name]) continue;
    input.value = view[input.name];
    input.dataset.shown = view[input.name];
  }
  for (const link of document.querySelectorAll("nav [data-section]")) {
    link.setAttribute("href", address({ section: link.dataset.section, open: "" }));
    if (link.dataset.section === view.section) link.setAttribute("aria-current", "location");
    else link.removeAttribute("aria-current");
  }
  showTrend();
  if (!me) return;
  const [kind, ...rest] = view.open.split(":");
  const id = rest.join(":");
  if (kind === "error" && /^[0-9a-f]{1,16}$/.test(id)) openError(id);
  else if (kind === "pattern" && id) openPattern(id);
  else if (byId("drawer").open) byId("drawer").close();
}

/** Where something is that was asked for by its name. */
function goTo(section, changes) {
  look({ ...changes, section, open: "" });
  goDown(section);
}

function goDown(section) {
  const title = byId(`${section}-title`);
  title?.scrollIntoView({ behavior: matchMedia("(prefers-reduced-motion: reduce)").matches ? "auto" : "smooth", block: "start" });
  title?.focus({ preventScroll: true });
}

/** Other errors, from their first page. */
function filterBy(changes) {
  patterns.pages = 1;
  errors.paged = false;
  goTo("errors", changes);
  refresh();
}

const noFilters = () => Object.fromEntries(FILTERS.map((name) => [name, ""]));

/** What buttons do, by their `data-act`. */
const ACTS = {
  "again": () => refresh(),
  "skip": () => byId("main").focus(),
  "live": () => {
    isLive = !isLive;
    showLive();
    if (isLive) refresh();
    else clearTimeout(timer);
  },
  "sign-out": () => {
    // What was looked at is nobody else's business either.
    history.replaceState(null, "", location.pathname + location.search);
    readView();
    leave("");
    showView();
  },
  "lever": pullLever,
  "silence": silenceAlerts,
  "end-silence": endSilence,
  "test-rule": testRule,
  "change-pattern": changePattern,
  "open-pattern": ({ fingerprint }) => look({ open: `pattern:${fingerprint}` }),
  "open-error": ({ id }) => {
    // It may be a row of the drawer, whose list is not the page's.
    const row = errors.list.find((known) => known.id === id);
    if (row) shownErrors.set(id, row);
    look({ open: `error:${id}` });
  },
  "close-drawer": () => byId("drawer").close(),
  "more-patterns": () => {
    patterns.pages += 1;
    refresh();
  },
  "older-errors": olderErrors,
  "newest-errors": () => {
    errors.paged = false;
    refresh();
  },
  "drop-filter": ({ name }) => filterBy({ [name]: "" }),
  "clear-filters": () => filterBy(noFilters()),
  "filter-by": ({ name, value }) => filterBy({ ...noFilters(), [name]: value }),
  "filter-code": ({ code }) => filterBy({ ...noFilters(), code }),
  "filter-fingerprint": ({ fingerprint }) => filterBy({ ...noFilters(), fingerprint }),
  "filter-request": ({ request }) => filterBy({ ...noFilters(), request_id: request }),
  "copy-error": ({ id }) => copy(JSON.stringify(shownErrors.get(id), null, 2), "Error"),
  "copy-text": ({ text, what }) => copy(text, what),
};

function watch() {
  document.addEventListener("click", (event) => {
    const act = event.target.closest("[data-act]");
    if (act) {
      event.preventDefault();
      ACTS[act.dataset.act](act.dataset);
      return;
    }
    const link = event.target.closest("a[data-section]");
    // With a modifier it is a link like any other.
    if (link && !event.ctrlKey && !event.metaKey && !event.shiftKey) {
      event.preventDefault();
      goTo(link.dataset.section);
    }
    // Beside the drawer is out of it, unless what began within ends there, such as a selection.
    if (event.target === byId("drawer") && pressed === byId("drawer")) byId("drawer").close();
  });
  let pressed = null;
  document.addEventListener("pointerdown", (event) => {
    pressed = event.target;
  });
  byId("drawer").addEventListener("close", () => {
    if (view.open) look({ open: "" });
  });
  for (const dialog of [byId("ask"), byId("drawer")]) {
    // What is told goes on where it is seen.
    dialog.addEventListener("close", () => (openWindow() ?? document.body).append(byId("said")));
  }
  byId("ask").addEventListener("close", () => {
    question = null;
  });
  byId("range").addEventListener("change", ({ target }) => {
    errors.paged = false;
    patterns.pages = 1;
    look({ range: target.value });
    refresh();
  });
  byId("pattern-state").addEventListener("change", ({ target }) => {
    look({ state: target.value });
    refresh();
  });
  byId("pattern-sort").addEventListener("change", ({ target }) => {
    look({ sort: target.value });
    refresh();
  });
  byId("measure").addEventListener("change", ({ target }) => look({ measure: target.value }));
  byId("filters").addEventListener("submit", (event) => {
    event.preventDefault();
    const wanted = Object.fromEntries([...new FormData(event.target)].map(([name, value]) => [name, value.trim()]));
    filterBy({ ...wanted, fingerprint: view.fingerprint });
  });
  byId("sign-in").addEventListener("submit", (event) => {
    event.preventDefault();
    enter(byId("token").value.trim());
  });
  addEventListener("popstate", () => {
    const before = filterKey();
    readView();
    showView();
    if (before !== filterKey()) errors.paged = false;
    refresh();
  });
  document.addEventListener("visibilitychange", () => {
    if (document.hidden) clearTimeout(timer);
    else if (isLive) refresh();
  });
  byId("theme").addEventListener("change", ({ target }) => setTheme(target.value));
  setInterval(() => {
    if (!document.hidden && me) tick();
  }, SECOND);
  watchChart();
}

// ---- light and dark

function setTheme(theme) {
  if (theme === "auto") document.documentElement.removeAttribute("data-theme");
  else document.documentElement.dataset.theme = theme;
  byId("theme").value = theme;
  try {
    if (theme === "auto") localStorage.removeItem(THEME);
    else localStorage.setItem(THEME, theme);
  } catch {
    // A browser that keeps nothing has it for this page alone.
  }
}

function storedTheme() {
  try {
    const theme = localStorage.getItem(THEME);
    return ["light", "dark"].includes(theme) ? theme : "auto";
  } catch {
    return "auto";
  }
}

// ---- the door

let attempts = 0;

/** Tries to come in, with what was typed or with what the browser shows by itself. */
async function enter(typed) {
  attempts += 1;
  const mine = attempts;
  token = typed || null;
  const problem = byId("sign-in-problem");
  problem.textContent = "";
  try {
    const found = await get("me");
    // Somebody has tried anew meanwhile.
    if (mine !== attempts) return;
    me = found;
  } catch (error) {
    if (mine !== attempts) return;
    token = null;
    byId("wait").hidden = true;
    byId("desk").hidden = true;
    byId("door").hidden = false;
    const isNobody = error instanceof Refusal && error.status === 401;
    if (typed) problem.textContent = isNobody ? "This token is not known." : said(error);
    else if (!isNobody) problem.textContent = said(error);
    byId("token").focus();
    return;
  }
  byId("token").value = "";
  document.documentElement.dataset.role = me.role;
  // Who came in without a token is signed in elsewhere, and signs out there.
  byId("sign-out").hidden = token === null;
  byId("wait").hidden = true;
  byId("door").hidden = true;
  byId("desk").hidden = false;
  showView();
  refresh();
  if (view.section !== DEFAULTS.section && view.open === "") goDown(view.section);
  get("monitor").then((monitor) => {
    const size = monitor.size?.events === undefined ? "" : ` · ${count(monitor.size.events)} errors kept`;
    byId("about").textContent =
      `Signed in as ${me.name}, ${me.role} · ${monitor.store}${size} · error-monitor ${monitor.version}, started ${dateAndTime.format(Date.parse(monitor.started))}`;
  }).catch(() => {});
}

/** Forgets the token, and everything that it has shown. */
function leave(why) {
  token = null;
  me = null;
  clearTimeout(timer);
  turn?.abort();
  delete document.documentElement.dataset.role;
  for (const dialog of [byId("ask"), byId("drawer")]) {
    if (dialog.open) dialog.close();
    inside(dialog).replaceChildren();
  }
  byId("said").replaceChildren();
  for (const input of byId("filters").elements) {
    if (input.name) input.value = "";
    delete input.dataset.shown;
  }
  for (const name of Object.keys(known)) known[name] = null;
  Object.assign(errors, { list: [], next: null, filter: "", paged: false, newer: false });
  Object.assign(patterns, { list: [], total: 0, sparks: new Map(), next: null, pages: 1 });
  Object.assign(rules, { list: [], channels: [], read: 0 });
  histories.clear();
  shownErrors.clear();
  for (const body of document.querySelectorAll("[data-body]")) body.replaceChildren(el("p", { class: "quiet" }, "Loading…"));
  byId("about").textContent = "";
  byId("instance").textContent = "";
  byId("desk").hidden = true;
  byId("door").hidden = false;
  byId("sign-in-problem").textContent = why;
  byId("token").focus();
}

setTheme(storedTheme());
readView();
watch();
showLive();
enter("");
