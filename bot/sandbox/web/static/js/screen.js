/** The LeadSquared user's screen: whose it is, and the notifications that appear on it. */

import { h, icon, reconcile } from "./dom.js";
import { buildNotification, tellDesktop } from "./notification.js";
import { attempt } from "./notices.js";
import { readTime } from "./mrkdwn.js";
import { act } from "./server.js";

const SHOWN = 3;
const FOLLOW_PAUSE = 1500;

export function startScreen(store) {
  const users = document.getElementById("user");
  const follow = document.getElementById("follow");
  const blocked = document.getElementById("blocked");
  const dismissed = new Set();
  users.addEventListener("change", () => store.show({ user: users.value, follow: false }));
  follow.addEventListener("change", () => store.show({ follow: follow.checked }));
  blocked.addEventListener("change", () =>
    attempt(() => act("crm-user", { user: store.ui.user, blocked: blocked.checked })));
  document.getElementById("browser").addEventListener("change", () => store.touch("ui"));
  const news = new News(store);
  store.watch(["pushes", "status"], () => news.look());
  store.watch(["users", "pushes", "ui"], () => {
    drawUsers(store, users);
    follow.checked = store.ui.follow;
    blocked.checked = store.users[store.ui.user]?.blocked ?? false;
    drawDesk(store, dismissed);
    drawReceived(store);
  });
}

/** Notices pushes that arrive while the page is open, and lets the screen follow them. */
class News {
  constructor(store) {
    this.store = store;
    this.last = null;
    this.waiting = null;
  }

  look() {
    const newest = Math.max(0, ...Object.keys(this.store.pushes).map(Number));
    const known = this.last === null ? null : Math.min(this.last, newest); // a sandbox begun anew
    this.last = newest;
    if (known === null || newest <= known) return;
    for (let number = known + 1; number <= newest; number += 1) {
      const push = this.store.pushes[number];
      if (push && push.user === this.shownUser) tellDesktop(push);
    }
    this.follow();
  }

  get shownUser() {
    return this.store.ui.follow ? this.store.pushes[this.last]?.user : this.store.ui.user;
  }

  /** Go to whom the newest is for, though not from one to the next in a flash. */
  follow() {
    if (!this.store.ui.follow || this.waiting) return;
    this.store.show({ user: this.store.pushes[this.last].user });
    const shown = this.last;
    this.waiting = setTimeout(() => {
      this.waiting = null;
      if (this.last !== shown) this.follow();
    }, FOLLOW_PAUSE);
  }
}

function drawUsers(store, select) {
  const counts = {};
  for (const { user } of Object.values(store.pushes)) counts[user] = (counts[user] ?? 0) + 1;
  const mark = JSON.stringify([Object.entries(store.users).map(([id, one]) => [id, one.active]), counts]);
  if (select.dataset.mark !== mark) {
    select.dataset.mark = mark;
    select.replaceChildren(...Object.entries(store.users).map(([id, user]) =>
      h("option", { value: id }, nameUser(user) + (counts[id] ? ` · ${counts[id]}` : ""))));
  }
  if (store.ui.user) select.value = store.ui.user;
}

const nameUser = (user) => {
  const more = [user.owns_keys ? "key owner" : "", user.active ? "" : "inactive"].filter(Boolean);
  return user.name + (more.length ? ` (${more.join(", ")})` : "");
};

const pushesOf = (store) => Object.values(store.pushes)
  .filter((push) => push.user === store.ui.user).sort((one, other) => other.number - one.number);

function drawDesk(store, dismissed) {
  const user = store.users[store.ui.user];
  document.getElementById("desk-name").textContent = user ? user.name : "";
  drawLeads(user?.leads ?? []);
  const browser = document.getElementById("browser").value;
  const close = (push) => {
    dismissed.add(push.number);
    store.touch("ui");
  };
  const shown = pushesOf(store).filter((push) => !dismissed.has(push.number)).slice(0, SHOWN);
  reconcile(document.getElementById("toasts"), shown.map((push) => ({
    key: String(push.number), mark: browser, build: () => buildNotification(push, browser, close),
  })));
  const empty = document.getElementById("desk-empty");
  const trouble = findTrouble(user);
  empty.hidden = shown.length > 0 && !trouble;
  empty.textContent = trouble || "Notifications appear here.";
}

/** What a command can name after --lead. */
function drawLeads(leads) {
  reconcile(document.getElementById("desk-leads"), leads.map(({ name, email, phone }) => ({
    key: `${name} ${email}`, mark: `${phone}`,
    build: () => h("li", {}, h("strong", {}, name),
      h("span", { class: "muted" }, [email, phone].filter(Boolean).join(" · "))),
  })));
}

/** Why nothing new appears on this screen; empty if it may. */
function findTrouble(user) {
  if (user?.blocked) return "This browser shows no notifications: LeadSquared refuses them.";
  return user?.active === false ? "Inactive in LeadSquared: nothing is sent to this user." : "";
}

function drawReceived(store) {
  const received = pushesOf(store);
  document.getElementById("received-count").textContent = String(received.length);
  reconcile(document.getElementById("received"), received.slice(0, 50).map((push) => ({
    key: String(push.number), mark: "",
    build: () => h("li", {}, h("details", {},
      h("summary", {}, h("span", { class: "received-title" }, push.title || "(no title)"),
        h("time", { class: "when" }, readTime(push.at))),
      h("pre", { class: "json", tabindex: "0", "aria-label": "The JSON that LeadSquared received" }, push.raw))),
  })));
  document.getElementById("received-none").hidden = received.length > 0;
}

/** The button that asks the viewer's own browser for real notifications. */
export function startDesktop() {
  const button = document.getElementById("desktop");
  if (!("Notification" in window)) {
    button.hidden = true;
    return;
  }
  const draw = () => {
    const states = { granted: "Desktop notifications are on", denied: "Desktop notifications are blocked",
      default: "Show them on my desktop, too" };
    button.replaceChildren(icon("bell"), states[Notification.permission]);
    button.disabled = Notification.permission !== "default";
  };
  button.addEventListener("click", async () => {
    await Notification.requestPermission();
    draw();
  });
  draw();
}
