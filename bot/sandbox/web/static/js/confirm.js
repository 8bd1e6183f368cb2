/** Slack's question before a dangerous button. */

import { h } from "./dom.js";
import { readMrkdwn } from "./mrkdwn.js";

/** Run `then`, at once or after the element's own question was answered with yes. */
export function confirmFirst(element, then) {
  const { confirm } = element;
  if (!confirm) return then();
  const close = (yes) => { dialog.close(); dialog.remove(); if (yes) then(); };
  const text = confirm.text.type === "mrkdwn"
    ? readMrkdwn(confirm.text.text, { people: {}, groups: {}, channels: {}, ui: {} })
    : confirm.text.text;
  const yes = confirm.style === "danger" ? "button button-danger" : "button button-primary";
  const dialog = h("dialog", { class: "confirm", "aria-label": confirm.title.text,
    oncancel: () => dialog.remove() },
    h("h2", {}, confirm.title.text), h("p", {}, text),
    h("div", { class: "row-end" },
      h("button", { type: "button", class: "button", onclick: () => close(false) }, confirm.deny.text),
      h("button", { type: "button", class: yes, onclick: () => close(true) }, confirm.confirm.text)));
  document.body.append(dialog);
  dialog.showModal();
}
