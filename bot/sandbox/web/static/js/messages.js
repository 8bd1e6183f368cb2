/** Messages as Slack shows them, each with its menu. */

import { buildBlocks } from "./blocks.js";
import { avatar, h, icon } from "./dom.js";
import { buildMenuButton } from "./menu.js";
import { readMrkdwn, readTime } from "./mrkdwn.js";
import { attempt } from "./notices.js";
import { act } from "./server.js";

const APP_NAME = "LeadSquared Notifier";

/** What `reconcile` takes for a list of [ts, message]. */
export const listMessages = (store, entries, inThread = false) => entries.map(([ts, message]) => {
  const replies = inThread ? [] : findReplies(store, ts, message.channel);
  const mark = JSON.stringify([message, store.ui.person, replies.length,
    store.people[message.author]?.real_name]);
  return { key: ts, mark, build: () => buildMessage(store, ts, message, replies.length, inThread) };
});

/** The replies to a message that the current person sees. */
export const findReplies = (store, ts, channel) =>
  store.messagesIn(channel).filter(([own, message]) => message.thread === ts && own !== ts);

function buildMessage(store, ts, message, replies, inThread) {
  const author = store.people[message.author];
  const name = author?.is_bot ? APP_NAME : (author?.real_name ?? "Somebody");
  const marks = [
    author?.is_bot ? h("span", { class: "tag" }, "app") : null,
    h("time", { class: "when" }, readTime(Number(ts.split(".")[0]))),
  ];
  const only = message.only
    ? h("p", { class: "only" }, icon("eye"), "Only visible to you") : null;
  return h("li", { class: message.only ? "message message-only" : "message" },
    author?.is_bot ? h("span", { class: "avatar avatar-app" }, icon("bell")) : avatar(name, message.author),
    h("div", { class: "message-body" }, only,
      h("p", { class: "byline" }, h("strong", {}, name), " ", marks),
      h("div", { class: "blocks" }, buildContent(store, ts, message)),
      message.edited && !author?.is_bot ? h("span", { class: "when" }, "(edited)") : null,
      replies ? buildRepliesButton(store, ts, replies) : null),
    message.only ? null : buildMenu(store, ts, name, inThread));
}

function buildContent(store, ts, message) {
  if (!message.blocks.length) return h("div", { class: "text" }, readMrkdwn(message.text, store));
  return buildBlocks(message.blocks, new MessageSurface(store, ts));
}

function buildRepliesButton(store, ts, count) {
  const text = count === 1 ? "1 reply" : `${count} replies`;
  return h("button", { type: "button", class: "replies", onclick: () => store.show({ thread: ts }) }, text);
}

function buildMenu(store, ts, name, inThread) {
  const button = h("button", { type: "button", class: "quiet",
    "aria-label": `More actions for the message of ${name}` }, icon("more"));
  const notify = { label: "Notify in LeadSquared", note: APP_NAME, run: () => attempt(() =>
    act("shortcut", { person: store.ui.person, shortcut: "notify_message", message: ts })) };
  const reply = { label: "Reply in thread", run: () => store.show({ thread: ts }) };
  return h("div", { class: "message-menu" },
    buildMenuButton(button, () => (inThread ? [notify] : [notify, reply])));
}

/** What the elements in a message do. */
class MessageSurface {
  constructor(store, ts) {
    this.store = store;
    this.ts = ts;
  }

  async press(element, value, button) {
    button?.setAttribute("aria-busy", "true");
    await attempt(() => act("press",
      { person: this.store.ui.person, message: this.ts, action: element.action_id, value }));
    button?.removeAttribute("aria-busy");
  }

  changed(element, value) {
    return this.press(element, value);
  }
}
