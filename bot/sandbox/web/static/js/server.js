/** The two ways to the server: the feed that tells, and the actions that ask. */

const AGAIN_AFTER = 700;

/** Keep the store told, for as long as the page is open. */
export function follow(store) {
  const socket = new WebSocket(`ws://${location.host}/feed`);
  let fresh = true;
  socket.addEventListener("message", ({ data }) => {
    if (fresh) store.clear();
    fresh = false;
    store.connected = true;
    store.apply(JSON.parse(data));
    store.touch("connection");
  });
  socket.addEventListener("close", () => {
    store.connected = false;
    store.touch("connection");
    setTimeout(() => follow(store), AGAIN_AFTER);
  });
}

/**
 * Carry out an action; an Error with a sentence if the server would not.
 * @returns {Promise<any>}
 */
export async function act(action, fields) {
  let response;
  try {
    response = await fetch(`/do/${action}`, {
      method: "POST",
      headers: { "Content-Type": "application/json" },
      body: JSON.stringify(fields),
    });
  } catch {
    throw new Error("The sandbox has ended.");
  }
  const answer = await response.json();
  if (!response.ok) throw new Error(answer.why || `It answered ${response.status}.`);
  return answer;
}

/** Both bodies of one request between the three. */
export async function fetchWire(line) {
  const response = await fetch(`/wires/${line}`);
  if (!response.ok) throw new Error("It has been forgotten.");
  return response.json();
}
