/**
 * Block Kit's blocks, for messages, forms and the Home tab alike.
 *
 * A surface says where they stand: `store`, `values` and `errors` of a form, `inputs` (filled here:
 * block id to what reads its value), and `press`, `changed` and `suggest`.
 */

import { h, nextId } from "./dom.js";
import { buildButton, buildImage, buildInput, isInput } from "./elements.js";
import { write } from "./emoji.js";
import { readMrkdwn } from "./mrkdwn.js";
import { picture } from "./pictures.js";
import { readRichText } from "./richtext.js";

const BUILDERS = {
  section: buildSection,
  header: (block) => h("h3", { class: "block-header" }, write(block.text.text)),
  divider: () => h("hr"),
  image: buildPicture,
  context: buildContext,
  actions: buildActions,
  input: buildInputBlock,
  rich_text: (block, surface) => h("div", {}, readRichText(block, surface.store)),
  markdown: (block, surface) => h("div", { class: "text" }, readMrkdwn(block.text, surface.store)),
};

/** All blocks as nodes. */
export const buildBlocks = (blocks, surface) => blocks.map((block) => {
  const build = BUILDERS[block.type];
  const node = build ? build(block, surface) : h("p", {}, `(a block of type ${block.type})`);
  node.classList.add("block");
  return node;
});

const readText = (text, surface) =>
  text.type === "mrkdwn" ? readMrkdwn(text.text, surface.store) : readPlain(text.text);

const readPlain = (text) =>
  text.split("\n").flatMap((line, at) => (at ? [h("br"), ...write(line)] : write(line)));

function buildSection(block, surface) {
  const text = block.text ? h("div", { class: "text" }, readText(block.text, surface)) : null;
  const fields = (block.fields ?? []).map((field) => h("div", { class: "text" }, readText(field, surface)));
  const body = h("div", { class: "section-body" }, text,
    fields.length ? h("div", { class: "fields" }, fields) : null);
  const accessory = block.accessory
    ? h("div", { class: "accessory" }, buildElement(block.accessory, block, surface)) : null;
  return h("div", { class: "section" }, body, accessory);
}

function buildElement(element, block, surface) {
  if (element.type === "image") return buildImage(element, "accessory-image");
  const placed = { ...element, block_id: block.block_id };
  if (!isInput(element)) return buildButton(placed, surface);
  const label = element.placeholder?.text ?? "Choose";
  const input = buildInput(placed, readEntry(block, element, surface), surface, label);
  input.field.setAttribute("aria-label", label);
  return input.node;
}

/** What stands in an element: the server knows it of a form; in a message it is what is initial. */
function readEntry(block, element, surface) {
  const kept = surface.values?.[block.block_id]?.[element.action_id];
  if (kept) return kept;
  const many = element.type.startsWith("multi_") || element.type === "checkboxes";
  const nothing = many ? ["initial_options", []] : ["initial_option", null];
  const [name, value] = Object.entries(element).find(([key]) => key.startsWith("initial_")) ?? nothing;
  const field = name === "initial_value" ? "value" : name.replace("initial_", "selected_");
  return { type: element.type, [field]: value };
}

function buildPicture(block) {
  return h("figure", {}, block.title ? h("figcaption", {}, block.title.text) : null,
    picture(block.image_url, block.alt_text, "block-image"));
}

function buildContext(block, surface) {
  return h("div", { class: "context" }, block.elements.map((element) =>
    element.type === "image" ? buildImage(element, "context-image")
      : h("span", { class: "text" }, readText(element, surface))));
}

function buildActions(block, surface) {
  return h("div", { class: "actions" },
    block.elements.map((element) => buildElement(element, block, surface)));
}

function buildInputBlock(block, surface) {
  const { element } = block;
  const id = nextId("input");
  const entry = readEntry(block, element, surface);
  const placed = { ...element, block_id: block.block_id, dispatches: block.dispatch_action === true };
  const input = buildInput(placed, entry, surface, block.label.text, id);
  surface.inputs?.set(block.block_id, input);
  const hint = block.hint ? h("p", { class: "hint", id: `${id}-hint` }, block.hint.text) : null;
  const error = h("p", { class: "error", id: `${id}-error`, hidden: true });
  input.field.setAttribute("aria-describedby", `${id}-error ${hint ? hint.id : ""}`.trim());
  if (!block.optional) input.field.setAttribute("aria-required", "true");
  input.fail = (text) => showError(input.field, error, text);
  input.fail(surface.errors?.[block.block_id] ?? "");
  const optional = block.optional ? h("span", { class: "optional" }, " (optional)") : null;
  const isGroup = input.field.classList.contains("boxes");
  const label = h(isGroup ? "span" : "label", { class: "label", for: isGroup ? null : id },
    block.label.text, optional);
  return h("div", { class: "input", "data-block": block.block_id }, label, input.node, error, hint);
}

function showError(field, node, text) {
  node.replaceChildren(...(text ? write(text) : []));
  node.hidden = !text;
  if (text) field.setAttribute("aria-invalid", "true");
  else field.removeAttribute("aria-invalid");
}
