/** Slack's rich text blocks, as nodes. */

import { h } from "./dom.js";
import { write } from "./emoji.js";
import { channelName, groupName, link, mention } from "./mrkdwn.js";

/** The parts of one rich_text block. */
export const readRichText = (block, store) =>
  block.elements.map((element) => buildPart(element, store));

function buildPart(part, store) {
  const inside = () => part.elements.map((element) => buildInline(element, store));
  if (part.type === "rich_text_preformatted") return h("pre", {}, inside());
  if (part.type === "rich_text_quote") return h("blockquote", {}, inside());
  if (part.type !== "rich_text_list") return h("div", { class: "rich" }, inside());
  const tag = part.style === "ordered" ? "ol" : "ul";
  return h(tag, {}, part.elements.map((item) => h("li", {}, buildPart(item, store))));
}

function buildInline(element, store) {
  switch (element.type) {
    case "text": return style(element.text, element.style ?? {});
    case "link": return link(element.url, element.text ?? "");
    case "user": return mention(store, element.user_id);
    case "usergroup": return groupName(store, element.usergroup_id);
    case "channel": return channelName(store, element.channel_id);
    case "broadcast": return write(`@${element.range}`);
    case "emoji": return write(readEmoji(element));
    case "date": return write(element.fallback ?? "");
    default: return write(element.text ?? element.value ?? "");
  }
}

function readEmoji({ name, unicode }) {
  if (!unicode) return `:${name}:`;
  return String.fromCodePoint(...unicode.split("-").map((part) => parseInt(part, 16)));
}

function style(text, { bold, italic, strike, code }) {
  let nodes = text.split("\n").flatMap((line, at) => (at ? [h("br"), ...write(line)] : write(line)));
  if (code) nodes = [h("code", {}, nodes)];
  if (bold) nodes = [h("strong", {}, nodes)];
  if (italic) nodes = [h("em", {}, nodes)];
  return strike ? [h("s", {}, nodes)] : nodes;
}
