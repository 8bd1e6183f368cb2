/** The app's Home tab, which the bot publishes when somebody opens it. */

import { buildBlocks } from "./blocks.js";
import { h } from "./dom.js";
import { attempt } from "./notices.js";
import { act } from "./server.js";

export function startHome(store) {
  const holder = document.getElementById("home");
  let visitor = null;
  store.watch(["homes", "people", "ui", "status"], () => {
    const { place, person } = store.ui;
    if (place !== "home") {
      visitor = null;
      return;
    }
    if (visitor !== person && store.status.bot?.state === "running") {
      visitor = person;
      attempt(() => act("home", { person }));
    }
    draw(store, holder);
  });
}

function draw(store, holder) {
  const home = store.homes[store.ui.person];
  const mark = JSON.stringify([home?.hash, store.ui.person]);
  if (holder.dataset.mark === mark) return;
  holder.dataset.mark = mark;
  const blocks = home ? buildBlocks(home.blocks, new HomeSurface(store, home))
    : [h("p", { class: "muted" }, "The bot has published nothing yet.")];
  holder.replaceChildren(h("div", { class: "blocks home-blocks" }, blocks));
}

class HomeSurface {
  constructor(store, home) {
    this.store = store;
    this.values = home.values;
  }

  async press(element, value, button) {
    button?.setAttribute("aria-busy", "true");
    await attempt(() => act("press", { person: this.store.ui.person, action: element.action_id, value }));
    button?.removeAttribute("aria-busy");
  }

  changed(element, value) {
    return this.press(element, value);
  }
}
