// Windows over the page: `dialog` keeps the focus within, ends with Escape, and gives the focus back.

const inside = (dialog) => dialog.querySelector(".inside");
const openWindow = () => [byId("ask"), byId("drawer")].find((dialog) => dialog.open) ?? null;

let lastSaid = 0;

/** Tells what was done, or why not: within the window that is open, since nothing beside it is seen or read out. */
function tell(text, isProblem) {
  // What was at work when somebody signed out is nobody's any more.
  if (!me) return;
  lastSaid += 1;
  const mine = lastSaid;
  const region = byId("said");
  (openWindow() ?? document.body).append(region);
  region.replaceChildren(el("p", { class: isProblem ? "toast problem" : "toast" }, text));
  setTimeout(() => {
    if (mine === lastSaid) region.replaceChildren();
  }, isProblem ? 15 * SECOND : 6 * SECOND);
}

/** Which question is asked: one that was closed does not close the next. */
let question = null;

/**
 * Asks before something is done. `act` gets what was filled in; where it fails the window stays and says why. Who closes
 * it while it is at work is told what came of it.
 */
function confirmThen({ title, text, fields, verb, danger, act }) {
  const dialog = byId("ask");
  const mine = {};
  question = mine;
  let isBusy = false;
  const problem = el("p", { class: "problem", role: "alert" });
  const inputs = (fields ?? []).map(({ name, label, options, note }) => {
    const input = options
      ? el("select", { name }, options.map(([value, option]) => el("option", { value }, option)))
      : el("input", { name, type: "text", maxlength: 500, autocomplete: "off" });
    return el("label", null, label, input, note ? el("small", { class: "quiet" }, note) : null);
  });
  const cancel = el("button", { type: "button" }, "Cancel");
  const go = el("button", { type: "submit", class: danger ? "danger" : "primary" }, verb);
  const form = el("form", { method: "dialog" },
    el("h2", { id: "ask-title" }, title), text.map((line) => el("p", null, line)),
    inputs, problem, el("div", { class: "buttons end" }, cancel, go));
  cancel.addEventListener("click", () => dialog.close());
  form.addEventListener("submit", async (event) => {
    event.preventDefault();
    if (isBusy) return;
    isBusy = true;
    const given = Object.fromEntries(new FormData(form));
    // Disabled it would lose the focus.
    go.setAttribute("aria-disabled", "true");
    problem.textContent = "";
    try {
      const done = await act(given);
      if (question === mine) dialog.close();
      tell(done);
      refresh();
    } catch (error) {
      if (signedOutBy(error)) return;
      if (question === mine && dialog.open) problem.textContent = said(error);
      else tell(`${title} ${said(error)}`, true);
    } finally {
      isBusy = false;
      go.removeAttribute("aria-disabled");
    }
  });
  inside(dialog).replaceChildren(form);
  dialog.showModal();
  // What changes nothing has the focus, unless there is something to fill in.
  (inputs[0]?.querySelector("input, select") ?? cancel).focus();
}

const REASON = { name: "reason", label: "Reason, for the audit", note: "May be left out." };
const given = (text) => (text?.trim() ? text.trim() : undefined);

const isShown = (key) => byId("drawer").open && byId("drawer").dataset.shows === key;

/** Shows something at the side; the same thing again where it has changed, without moving whoever reads it. */
function openDrawer(key, content) {
  const dialog = byId("drawer");
  const isOther = !isShown(key);
  dialog.dataset.shows = key;
  show(inside(dialog), content);
  if (!dialog.open) dialog.showModal();
  if (isOther) dialog.scrollTop = 0;
  // What had the focus may be gone with what was shown before.
  if (isOther || !dialog.contains(document.activeElement)) byId("drawer-title")?.focus({ preventScroll: true });
}

async function copy(text, what) {
  try {
    await navigator.clipboard.writeText(text);
  } catch {
    // Without encryption browsers have no clipboard but by way of a selection.
    const field = el("textarea", { class: "unseen", readonly: true });
    field.value = text;
    const active = document.activeElement;
    (openWindow() ?? document.body).append(field);
    field.select();
    const done = document.execCommand("copy");
    field.remove();
    active?.focus();
    if (!done) {
      tell(`${what} could not be copied: the browser does not let this page.`, true);
      return;
    }
  }
  tell(`${what} copied.`);
}
