/** The form in front of the current person: its inputs, its errors, and those beneath it. */

import { buildBlocks } from "./blocks.js";
import { h, icon } from "./dom.js";
import { write } from "./emoji.js";
import { attempt, readNotice } from "./notices.js";
import { act } from "./server.js";

export function startModals(store) {
  const holder = document.getElementById("modal");
  let form = null;
  holder.addEventListener("keydown", (event) => {
    if (event.key === "Escape" && form) form.close();
  });
  store.watch(["views", "people", "ui"], () => {
    const [id, view] = store.stack.at(-1) ?? [null, null];
    if (form?.id === id && form?.hash === view?.hash) return form?.update(view);
    form = id === null ? null : new Form(store, id, view, form?.id === id ? form : null);
    show(holder, form);
    return undefined;
  });
}

/** Put the form over Slack, which rests meanwhile, and give the focus back afterwards. */
function show(holder, form) {
  const rest = document.getElementById("slack-rest");
  if (form && holder.hidden) holder.opener = document.activeElement;
  holder.hidden = form === null;
  rest.inert = form !== null;
  holder.replaceChildren(...(form ? [form.node] : []));
  if (form) form.focus();
  else if (holder.opener?.isConnected) holder.opener.focus();
}

class Form {
  /** @param {Form | null} before the same form before the app changed it */
  constructor(store, id, view, before) {
    this.store = store;
    this.id = id;
    this.hash = view.hash;
    this.inputs = new Map();
    this.errors = view.errors;
    this.values = view.values;
    this.wasFocused = before?.findFocus();
    this.scrolled = before?.body.scrollTop ?? 0;
    this.isPressed = false;
    this.blocks = view.blocks.map((block) => block.type !== "input" && JSON.stringify(block));
    if (before) this.merge(before.read());
    this.node = this.build(view);
    this.appeared = before?.isPressed ? this.findAppeared(before) : undefined;
    this.update(view);
  }

  /** The first block that the form did not have before, such as the preview; inputs only change. */
  findAppeared(before) {
    return this.nodes[this.blocks.findIndex((block) => block && !before.blocks.includes(block))];
  }

  /** What was typed meanwhile goes on standing where the ids are the same. */
  merge(typed) {
    for (const [block, values] of Object.entries(this.values)) {
      const [action, entry] = Object.entries(values)[0];
      const key = Object.keys(entry).find((name) => name === "value" || name === "selected_date");
      if (key && block in typed) {
        this.values = { ...this.values, [block]: { [action]: { ...entry, [key]: typed[block] } } };
      }
    }
  }

  build(view) {
    const title = h("h2", { id: "modal-title" }, view.title);
    const isPushed = view.previous !== null;
    this.trouble = h("p", { class: "error modal-error", role: "alert", hidden: true });
    this.nodes = buildBlocks(view.blocks, this);
    this.body = h("div", { class: "modal-body blocks" }, this.nodes, this.trouble);
    this.button = view.submit
      ? h("button", { type: "submit", class: "button button-primary" }, write(view.submit)) : null;
    return h("form", { class: "modal", role: "dialog", "aria-labelledby": "modal-title",
      novalidate: true, autocomplete: "off", onsubmit: (event) => this.submit(event) },
      h("header", { class: "modal-head" }, title,
        h("button", { type: "button", class: "quiet", "aria-label": "Close the form",
          onclick: () => this.close(true) }, icon("close"))),
      this.body,
      h("footer", { class: "modal-foot" },
        h("button", { type: "button", class: "button", onclick: () => this.close() },
          isPushed ? "Back" : view.close),
        this.button));
  }

  /** Show the errors that the app found. */
  update(view) {
    for (const [block, input] of this.inputs) input.fail(view.errors[block] ?? "");
    this.tellTrouble(view.errors[""] ?? "");
    const shown = JSON.stringify(view.errors);
    if (shown !== this.shownErrors && shown !== "{}") this.focusError();
    this.shownErrors = shown;
  }

  /** Say in the form what concerns it as a whole; the line under the conversation is covered. */
  tellTrouble(text) {
    this.trouble.textContent = text;
    this.trouble.hidden = !text;
    if (text) this.trouble.scrollIntoView({ block: "nearest" });
  }

  /** To where it was before the app changed the form, else to the first field. */
  focus() {
    this.body.scrollTop = this.scrolled;
    const { block, action } = this.wasFocused ?? {};
    const first = this.inputs.get(block ?? this.inputs.keys().next().value);
    const pressed = action && this.node.querySelector(`[data-action="${CSS.escape(action)}"]`);
    if (pressed) pressed.focus({ preventScroll: true });
    else if (first) first.focus();
    else (this.button ?? this.node.querySelector(".modal-foot button")).focus();
    this.showAppeared();
  }

  /** Scroll to what a button has brought, as a person would: it may be below the fold. */
  showAppeared() {
    const isCalm = matchMedia("(prefers-reduced-motion: reduce)").matches;
    this.appeared?.scrollIntoView({ block: "start", behavior: isCalm ? "auto" : "smooth" });
  }

  findFocus() {
    const active = document.activeElement;
    if (!this.node.contains(active)) return undefined;
    return { block: active.closest("[data-block]")?.dataset.block,
      action: active.dataset.action };
  }

  read() {
    return Object.fromEntries([...this.inputs].map(([block, input]) => [block, input.read()]));
  }

  get place() {
    return { person: this.store.ui.person, view: this.id };
  }

  async submit(event) {
    event.preventDefault();
    this.button?.setAttribute("aria-busy", "true");
    const answer = await attempt(() => act("submit", { ...this.place, values: this.read() }));
    this.button?.removeAttribute("aria-busy");
    if (answer === null) this.tellTrouble(readNotice());
    for (const block of answer?.missing ?? []) {
      this.inputs.get(block)?.fail("Please complete this required field.");
    }
    if (answer?.missing) this.focusError();
  }

  focusError() {
    const wrong = [...this.inputs.values()].find(({ field }) => field.hasAttribute("aria-invalid"));
    wrong?.focus();
  }

  close(everything = false) {
    return attempt(() => act("close", { ...this.place, everything }));
  }

  async press(element, value, button) {
    this.isPressed = button !== undefined;
    button?.setAttribute("aria-busy", "true");
    const answer = await attempt(() =>
      act("press", { ...this.place, action: element.action_id, value, values: this.read() }));
    button?.removeAttribute("aria-busy");
    this.tellTrouble(answer?.ok ? "" : readNotice());
  }

  changed(element, value) {
    if (element.dispatches === false) return undefined;
    return this.press(element, value);
  }

  async suggest(element, query) {
    const answer = await act("suggest", { ...this.place, action: element.action_id, query });
    if (!answer.ok) throw new Error("Could not load options.");
    return answer.options;
  }
}
