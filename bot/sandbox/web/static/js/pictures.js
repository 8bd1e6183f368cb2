/** Pictures from elsewhere are not fetched; the bot's own come by way of this server. */

import { h, icon } from "./dom.js";

const OURS = /^https:\/\/notifier\.example\/icons\/([\w-]+\.png)$/;

/** The address from which this page may load a picture; null if from nowhere. */
export function findPicture(url) {
  const found = OURS.exec(url ?? "");
  return found ? `/icons/${found[1]}` : null;
}

/** The picture, or a sign that says where it would have come from. */
export function picture(url, alt, className) {
  const source = findPicture(url);
  if (source) return h("img", { src: source, alt, class: className });
  const title = `${url} (pictures from elsewhere are not loaded here)`;
  return h("span", { class: `${className} picture-away`, role: "img", "aria-label": alt, title }, icon("picture"));
}
