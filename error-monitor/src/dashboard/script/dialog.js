// Windows over the page: `dialog` keeps the focus within, ends with Escape, and gives the focus back.

let lastSaid = 0;

/** Tells what was done, or why not. */
function tell(text, isProblem) {
  lastSaid += 1;
  const mine = lastSaid;
  byId("said").replaceChildren(el("p", { class: isProblem ? "toast problem" : "toast" }, text));
  setTimeout(() => {
    if (mine === lastSaid) byId("said").replaceChildren();
  }, isProblem ? 15 * SECOND : 6 * SECOND);
}

/**
 * Asks before something is done. `act` gets what was filled in; while it is at work nothing else can be pressed,
 * and where it fails the window stays and says why.
 */
function confirmThen({ title, text, fields, verb, danger, act }) {
  const dialog = byId("ask");
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
    const given = Object.fromEntries(new FormData(form));
    go.disabled = true;
    problem.textContent = "";
    try {
      const done = await act(given);
      dialog.close();
      tell(done);
      refresh();
    } catch (error) {
      if (!signedOutBy(error)) problem.textContent = said(error);
    } finally {
      go.disabled = false;
    }
  });
  dialog.replaceChildren(form);
  dialog.showModal();
  // What changes nothing has the focus, unless there is something to fill in.
  (inputs[0]?.querySelector("input, select") ?? cancel).focus();
}

const REASON = { name: "reason", label: "Reason, for the audit", note: "May be left out." };
const given = (text) => (text?.trim() ? text.trim() : undefined);

/** Shows something at the side. What is in it can be shown anew while it is open. */
function openDrawer(content) {
  const dialog = byId("drawer");
  show(dialog, content);
  if (!dialog.open) {
    dialog.showModal();
    dialog.scrollTop = 0;
  }
}

async function copy(text, what) {
  try {
    await navigator.clipboard.writeText(text);
  } catch {
    // Without encryption browsers have no clipboard but by way of a selection.
    const field = el("textarea", { class: "unseen", readonly: true });
    field.value = text;
    const open = [byId("ask"), byId("drawer")].find((dialog) => dialog.open) ?? document.body;
    const active = document.activeElement;
    open.append(field);
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
