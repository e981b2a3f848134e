// What is shown is made anew from what is known, and the page is changed where the two differ. So focus, an
// opened detail and a selection stay where they are while numbers move. What stands beside others that come and go has a
// `data-key`, by which it is found again.

const SVG = "http://www.w3.org/2000/svg";

/** An element. Texts become text nodes: nothing that came from outside is ever read as markup. */
function el(tag, attributes, ...children) {
  return furnish(document.createElement(tag), attributes, children);
}

/** The same for drawings. */
function draw(tag, attributes, ...children) {
  return furnish(document.createElementNS(SVG, tag), attributes, children);
}

function furnish(node, attributes, children) {
  for (const [name, value] of Object.entries(attributes ?? {})) {
    if (value === null || value === undefined || value === false) continue;
    node.setAttribute(name, value === true ? "" : value);
  }
  for (const child of children.flat(Infinity)) {
    if (child === null || child === undefined || child === false) continue;
    node.append(child instanceof Node ? child : String(child));
  }
  return node;
}

const byId = (id) => document.getElementById(id);

/** Shows this in the place of what an element held. */
function show(parent, ...children) {
  const active = document.activeElement;
  const wanted = document.createDocumentFragment();
  furnish(wanted, null, children);
  matchChildren(parent, wanted);
  // A row that has moved has lost the focus on its way.
  if (active && active !== document.activeElement && parent.contains(active)) {
    active.focus({ preventScroll: true });
  }
}

/** Stands for an element that is there already and does not change; `make` makes it where it is not there after all. */
function same(tag, key, make) {
  const stub = el(tag, { "data-key": key, "data-same": true });
  makers.set(stub, make);
  return stub;
}

const makers = new WeakMap();

/** What is put in anew, with nothing in it that only stands for something. */
function made(node) {
  if (makers.has(node)) return makers.get(node)();
  for (const stub of node.querySelectorAll?.("[data-same]") ?? []) stub.replaceWith(makers.get(stub)());
  return node;
}

const keyOf = (node) => (node.nodeType === Node.ELEMENT_NODE ? node.getAttribute("data-key") : null);

function matchChildren(parent, wanted) {
  const keys = new Set();
  for (const child of wanted.childNodes) if (keyOf(child)) keys.add(keyOf(child));
  const known = new Map();
  for (const child of [...parent.childNodes]) {
    const key = keyOf(child);
    if (!key) continue;
    if (keys.has(key) && !known.has(key)) known.set(key, child);
    else child.remove();
  }
  let place = parent.firstChild;
  for (const child of [...wanted.childNodes]) {
    const key = keyOf(child);
    let match = null;
    if (key) match = known.get(key) ?? null;
    else if (place && !keyOf(place) && place.nodeName === child.nodeName) match = place;
    if (!match) {
      parent.insertBefore(made(child), place);
      continue;
    }
    if (match === place) place = place.nextSibling;
    else parent.insertBefore(match, place);
    matchNode(match, child);
  }
  while (place) {
    const next = place.nextSibling;
    place.remove();
    place = next;
  }
}

function matchNode(node, wanted) {
  if (node.nodeName !== wanted.nodeName) {
    node.replaceWith(made(wanted));
    return;
  }
  if (wanted.nodeType === Node.ELEMENT_NODE && wanted.hasAttribute("data-same")) return;
  if (node.nodeType === Node.TEXT_NODE) {
    if (node.data !== wanted.data) node.data = wanted.data;
    return;
  }
  for (const { name } of [...node.attributes]) {
    // What the reader has opened stays open, and has the focus.
    const kept = name === "open" && node.nodeName === "DETAILS";
    if (!kept && !wanted.hasAttribute(name)) node.removeAttribute(name);
  }
  for (const { name, value } of wanted.attributes) {
    if (node.getAttribute(name) !== value) node.setAttribute(name, value);
  }
  matchChildren(node, wanted);
}
