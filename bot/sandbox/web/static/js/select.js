/** Slack's select menus: one or several, from a list, from people, or from the app as one types. */

import { h } from "./dom.js";
import { Choices } from "./menu.js";

const ASK_AFTER = 200;

/**
 * @param {object} given
 * @param {string} given.id
 * @param {string} given.label what the list is called
 * @param {string} given.placeholder
 * @param {boolean} given.multi
 * @param {{label: string, value: any}[]} given.chosen
 * @param {(query: string) => Promise<{label: string, note?: string, value: any}[]>} given.load
 * @param {number} [given.least] characters before `load` is asked
 * @param {() => void} [given.onchange]
 */
export class Select {
  constructor(given) {
    this.given = given;
    this.chosen = [...given.chosen];
    this.turn = 0;
    this.field = h("input", { id: given.id, type: "text", autocomplete: "off", spellcheck: "false",
      placeholder: given.placeholder, oninput: () => this.ask(), onclick: () => this.open(),
      onkeydown: (event) => this.press(event), onblur: () => this.leave() });
    this.choices = new Choices(this.field, given.label, (option) => this.take(option));
    this.chips = h("span", { class: "chips" });
    this.clear = h("button", { type: "button", class: "quiet", "aria-label": `Clear ${given.label}`,
      onclick: () => this.set([]) }, "×");
    this.node = h("div", { class: given.multi ? "select select-multi" : "select" },
      this.chips, this.field, given.multi ? null : this.clear, this.choices.list, this.choices.note);
    this.draw();
  }

  /** The value, or for several the values. */
  get value() {
    const values = this.chosen.map((option) => option.value);
    return this.given.multi ? values : (values[0] ?? null);
  }

  open() {
    if (!this.choices.isOpen) this.ask();
  }

  ask() {
    const query = this.isShowingChoice ? "" : this.field.value.trim();
    const turn = (this.turn += 1);
    const least = this.given.least ?? 0;
    if (query.length < least) {
      return this.choices.say(`Type at least ${least} characters.`);
    }
    if (!least) return this.load(query, turn);
    this.choices.say("Looking …");
    setTimeout(() => turn === this.turn && this.load(query, turn), ASK_AFTER);
  }

  async load(query, turn) {
    let options;
    try {
      options = await this.given.load(query);
    } catch (error) {
      if (turn === this.turn) this.choices.say(error.message);
      return;
    }
    if (turn !== this.turn) return;
    const mine = new Set(this.chosen.map((option) => option.value));
    const shown = options.map((option) => ({ ...option, chosen: mine.has(option.value) }));
    if (shown.length) this.choices.show(shown);
    else this.choices.say("Nothing found.");
  }

  get isShowingChoice() {
    return !this.given.multi && this.chosen.length > 0 && this.field.value === this.chosen[0].label;
  }

  take(option) {
    if (!this.given.multi) return this.set([option]);
    const others = this.chosen.filter((one) => one.value !== option.value);
    this.set(others.length < this.chosen.length ? others : [...this.chosen, option]);
  }

  set(chosen) {
    this.turn += 1;
    this.chosen = chosen;
    this.draw();
    this.field.focus();
    this.given.onchange?.();
  }

  draw() {
    this.clear.hidden = this.chosen.length === 0;
    this.field.value = this.given.multi ? "" : (this.chosen[0]?.label ?? "");
    if (!this.given.multi) return;
    this.chips.replaceChildren(...this.chosen.map((option) =>
      h("span", { class: "chip" }, option.label,
        h("button", { type: "button", "aria-label": `Remove ${option.label}`,
          onclick: () => this.take(option) }, "×"))));
    this.field.placeholder = this.chosen.length ? "" : this.given.placeholder;
  }

  press(event) {
    if (this.choices.press(event)) return;
    if (event.key === "ArrowDown") {
      this.open();
      event.preventDefault();
    } else if (event.key === "Enter") {
      event.preventDefault();
      this.open();
    } else if (event.key === "Backspace" && this.field.value === "" && this.chosen.length) {
      this.set(this.chosen.slice(0, -1));
    }
  }

  /** What was typed and not taken chooses nothing. */
  leave() {
    this.turn += 1;
    this.choices.close();
    this.draw();
  }
}
