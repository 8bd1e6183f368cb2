/** The account's meter: the calls of the window that ends now, against the limit. */

import { h } from "./dom.js";

const AGAIN = 200;
const MOST_CELLS = 60;

export function startMeter(store) {
  const bar = document.getElementById("meter");
  const text = document.getElementById("meter-text");
  const draw = () => {
    const { meter } = store.status;
    if (!meter) return;
    const since = store.now() - meter.period;
    const used = meter.arrivals.filter(({ at, counted }) => counted && at > since).length;
    drawCells(bar, used, meter.limit);
    bar.setAttribute("aria-valuenow", String(used));
    bar.setAttribute("aria-valuemax", String(meter.limit));
    text.textContent = `${used} of ${meter.limit} calls in the last ${meter.period} s`;
    document.getElementById("meter-sums").textContent =
      `${meter.calls} calls in all, ${meter.refused} refused for the limit`;
  };
  store.watch(["status"], draw);
  setInterval(draw, AGAIN);
}

function drawCells(bar, used, limit) {
  const cells = Math.min(limit, MOST_CELLS);
  if (bar.children.length !== cells) {
    bar.replaceChildren(...Array.from({ length: cells }, () => h("span", { class: "cell" })));
  }
  const lit = Math.ceil((used * cells) / limit);
  [...bar.children].forEach((cell, number) => cell.classList.toggle("lit", number < lit));
  bar.classList.toggle("full", used >= limit);
}
