/** Slack's own marks, as nodes: bold, italic, strike, code, quotes, links, names and dates. */

import { h } from "./dom.js";
import { findEmoji, write } from "./emoji.js";

const decode = (text) =>
  text.replaceAll("&lt;", "<").replaceAll("&gt;", ">").replaceAll("&amp;", "&");

const styled = (mark) =>
  new RegExp(`(?<![\\p{L}\\p{N}])[${mark}](?=\\S)([^\\n]*?\\S)[${mark}](?![\\p{L}\\p{N}])`, "u");

/** In each the first group is what stands inside. */
const INLINE = [
  { pattern: /`([^`\n]+)`/, build: (inside) => h("code", {}, write(decode(inside))) },
  { pattern: /<([^<>]+)>/, build: (inside, store) => buildToken(inside, store) },
  { pattern: /:([a-z0-9_+-]+):/, build: (inside) => write(findEmoji(inside) ?? `:${inside}:`) },
  { pattern: styled("*"), build: (inside, store) => h("strong", {}, readInline(inside, store)) },
  { pattern: styled("_"), build: (inside, store) => h("em", {}, readInline(inside, store)) },
  { pattern: styled("~"), build: (inside, store) => h("s", {}, readInline(inside, store)) },
];

/** A whole mrkdwn text as nodes. */
export function readMrkdwn(text, store) {
  return text.split(/```/).flatMap((part, number) => {
    if (number % 2 === 1) return [h("pre", {}, write(decode(part.replace(/^\n/, ""))))];
    return part ? readLines(part, store) : [];
  });
}

function readLines(text, store) {
  const nodes = [];
  let quote = null;
  for (const line of text.split("\n")) {
    const quoted = line.match(/^(?:&gt;|>)\s?(.*)$/);
    if (quoted) {
      if (quote) quote.append(h("br"));
      else nodes.push((quote = h("blockquote")));
      quote.append(...readInline(quoted[1], store).flat(Infinity));
      continue;
    }
    if (nodes.length && !quote) nodes.push(h("br"));
    quote = null;
    nodes.push(...readInline(line, store));
  }
  return nodes.flat(Infinity);
}

function readInline(text, store) {
  let first = null;
  for (const rule of INLINE) {
    const match = rule.pattern.exec(text);
    if (match && (!first || match.index < first.match.index)) first = { rule, match };
  }
  if (!first) return text ? write(decode(text)) : [];
  const { rule, match } = first;
  const rest = text.slice(match.index + match[0].length);
  return [
    ...write(decode(text.slice(0, match.index))),
    rule.build(match[1], store),
    ...readInline(rest, store),
  ].flat(Infinity);
}

function buildToken(token, store) {
  const bar = token.indexOf("|");
  const target = bar < 0 ? token : token.slice(0, bar);
  const label = bar < 0 ? "" : decode(token.slice(bar + 1));
  if (target.startsWith("@")) return mention(store, target.slice(1), label);
  if (target.startsWith("#")) return channelName(store, target.slice(1), label);
  if (target.startsWith("!date^")) return buildDate(target.split("^"), label);
  if (target.startsWith("!subteam^")) return groupName(store, target.slice(9), label);
  if (target.startsWith("!")) return write(label || `@${target.slice(1)}`);
  return link(decode(target), label);
}

export function mention(store, id, label = "") {
  const name = store.people[id]?.name ?? label ?? id;
  return h("span", { class: id === store.ui.person ? "mention mention-me" : "mention" }, `@${name}`);
}

export function groupName(store, id, label = "") {
  const handle = store.groups[id]?.handle ?? label.replace(/^@/, "");
  return h("span", { class: "mention" }, `@${handle || id}`);
}

export function channelName(store, id, label = "") {
  return h("span", { class: "mention" }, `#${store.channels[id]?.name ?? (label || id)}`);
}

/** A link that opens beside the page; anything but the web and mail stays text. */
export function link(url, label = "") {
  const shown = label || url.replace(/^mailto:/, "");
  if (!/^(https?|mailto):/i.test(url)) return write(shown);
  return h("a", { href: url, target: "_blank", rel: "noopener noreferrer" }, write(shown));
}

export const readTime = (seconds) =>
  new Date(seconds * 1000).toLocaleTimeString([], { hour: "numeric", minute: "2-digit" });

function buildDate([, stamp, format, url], fallback) {
  const date = new Date(Number(stamp) * 1000);
  if (Number.isNaN(date.getTime())) return write(fallback);
  const shown = format.replace(/\{(\w+)\}/g, (_, name) => formatDate(date, name));
  return url ? link(url, shown) : h("time", { datetime: date.toISOString() }, shown);
}

function formatDate(date, name) {
  if (name === "time") return readTime(date.getTime() / 1000);
  if (name === "time_secs") return date.toLocaleTimeString();
  if (name === "date_num") return date.toISOString().slice(0, 10);
  const isToday = date.toDateString() === new Date().toDateString();
  if (name.endsWith("_pretty") && isToday) return "today";
  return date.toLocaleDateString([], { day: "numeric", month: "short", year: "numeric" });
}
