/** One notification as Chrome shows it: cut where Chrome cuts, and a click goes to the link. */

import { h, icon } from "./dom.js";
import { write } from "./emoji.js";
import { findPicture, picture } from "./pictures.js";

/** Characters that are seen of title and text; the fewest that were measured. */
const CUTS = { windows: [64, 121], macos: [35, 88] };
const SITE = "in21.leadsquared.com";

/** At most `most` characters, the last an ellipsis if something is missing. */
export function cut(text, most) {
  const letters = [...new Intl.Segmenter().segment(text)].map(({ segment }) => segment);
  return letters.length <= most ? text : `${letters.slice(0, most - 1).join("").trimEnd()}…`;
}

const readLink = (url) => (/^https:\/\//i.test(url ?? "") ? url : null);

export function buildNotification(push, browser, close) {
  const [titleMost, textMost] = CUTS[browser] ?? CUTS.windows;
  const link = readLink(push.click);
  const image = push.icon ? picture(push.icon, "The notification's icon", "toast-icon")
    : h("span", { class: "toast-icon toast-default" }, icon("bell"));
  const inside = [
    h("span", { class: "toast-texts" },
      h("strong", { class: "toast-title" }, write(cut(push.title, titleMost))),
      h("span", { class: "toast-text" }, write(cut(push.content, textMost))),
      h("span", { class: "toast-site" }, `Chrome · ${SITE}`)),
  ];
  const title = link ? `Opens ${link}` : "A click opens nothing: the notification has no link";
  const body = link
    ? h("a", { class: "toast-body", href: link, target: "_blank", rel: "noopener noreferrer", title }, inside)
    : h("div", { class: "toast-body", title }, inside);
  return h("li", { class: "toast" }, image, body,
    h("button", { type: "button", class: "quiet", "aria-label": `Dismiss “${push.title}”`,
      onclick: () => close(push) }, icon("close")));
}

/** Show it on the viewer's own desktop, if they allow it. */
export function tellDesktop(push) {
  if (!("Notification" in window) || Notification.permission !== "granted") return;
  const shown = new Notification(push.title, { body: push.content,
    icon: findPicture(push.icon) ?? undefined, tag: `push-${push.number}` });
  shown.addEventListener("click", () => {
    const link = readLink(push.click);
    if (link) window.open(link, "_blank", "noopener");
    shown.close();
  });
}
