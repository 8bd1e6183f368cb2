/** The switches: faults, delays, limits, the bot's own process, and the sample for a crowd. */

import { h, reconcile } from "./dom.js";
import { CRM_WORDS, ENDPOINT_WORDS, SLACK_WORDS } from "./faults.js";
import { attempt, say } from "./notices.js";
import { act } from "./server.js";

const byId = (id) => document.getElementById(id);
const BOT_WORDS = { running: "The bot is running", starting: "The bot is starting …", stopped: "The bot is stopped" };

export function startSwitches(store, composer) {
  startBot();
  startCrm();
  startSlack(store);
  byId("crowd").addEventListener("click", () => sendToCrowd(store, composer));
  store.watch(["status", "channels", "connection"], () => draw(store));
}

const on = (id, event, doing) => byId(id).addEventListener(event, () => attempt(doing));

function startBot() {
  for (const what of ["restart", "kill", "start"]) {
    on(`bot-${what}`, "click", async () => {
      say({ kill: "Killed.", start: "Starting …", restart: "Killed; starting again …" }[what]);
      await act("bot", { what });
      if (what !== "kill") say("The bot is running again; its queue goes on.");
    });
  }
}

const readTimes = (id) => (byId(id).value === "ever" ? null : Number(byId(id).value));

function startCrm() {
  on("crm-fault-on", "click", () => act("crm-fault", { endpoint: byId("crm-endpoint").value,
    kind: byId("crm-kind").value, times: readTimes("crm-times") }));
  on("crm-clear", "click", () => act("crm-clear", {}));
  on("crm-latency", "change", () => act("crm-latency", { seconds: Number(byId("crm-latency").value) }));
  on("crm-limit", "change", () => act("crm-limit", { limit: Number(byId("crm-limit").value) }));
  on("crm-refusal", "change", () => act("crm-refusal", { status: Number(byId("crm-refusal").value) }));
}

function startSlack(store) {
  on("slack-fault-on", "click", () => act("slack-fault", { method: byId("slack-method").value,
    kind: byId("slack-kind").value, times: readTimes("slack-times") }));
  on("slack-clear", "click", () => act("slack-clear", {}));
  on("slack-latency", "change", () =>
    act("slack-latency", { seconds: Number(byId("slack-latency").value) }));
  byId("bot-places").addEventListener("change", ({ target }) => attempt(() =>
    act("slack-bot", { channel: target.value, member: target.checked })));
}

async function sendToCrowd(store, composer) {
  const answer = await attempt(() => act("crowd", {}));
  if (!answer) return;
  const alice = store.actors[0][0];
  const sales = Object.entries(store.channels).find(([, { name }]) => name === "sales")[0];
  store.show({ person: alice, place: "channel", channel: sales, thread: null, screen: "slack", drawer: null });
  composer.fill(answer.text);
  await composer.send();
}

function draw(store) {
  const { bot, switches } = store.status;
  if (!bot) return;
  drawBot(store, bot);
  fillOptions("crm-kind", switches.crm.kinds, CRM_WORDS);
  fillOptions("crm-endpoint", switches.crm.endpoints, ENDPOINT_WORDS);
  fillOptions("slack-method", switches.slack.methods, {});
  fillOptions("slack-kind", switches.slack.kinds, SLACK_WORDS);
  setField("crm-latency", switches.crm.latency);
  setField("crm-limit", switches.crm.limit);
  setField("crm-refusal", switches.crm.refusal);
  setField("slack-latency", switches.slack.latency);
  drawFaults("crm-faults", switches.crm.faults.map((fault) =>
    `${ENDPOINT_WORDS[fault.endpoint]}: ${CRM_WORDS[fault.kind] ?? fault.kind}${often(fault)}`));
  drawFaults("slack-faults", switches.slack.faults.map((fault) =>
    `${fault.method}: ${SLACK_WORDS[fault.kind] ?? fault.kind}${often(fault)}`));
  drawPlaces(store);
  drawComplaints(store.status.complaints);
}

const often = ({ times }) => (times === null ? ", until cleared" : ` (${times} left)`);

function drawBot(store, bot) {
  const state = store.connected ? bot.state : "stopped";
  const words = store.connected ? BOT_WORDS[bot.state] : "The sandbox has ended";
  for (const chip of document.querySelectorAll("[data-bot-state]")) {
    chip.dataset.botState = state;
    chip.textContent = words + (bot.starts > 1 && store.connected ? ` (start ${bot.starts})` : "");
  }
  byId("bot-kill").disabled = bot.state !== "running";
  byId("bot-start").disabled = bot.state !== "stopped";
  byId("bot-restart").disabled = bot.state === "starting";
}

function fillOptions(id, values, words) {
  const select = byId(id);
  if (select.children.length === values.length) return;
  select.replaceChildren(...values.map((value) => h("option", { value }, words[value] ?? value)));
}

function setField(id, value) {
  if (document.activeElement !== byId(id)) byId(id).value = String(value);
}

function drawFaults(id, texts) {
  const shown = texts.length ? texts : ["No fault is switched on."];
  reconcile(byId(id), shown.map((text, number) =>
    ({ key: String(number), mark: text, build: () => h("li", {}, text) })));
}

function drawPlaces(store) {
  const channels = Object.entries(store.channels).filter(([, { kind }]) => kind !== "im" && kind !== "mpim");
  reconcile(byId("bot-places"), channels.map(([id, channel]) => ({
    key: id, mark: `${channel.name}${channel.has_bot}`,
    build: () => {
      const box = h("input", { type: "checkbox", value: id, id: `bot-in-${id}` });
      box.checked = channel.has_bot;
      return h("label", { class: "box", for: box.id }, box, `The bot is in #${channel.name}`);
    },
  })));
}

function drawComplaints({ texts, count }) {
  byId("complaint-count").textContent = String(count);
  reconcile(byId("complaints"), texts.map((text, number) =>
    ({ key: String(number), mark: text, build: () => h("li", {}, text) })));
}
