/** Light and dark: as the machine says, or as the button was pressed. */

const WIDE = matchMedia("(min-width: 900px)");

export function startTheme() {
  const button = document.getElementById("theme");
  const dark = matchMedia("(prefers-color-scheme: dark)");
  const draw = () => {
    const isDark = (document.documentElement.dataset.theme ?? (dark.matches ? "dark" : "light")) === "dark";
    button.setAttribute("aria-pressed", String(isDark));
  };
  button.addEventListener("click", () => {
    const isDark = button.getAttribute("aria-pressed") === "true";
    document.documentElement.dataset.theme = isDark ? "light" : "dark";
    draw();
  });
  dark.addEventListener("change", draw);
  draw();
}

/**
 * What is in sight. On a wide screen Slack and LeadSquared stand side by side and the rest is a
 * drawer below; on a narrow one there is one at a time.
 */
export function startScreens(store) {
  const nav = document.getElementById("screens");
  nav.addEventListener("click", (event) => {
    const name = event.target.closest("button[data-screen]")?.dataset.screen;
    if (name === "slack" || name === "crm") store.show({ screen: name, drawer: null });
    else if (name) store.show({ drawer: store.ui.drawer === name && WIDE.matches ? null : name });
  });
  document.getElementById("drawer-close").addEventListener("click", () => store.show({ drawer: null }));
  const draw = () => {
    const { screen, drawer } = store.ui;
    const shown = drawer ?? screen;
    document.body.dataset.screen = shown;
    document.getElementById("drawer").hidden = drawer === null;
    document.getElementById("switches").hidden = drawer !== "switches";
    document.getElementById("wire").hidden = drawer !== "wire";
    document.getElementById("drawer-title").textContent = drawer === "wire" ? "Wire" : "Switches";
    for (const button of nav.querySelectorAll("button")) {
      button.setAttribute("aria-pressed", String(button.dataset.screen === shown));
    }
    drawUnseen(store, shown);
  };
  store.watch(["ui", "pushes"], draw);
  draw();
}

/** On a narrow screen, how many notifications came while the other half was in sight. */
function drawUnseen(store, shown) {
  const newest = Math.max(0, ...Object.keys(store.pushes).map(Number));
  if (WIDE.matches || shown === "crm") store.seen = newest;
  const unseen = newest - (store.seen ?? newest);
  const badge = document.getElementById("unseen");
  badge.hidden = unseen <= 0;
  badge.textContent = unseen > 0 ? String(unseen) : "";
}
