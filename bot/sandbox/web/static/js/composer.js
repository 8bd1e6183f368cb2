/** Where one writes: commands, people and channels are completed as in Slack. */

import { h, icon } from "./dom.js";
import { buildMenuButton, Choices } from "./menu.js";
import { attempt, say } from "./notices.js";
import { act } from "./server.js";

const COMMANDS = [
  { label: "/notify", note: "@priya Callback due | Asha asked for 3 pm", value: "/notify " },
  { label: "/notify help", note: "what one can write", value: "/notify help" },
  { label: "/notify whoami", note: "who you are in LeadSquared", value: "/notify whoami" },
  { label: "/notify test", note: "a test notification to yourself", value: "/notify test" },
  { label: "/notify status", note: "what became of the last one", value: "/notify status" },
  { label: "/notify link", note: "admins: who somebody is in LeadSquared", value: "/notify link " },
  { label: "/notify unlink", note: "admins: matched by e-mail again", value: "/notify unlink " },
  { label: "/notify check", note: "admins: what is wrong with the bot", value: "/notify check" },
];
const BEING_TYPED = /(?:^|\s)([@#])([\w.-]*)$/;
const MOST = 8;

/** Put a composer into `holder`; `thread` tells which thread it replies to, if any. */
export class Composer {
  constructor(store, holder, label, thread) {
    this.store = store;
    this.thread = thread;
    this.field = h("textarea", { rows: 1, class: "composer-field", "aria-label": label,
      placeholder: label, oninput: () => this.typed(), onkeydown: (event) => this.press(event),
      onblur: () => this.choices.close() });
    this.choices = new Choices(this.field, "Suggestions", (option) => this.take(option));
    const send = h("button", { type: "button", class: "send", "aria-label": "Send message",
      onclick: () => this.send() }, icon("send"));
    holder.append(this.choices.list,
      h("div", { class: "composer-box" }, thread ? null : this.buildShortcuts(), this.field, send));
  }

  buildShortcuts() {
    const button = h("button", { type: "button", class: "quiet", "aria-label": "Shortcuts" }, icon("bolt"));
    return buildMenuButton(button, () => [{
      label: "Notify in LeadSquared", note: "LeadSquared Notifier",
      run: () => attempt(() =>
        act("shortcut", { person: this.store.ui.person, shortcut: "notify_global" })),
    }]);
  }

  /** Put a text there, as if it had been typed. */
  fill(text) {
    this.field.value = text;
    this.grow();
    this.field.focus();
  }

  typed() {
    this.grow();
    const { value, selectionStart } = this.field;
    const before = value.slice(0, selectionStart);
    const options = before.startsWith("/") && !before.includes(" ") ? this.findCommands(before)
      : this.findNames(before);
    if (options.length) this.choices.show(options);
    else this.choices.close();
  }

  grow() {
    this.field.style.height = "auto";
    this.field.style.height = `${Math.min(this.field.scrollHeight, 140)}px`;
  }

  findCommands(before) {
    return COMMANDS.filter((one) => one.label.startsWith(before)).map((one) => ({ ...one, from: 0 }));
  }

  findNames(before) {
    const found = BEING_TYPED.exec(before);
    if (!found) return [];
    const [, sign, word] = found;
    const from = before.length - word.length - 1;
    const all = sign === "@" ? this.listPeople() : this.listChannels();
    const wanted = word.toLowerCase();
    return all.filter(({ words }) => words.some((one) => one.toLowerCase().startsWith(wanted)))
      .slice(0, MOST).map((one) => ({ ...one, from }));
  }

  listPeople() {
    const groups = Object.values(this.store.groups).map(({ handle }) =>
      ({ label: `@${handle}`, note: "user group", value: `@${handle} `, words: [handle] }));
    const people = Object.values(this.store.people).map(({ name, real_name }) =>
      ({ label: `@${name}`, note: real_name, value: `@${name} `, words: [name, ...real_name.split(" ")] }));
    return [...people.slice(0, 13), ...groups, ...people.slice(13)];
  }

  listChannels() {
    return this.store.places.filter(([, { kind }]) => kind !== "im").map(([, { name }]) =>
      ({ label: `#${name}`, value: `#${name} `, words: [name] }));
  }

  take({ value, from }) {
    const { value: text, selectionStart } = this.field;
    const start = text.slice(0, from) + value;
    this.field.value = start + text.slice(selectionStart);
    this.field.setSelectionRange(start.length, start.length);
    this.field.focus();
  }

  press(event) {
    if (event.isComposing || this.choices.press(event)) return;
    if (event.key === "Enter" && !event.shiftKey) {
      event.preventDefault();
      this.send();
    }
  }

  async send() {
    const text = this.field.value.trim();
    if (!text) return;
    this.choices.close();
    const wrong = this.findMistake(text);
    if (wrong) return say(wrong, "bad");
    say("");
    const { person, channel } = this.store.ui;
    const place = { person, channel, text };
    this.field.value = "";
    this.grow();
    const answer = await attempt(() => (text.startsWith("/") ? act("command", place)
      : act("say", { ...place, thread: this.thread?.() })));
    if (answer === null && this.field.value === "") this.fill(text);
  }

  /** What Slack itself says about a command, before the app hears of it. */
  findMistake(text) {
    if (!text.startsWith("/")) return "";
    if (this.thread) return "Slack takes no commands in threads.";
    const [word] = text.split(/\s/);
    return word === "/notify" ? "" : `${word} is not a valid command. Here, /notify is.`;
  }
}
