/** Everything that is on the page, put together. */

import { Composer } from "./composer.js";
import { startConversation } from "./conversation.js";
import { startHome } from "./home.js";
import { startMeter } from "./meter.js";
import { startModals } from "./modal.js";
import { startDesktop, startScreen } from "./screen.js";
import { follow } from "./server.js";
import { startSidebar } from "./sidebar.js";
import { Store } from "./store.js";
import { startSwitches } from "./switches.js";
import { startScreens, startTheme } from "./theme.js";
import { startWire } from "./wire.js";

const EXAMPLE = "/notify @priya Callback due | Asha asked for 3 pm";

/** Begin as the first person, in the first channel, before Priya's screen. */
function begin(store) {
  if (store.ui.person || !store.actors.length) return;
  const [person] = store.actors[0];
  const priya = Object.values(store.people).find(({ name }) => name === "priya");
  store.show({ person, channel: Object.keys(store.channels)[0], user: priya?.user ?? null });
}

const store = new Store();
store.watch(["people", "channels"], () => begin(store));
startTheme();
startScreens(store);
startSidebar(store);
startConversation(store);
const composer = new Composer(store, document.getElementById("composer"), "Message");
new Composer(store, document.getElementById("thread-composer"), "Reply", () => store.ui.thread);
document.getElementById("example").addEventListener("click", () => composer.fill(EXAMPLE));
startModals(store);
startHome(store);
startScreen(store);
startDesktop();
startMeter(store);
startSwitches(store, composer);
startWire(store);
follow(store);
