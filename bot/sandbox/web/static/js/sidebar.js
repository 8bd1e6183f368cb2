/** Who one is, and where: people, conversations and the app. */

import { avatar, h, icon, reconcile } from "./dom.js";

const CRM_WORDS = { active: "linked", none: "not in LeadSquared", inactive: "inactive in LeadSquared" };

/** What is special about somebody, in a few words. */
export function describePerson(person) {
  const role = person.role === "member" ? "" : `${person.role}, `;
  return role + CRM_WORDS[person.crm];
}

/** The name, with the one word that matters most. */
function namePerson(person) {
  const crm = { none: "not linked", inactive: "inactive" }[person.crm];
  const word = person.role === "member" ? crm : person.role;
  return word ? `${person.real_name} (${word})` : person.real_name;
}

export function startSidebar(store) {
  const people = document.getElementById("person");
  people.addEventListener("change", () => bePerson(store, people.value));
  store.watch(["people", "ui"], () => drawPeople(store, people));
  const places = document.getElementById("places");
  places.addEventListener("click", (event) => {
    const button = event.target.closest("button[data-place]");
    if (button) go(store, button.dataset.place);
  });
  store.watch(["channels", "people", "ui"], () => drawPlaces(store, places));
}

function bePerson(store, person) {
  const isIn = store.channels[store.ui.channel]?.actors.includes(person);
  const first = Object.entries(store.channels).find(([, one]) => one.actors.includes(person));
  store.show({ person, channel: isIn ? store.ui.channel : first?.[0], thread: null });
}

/** Open a conversation, or the app's Home tab. */
export function go(store, place) {
  if (place === "home") return store.show({ place: "home", thread: null });
  return store.show({ place: "channel", channel: place, thread: null });
}

function drawPeople(store, select) {
  const mark = store.actors.map(([id, person]) => `${id}${describePerson(person)}`).join();
  if (select.dataset.mark !== mark) {
    select.dataset.mark = mark;
    select.replaceChildren(...store.actors.map(([id, person]) =>
      h("option", { value: id }, namePerson(person))));
  }
  if (store.ui.person) select.value = store.ui.person;
  document.getElementById("person-about").textContent = store.person ? describePerson(store.person) : "";
  document.getElementById("person-avatar").replaceChildren(
    store.person ? avatar(store.person.real_name, store.ui.person) : "");
}

function drawPlaces(store, list) {
  const channels = store.places.filter(([, channel]) => !isWithApp(store, channel));
  const items = channels.map(([id, channel]) => buildPlace(store, id, channel));
  reconcile(list, [...items, buildApp(store)]);
}

function buildPlace(store, id, channel) {
  const here = store.ui.place === "channel" && store.ui.channel === id;
  const name = nameChannel(store, id, channel);
  const away = channel.has_bot || channel.kind === "im" ? "" : "the bot is not in it";
  return {
    key: id, mark: `${here}${name}${away}`,
    build: () => h("li", {}, h("button", { type: "button", "data-place": id, class: "place",
      "aria-current": here ? "page" : null, title: away || null },
      icon(channel.kind === "private" ? "lock" : channel.kind === "im" ? "person" : "hash"),
      h("span", { class: "place-name" }, name),
      away ? h("span", { class: "tag" }, "no bot") : null)),
  };
}

function buildApp(store) {
  const dm = findAppChannel(store);
  const here = store.ui.place === "home" || store.ui.channel === dm;
  return {
    key: "app", mark: `${here && store.ui.place}${dm}`,
    build: () => h("li", { class: "app-place" },
      h("button", { type: "button", "data-place": "home", class: "place",
        "aria-current": here ? "page" : null }, icon("bell"),
        h("span", { class: "place-name" }, "LeadSquared Notifier"))),
  };
}

const isWithApp = (store, channel) =>
  channel.kind === "im" && channel.people.some((id) => store.people[id]?.is_bot);

/** The conversation of the current person with the bot; null while there is none. */
export function findAppChannel(store) {
  const found = store.places.find(([, channel]) => isWithApp(store, channel));
  return found ? found[0] : null;
}

/** What the current person calls a conversation. */
export function nameChannel(store, id, channel) {
  if (channel.kind !== "im") return channel.name;
  const other = channel.people.find((person) => person !== store.ui.person);
  return store.people[other]?.real_name ?? channel.name;
}
