/** Building what is seen. Text only ever becomes text nodes: nothing here reads markup. */

let count = 0;

/** An id that nothing else on the page has. */
export const nextId = (prefix) => `${prefix}-${(count += 1)}`;

/**
 * Build an element. A property that begins with "on" is a listener; true sets a bare attribute;
 * null, undefined and false leave it out. Children may be nodes, texts, arrays and null.
 */
export function h(tag, props = {}, ...children) {
  const node = document.createElement(tag);
  for (const [name, value] of Object.entries(props ?? {})) {
    if (value === null || value === undefined || value === false) continue;
    if (name.startsWith("on")) node.addEventListener(name.slice(2), value);
    else if (name === "value") node.value = value;
    else node.setAttribute(name, value === true ? "" : String(value));
  }
  node.append(...children.flat(Infinity).filter((child) => child !== null && child !== undefined));
  return node;
}

const SVG = "http://www.w3.org/2000/svg";

/** A small picture from the sprite; decorative, so the control around it carries the name. */
export function icon(name) {
  const svg = document.createElementNS(SVG, "svg");
  svg.setAttribute("class", "icon");
  svg.setAttribute("aria-hidden", "true");
  const use = document.createElementNS(SVG, "use");
  use.setAttribute("href", `/static/icons.svg#${name}`);
  svg.append(use);
  return svg;
}

/**
 * Make the children of `parent` those of `items`, in order, keeping the node of every item whose
 * `mark` has not changed.
 * @param {HTMLElement} parent
 * @param {{key: string, mark: string, build: () => HTMLElement}[]} items
 */
export function reconcile(parent, items) {
  const old = new Map([...parent.children].map((node) => [node.dataset.key, node]));
  const nodes = items.map(({ key, mark, build }) => {
    const kept = old.get(key);
    if (kept && kept.dataset.mark === mark) return kept;
    const node = build();
    node.dataset.key = key;
    node.dataset.mark = mark;
    return node;
  });
  const wanted = new Set(nodes);
  for (const node of old.values()) if (!wanted.has(node)) node.remove();
  nodes.forEach((node, place) => {
    if (parent.children[place] !== node) parent.insertBefore(node, parent.children[place] ?? null);
  });
}

/** Initials in a colour of one's own. */
export function avatar(name, seed) {
  const initials = name.split(/\s+/).map((word) => word[0] ?? "").join("").slice(0, 2);
  const tone = [...seed].reduce((sum, letter) => sum + letter.charCodeAt(0), 0) % 6;
  return h("span", { class: `avatar tone-${tone}`, "aria-hidden": "true" }, initials);
}
