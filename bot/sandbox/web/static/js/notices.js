/** One line under the conversation: how the last acknowledgement went, or why nothing was done. */

const WORDS = {
  operation_timeout: "The bot did not acknowledge within 3 seconds.",
  dispatch_failed: "The bot could not be reached.",
  http_service_error: "The bot answered with an error.",
  http_client_error: "The bot refused the request.",
};

const line = () => document.getElementById("notice");

export function tellAck({ ok, error, seconds, missing }) {
  if (missing || seconds === undefined) return;
  const shown = ok ? `Acknowledged in ${formatSeconds(seconds)}.` : (WORDS[error] ?? `${error}`);
  say(shown, ok ? "" : "bad");
}

export function tellError(error) {
  say(error.message, "bad");
}

export function say(text, tone = "") {
  line().textContent = text;
  line().className = `notice ${tone}`;
}

export const formatSeconds = (seconds) =>
  seconds < 1 ? `${Math.max(1, Math.round(seconds * 1000))} ms` : `${seconds.toFixed(1)} s`;

/** What the line says now. */
export const readNotice = () => line().textContent;

/** Run an action of a person; what went wrong is told. */
export async function attempt(doing) {
  try {
    const answer = await doing();
    if (answer && "ok" in answer) tellAck(answer);
    return answer;
  } catch (error) {
    tellError(error);
    return null;
  }
}
