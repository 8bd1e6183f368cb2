/** A list of choices under a text field, moved through with the arrow keys; the field keeps focus. */

import { h, nextId } from "./dom.js";

/**
 * Ties a list to a field. `choose(option)` is called with what was taken; the owner fills the list
 * by `show` and `say`.
 */
export class Choices {
  constructor(field, label, choose) {
    this.field = field;
    this.choose = choose;
    this.options = [];
    this.active = -1;
    this.list = h("ul", { class: "choices", role: "listbox", id: nextId("list"), "aria-label": label,
      hidden: true, onpointerdown: (event) => event.preventDefault(),
      onclick: (event) => this.click(event) });
    this.note = h("p", { class: "choices choices-note", role: "status", hidden: true });
    field.setAttribute("role", "combobox");
    field.setAttribute("aria-autocomplete", "list");
    field.setAttribute("aria-controls", this.list.id);
    field.setAttribute("aria-expanded", "false");
  }

  get isOpen() {
    return !this.list.hidden;
  }

  /** @param {{label: string, note?: string, chosen?: boolean, value: any}[]} options */
  show(options, active = 0) {
    this.options = options;
    this.note.hidden = true;
    this.list.replaceChildren(...options.map((option, number) =>
      h("li", { role: "option", id: `${this.list.id}-${number}`, "data-number": number,
        "aria-selected": option.chosen ? "true" : "false" },
        h("span", {}, option.label),
        option.note ? h("span", { class: "choice-note" }, option.note) : null)));
    this.list.hidden = options.length === 0;
    this.field.setAttribute("aria-expanded", String(this.isOpen));
    this.move(Math.min(active, options.length - 1));
  }

  /** Show a sentence in the place of the list. */
  say(text) {
    this.close();
    this.note.textContent = text;
    this.note.hidden = false;
  }

  close() {
    this.list.hidden = true;
    this.note.hidden = true;
    this.active = -1;
    this.field.setAttribute("aria-expanded", "false");
    this.field.removeAttribute("aria-activedescendant");
  }

  move(to) {
    this.list.children[this.active]?.classList.remove("active");
    this.active = to;
    const item = this.list.children[to];
    if (!item) return this.field.removeAttribute("aria-activedescendant");
    item.classList.add("active");
    item.scrollIntoView?.({ block: "nearest" });
    this.field.setAttribute("aria-activedescendant", item.id);
  }

  /** Handle a key of the field; true if it was for the list. */
  press(event) {
    if (!this.isOpen) return false;
    const last = this.options.length - 1;
    if (event.key === "ArrowDown") this.move(this.active >= last ? 0 : this.active + 1);
    else if (event.key === "ArrowUp") this.move(this.active <= 0 ? last : this.active - 1);
    else if (event.key === "Escape") this.close();
    else if ((event.key === "Enter" || event.key === "Tab") && this.active >= 0) this.take(this.active);
    else return false;
    event.preventDefault();
    event.stopPropagation();
    return true;
  }

  click(event) {
    const item = event.target.closest("[role=option]");
    if (item) this.take(Number(item.dataset.number));
  }

  take(number) {
    const option = this.options[number];
    this.close();
    this.choose(option);
  }
}

/** A button with a menu behind it; `entries` are [{label, run}] asked for when it opens. */
export function buildMenuButton(button, entries) {
  const menu = h("div", { class: "menu", role: "menu", hidden: true });
  const holder = h("span", { class: "menu-holder" }, button, menu);
  const close = (focus) => {
    menu.hidden = true;
    button.setAttribute("aria-expanded", "false");
    if (focus) button.focus();
  };
  const open = () => {
    menu.replaceChildren(...entries().map(({ label, note, run }) =>
      h("button", { type: "button", role: "menuitem", onclick: () => { close(true); run(); } },
        h("span", {}, label), note ? h("span", { class: "choice-note" }, note) : null)));
    menu.hidden = false;
    menu.classList.toggle("menu-up", button.getBoundingClientRect().top > innerHeight * 0.6);
    button.setAttribute("aria-expanded", "true");
    menu.firstElementChild?.focus();
  };
  button.setAttribute("aria-haspopup", "menu");
  button.setAttribute("aria-expanded", "false");
  button.addEventListener("click", () => (menu.hidden ? open() : close(true)));
  holder.addEventListener("focusout", (event) => {
    if (!holder.contains(event.relatedTarget)) close(false);
  });
  menu.addEventListener("keydown", (event) => {
    const items = [...menu.children];
    const at = items.indexOf(document.activeElement);
    if (event.key === "Escape") close(true);
    else if (event.key === "ArrowDown") items[(at + 1) % items.length].focus();
    else if (event.key === "ArrowUp") items[(at + items.length - 1) % items.length].focus();
    else return;
    event.preventDefault();
    event.stopPropagation();
  });
  return holder;
}
