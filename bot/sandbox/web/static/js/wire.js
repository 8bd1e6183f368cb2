/** The wire inspector: each request and answer between Slack, the bot and LeadSquared. */

import { h, reconcile } from "./dom.js";
import { formatSeconds } from "./notices.js";
import { fetchWire } from "./server.js";

const NAMES = { slack: "Slack", bot: "Bot", leadsquared: "LeadSquared" };

export function startWire(store) {
  const rows = document.getElementById("wires");
  const filter = document.getElementById("wire-filter");
  let open = null;
  const draw = () => drawRows(store, rows, filter.value, open);
  rows.addEventListener("click", (event) => {
    const button = event.target.closest("button[data-line]");
    if (!button) return;
    open = button.dataset.line;
    draw();
    showDetail(open);
  });
  filter.addEventListener("change", draw);
  store.watch(["wires", "ui"], () => {
    if (store.ui.drawer === "wire") draw();
  });
}

function drawRows(store, list, filter, open) {
  const entries = Object.entries(store.wires)
    .filter(([, wire]) => filter === "all" || `${wire.from}-${wire.to}` === filter)
    .sort(([, one], [, other]) => other.at - one.at);
  reconcile(list, entries.map(([line, wire]) => ({
    key: line, mark: JSON.stringify([wire, line === open]),
    build: () => h("li", {}, h("button", { type: "button", class: `wire wire-${wire.to}`,
      "data-line": line, "aria-current": line === open ? "true" : null },
      h("span", { class: "wire-time" }, formatTime(wire.at)),
      h("span", { class: "wire-way" }, `${NAMES[wire.from]} → ${NAMES[wire.to]}`),
      h("span", { class: "wire-what" }, wire.what),
      h("span", { class: `wire-status ${findTone(wire)}` }, wire.error ?? wire.status ?? "…"),
      h("span", { class: "wire-took" }, wire.seconds === null ? "" : formatSeconds(wire.seconds)))),
  })));
  document.getElementById("wire-none").hidden = entries.length > 0;
}

const formatTime = (at) => {
  const date = new Date(at * 1000);
  return `${date.toTimeString().slice(0, 8)}.${String(date.getMilliseconds()).padStart(3, "0")}`;
};

const findTone = ({ status, error }) =>
  error || status >= 400 ? "bad" : status === null ? "waiting" : "good";

async function showDetail(line) {
  const holder = document.getElementById("wire-detail");
  let wire;
  try {
    wire = await fetchWire(line);
  } catch (error) {
    holder.replaceChildren(h("p", {}, error.message));
    return;
  }
  const silence = wire.silence ? `No answer: ${wire.silence}` : "No answer (yet).";
  holder.replaceChildren(
    ...buildHalf("Request", wire.request),
    ...(wire.answer ? buildHalf("Answer", wire.answer) : [h("h3", {}, "Answer"), h("p", {}, silence)]));
  holder.scrollTop = 0;
}

function buildHalf(title, { line, headers, body }) {
  const lines = Object.entries(headers).map(([name, value]) => `${name}: ${value}`);
  return [
    h("h3", {}, `${title} `, h("code", {}, line)),
    h("pre", { class: "json", tabindex: "0", "aria-label": `${title}: headers and body` },
      [...lines, "", body].join("\n").trim() || "(empty)"),
  ];
}
