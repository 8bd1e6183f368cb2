/** What the server has told, and what is open on this page; whoever watches is told of changes. */

const SECTIONS = [
  "people", "groups", "channels", "messages", "views", "homes", "users", "pushes", "wires", "status",
];

export class Store {
  constructor() {
    for (const name of SECTIONS) this[name] = {};
    /** What this page looks at; nobody else's business. */
    this.ui = {
      person: null, channel: null, place: "channel", thread: null, user: null, follow: true,
      screen: "slack", drawer: null,
    };
    this.connected = false;
    this.clockOffset = 0;
    this.watchers = [];
    this.changed = new Set();
  }

  /** Call `render` soon after any of these sections changed. */
  watch(names, render) {
    this.watchers.push({ names, render });
  }

  /** Take in one message of the feed. */
  apply({ now, set, gone }) {
    this.clockOffset = now - Date.now() / 1000;
    for (const [name, items] of Object.entries(set)) {
      Object.assign(this[name], items);
      this.touch(name);
    }
    for (const [name, keys] of Object.entries(gone)) {
      for (const key of keys) delete this[name][key];
      this.touch(name);
    }
  }

  /** Forget everything; a new connection begins from nothing. */
  clear() {
    for (const name of SECTIONS) this[name] = {};
  }

  show(change) {
    Object.assign(this.ui, change);
    this.touch("ui");
  }

  touch(name) {
    if (this.changed.size === 0) queueMicrotask(() => this.tell());
    this.changed.add(name);
  }

  tell() {
    const changed = this.changed;
    this.changed = new Set();
    for (const { names, render } of this.watchers) {
      if (names.some((name) => changed.has(name))) render();
    }
  }

  /** Seconds since 1970, by the server's clock. */
  now() {
    return Date.now() / 1000 + this.clockOffset;
  }

  get person() {
    return this.people[this.ui.person];
  }

  get actors() {
    return Object.entries(this.people)
      .filter(([, person]) => person.actor !== null)
      .sort(([, one], [, other]) => one.actor - other.actor);
  }

  /** The conversations that the current person sees, channels first. */
  get places() {
    const order = { public: 0, private: 1, im: 2, mpim: 2 };
    return Object.entries(this.channels)
      .filter(([, channel]) => channel.actors.includes(this.ui.person))
      .sort(([, one], [, other]) => order[one.kind] - order[other.kind]);
  }

  /** Messages that the current person sees in a conversation, oldest first. */
  messagesIn(channelId) {
    return Object.entries(this.messages)
      .filter(([, message]) => message.channel === channelId)
      .filter(([, message]) => !message.only || message.only === this.ui.person)
      .sort(([one], [other]) => place(one) - place(other));
  }

  /** The forms in front of the current person, the newest last. */
  get stack() {
    return Object.entries(this.views).filter(([, view]) => view.person === this.ui.person);
  }
}

/** Slack's stamps end in a number that counts up. */
const place = (ts) => Number(ts.split(".")[1]);
