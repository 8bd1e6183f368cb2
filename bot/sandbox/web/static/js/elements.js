/**
 * Block Kit's elements. Each is built from what the app gave and what stands in it; the inputs
 * answer with { node, read, focus }, where `read` returns the value as the stand-in takes it.
 */

import { confirmFirst } from "./confirm.js";
import { h, nextId } from "./dom.js";
import { write } from "./emoji.js";
import { buildMenuButton } from "./menu.js";
import { picture } from "./pictures.js";
import { Select } from "./select.js";

const FIELDS = {
  plain_text_input: "text", url_text_input: "url", email_text_input: "email", number_input: "number",
  datepicker: "date", timepicker: "time", datetimepicker: "datetime-local",
};

/** Something to press: a button or an overflow menu. */
export function buildButton(element, surface) {
  if (element.type === "overflow") return buildOverflow(element, surface);
  const style = element.style ? ` button-${element.style}` : "";
  const press = () => confirmFirst(element, () => surface.press(element, element.value, button));
  const button = h("button", { type: "button", class: `button${style}`,
    "data-action": element.action_id, "aria-label": element.accessibility_label, onclick: press }, write(element.text.text));
  return button;
}

function buildOverflow(element, surface) {
  const button = h("button", { type: "button", class: "button", "aria-label": "More" }, "⋯");
  const entries = () => element.options.map((option) => ({
    label: option.text.text,
    run: () => confirmFirst(element, () => surface.press(element, option.value, button)),
  }));
  return buildMenuButton(button, entries);
}

/** Something that keeps a value. */
export function buildInput(element, entry, surface, label, id = nextId("input")) {
  if (element.type.endsWith("_select")) return buildSelect(element, entry, surface, label, id);
  if (element.type === "radio_buttons" || element.type === "checkboxes") {
    return buildBoxes(element, entry, surface, label, id);
  }
  return buildField(element, entry, surface, id);
}

function buildField(element, entry, surface, id) {
  const stamp = element.type === "datetimepicker";
  const initial = entry.value ?? entry.selected_date ?? entry.selected_time ?? "";
  const props = { id, class: "field", placeholder: element.placeholder?.text,
    maxlength: element.max_length, value: stamp ? readStamp(entry) : initial,
    onchange: () => surface.changed(element, read()) };
  const field = element.multiline
    ? h("textarea", { rows: 4, ...props })
    : h("input", { type: FIELDS[element.type] ?? "text", ...props });
  const read = () => {
    if (field.value === "") return null;
    return stamp ? Math.floor(new Date(field.value).getTime() / 1000) : field.value;
  };
  return { node: field, read, focus: () => field.focus(), field };
}

function readStamp(entry) {
  if (!entry.selected_date_time) return "";
  return new Date(entry.selected_date_time * 1000).toISOString().slice(0, 16);
}

function buildBoxes(element, entry, surface, label, id) {
  const many = element.type === "checkboxes";
  const chosen = many ? entry.selected_options : [entry.selected_option].filter(Boolean);
  const values = new Set(chosen.map((option) => option.value));
  const rows = element.options.map((option, number) => {
    const box = h("input", { type: many ? "checkbox" : "radio", name: id, id: `${id}-${number}`,
      value: option.value, onchange: () => surface.changed(element, read()) });
    box.checked = values.has(option.value);
    return h("label", { class: "box", for: box.id }, box, h("span", {}, write(option.text.text),
      option.description ? h("span", { class: "choice-note" }, option.description.text) : null));
  });
  const node = h("div", { id, class: "boxes", role: many ? "group" : "radiogroup",
    "aria-label": label }, rows);
  const read = () => {
    const picked = [...node.querySelectorAll("input:checked")].map((box) => box.value);
    return many ? picked : (picked[0] ?? null);
  };
  return { node, read, focus: () => node.querySelector("input")?.focus(), field: node };
}

function buildSelect(element, entry, surface, label, id) {
  const source = findSource(element, surface);
  const select = new Select({
    id, label, placeholder: element.placeholder?.text ?? "Choose",
    multi: element.type.startsWith("multi_"),
    chosen: readChosen(entry, source),
    load: source.load, least: source.least,
    onchange: () => surface.changed(element, select.value),
  });
  return { node: select.node, read: () => select.value, focus: () => select.field.focus(),
    field: select.field };
}

const asChoice = (option) =>
  ({ label: option.text.text, note: option.description?.text, value: option.value });

const narrow = (options, query) => options.filter((option) =>
  `${option.label} ${option.note ?? ""}`.toLowerCase().includes(query.toLowerCase()));

/** Where the options come from, and what an id that is chosen already is called. */
function findSource(element, surface) {
  const { store } = surface;
  if (element.type.includes("external")) {
    const least = element.min_query_length ?? 3;
    const load = async (query) => {
      if (!surface.suggest) throw new Error("Here only forms ask the app for options.");
      return (await surface.suggest(element, query)).map(asChoice);
    };
    return { load, least, read: asChoice };
  }
  if (element.type.includes("users")) {
    const all = Object.entries(store.people).map(([value, person]) =>
      ({ label: person.real_name, note: `@${person.name}`, value }));
    return listed(all);
  }
  if (/channels|conversations/.test(element.type)) {
    return listed(store.places.map(([value, channel]) => ({ label: `#${channel.name}`, value })));
  }
  const groups = (element.option_groups ?? []).flatMap((group) => group.options);
  return { ...listed([...(element.options ?? []), ...groups].map(asChoice)), read: asChoice };
}

function listed(all) {
  const read = (id) => all.find((option) => option.value === id) ?? { label: id, value: id };
  return { load: async (query) => narrow(all, query), read };
}

function readChosen(entry, source) {
  const [value] = Object.entries(entry).filter(([key]) => key !== "type").map(([, kept]) => kept);
  const many = Array.isArray(value) ? value : [value];
  return many.filter((one) => one !== null && one !== undefined).map(source.read);
}

/** Whether the element keeps a value. */
export const isInput = (element) =>
  element.type in FIELDS || element.type.endsWith("_select")
  || element.type === "radio_buttons" || element.type === "checkboxes";

/** A small picture beside or in a text. */
export const buildImage = (element, className) =>
  picture(element.image_url, element.alt_text, className);
