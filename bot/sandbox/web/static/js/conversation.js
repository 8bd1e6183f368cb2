/** The conversation that is open, its header, and the thread beside it. */

import { h, icon, reconcile } from "./dom.js";
import { findReplies, listMessages } from "./messages.js";
import { findAppChannel, go, nameChannel } from "./sidebar.js";

const NEAR = 80;

/** Keep what is newest in sight, unless somebody has scrolled away from it. */
class Scroller {
  constructor(node) {
    this.node = node;
    this.isLow = true;
    node.addEventListener("scroll", () => {
      this.isLow = node.scrollHeight - node.scrollTop - node.clientHeight < NEAR;
    });
    const watcher = new ResizeObserver(() => this.keep());
    watcher.observe(node);
    watcher.observe(node.querySelector("ul"));
  }

  keep(anyway = false) {
    if (anyway || this.isLow) this.node.scrollTop = this.node.scrollHeight;
  }
}

export function startConversation(store) {
  const list = document.getElementById("messages");
  const scroller = new Scroller(list.parentElement);
  new Scroller(document.getElementById("thread-messages").parentElement);
  store.watch(["messages", "people", "groups", "channels", "ui"], () => {
    drawHeader(store);
    drawMessages(store, list, scroller);
    drawThread(store);
  });
  document.getElementById("thread-close").addEventListener("click", () => store.show({ thread: null }));
}

function drawHeader(store) {
  const { channel: id, place } = store.ui;
  const channel = store.channels[id];
  const dm = findAppChannel(store);
  const isApp = place === "home" || (dm !== null && id === dm);
  const heading = document.getElementById("place-title");
  const name = isApp ? "LeadSquared Notifier" : channel ? nameChannel(store, id, channel) : "";
  const kind = { private: "lock", im: "person", public: "hash" }[channel?.kind] ?? "hash";
  heading.replaceChildren(icon(isApp ? "bell" : kind), name);
  const about = document.getElementById("place-about");
  about.textContent = isApp || !channel ? "" : describeChannel(channel);
  drawTabs(store, isApp, dm);
  document.getElementById("conversation").hidden = place === "home";
  document.getElementById("home").hidden = place !== "home";
}

function describeChannel(channel) {
  const people = channel.count === 1 ? "1 member" : `${channel.count} members`;
  if (channel.kind === "im") return "Direct message; the bot is not in it";
  return channel.has_bot ? `${people}, the bot among them` : `${people}; the bot is not in it`;
}

function drawTabs(store, isApp, dm) {
  const tabs = document.getElementById("app-tabs");
  tabs.hidden = !isApp;
  const tab = (label, place, here, off) => ({
    key: label, mark: `${here}${place}${off}`,
    build: () => h("button", { type: "button", class: "tab", "aria-pressed": String(here),
      disabled: off, title: off ? "The bot has written nothing yet" : null,
      onclick: () => go(store, place) }, label),
  });
  const atHome = store.ui.place === "home";
  reconcile(tabs, [tab("Home", "home", atHome, false), tab("Messages", dm, !atHome, dm === null)]);
}

function drawMessages(store, list, scroller) {
  const { channel, person } = store.ui;
  const isNew = list.dataset.channel !== `${channel}${person}`;
  list.dataset.channel = `${channel}${person}`;
  const top = store.messagesIn(channel).filter(([ts, { thread }]) => !thread || thread === ts);
  reconcile(list, listMessages(store, top));
  document.getElementById("empty").hidden = top.length > 0;
  scroller.keep(isNew);
}

function drawThread(store) {
  const { thread, channel } = store.ui;
  const pane = document.getElementById("thread");
  const parent = store.messages[thread];
  pane.hidden = !parent || store.ui.place === "home";
  document.getElementById("slack-main").classList.toggle("with-thread", !pane.hidden);
  if (pane.hidden) return;
  const list = document.getElementById("thread-messages");
  reconcile(list, listMessages(store, [[thread, parent], ...findReplies(store, thread, channel)], true));
}
