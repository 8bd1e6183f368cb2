/** The few emoji that have a name here; every other stands as it was written. */

const NAMES = {
  white_check_mark: "✅", warning: "⚠️", x: "❌", hourglass_flowing_sand: "⏳", tada: "🎉",
  "+1": "👍", thumbsup: "👍", wave: "👋", eyes: "👀", smile: "😄", heart: "❤️", fire: "🔥",
  bell: "🔔", telephone_receiver: "📞", email: "✉️", rocket: "🚀", point_up: "☝️",
};

/** Drawn by us, so that they look alike everywhere. */
const DRAWN = { "✅": "sent", "⚠️": "warning", "⚠": "warning", "❌": "failed", "⏳": "waiting" };
const PIECES = /(✅|⚠️|⚠|❌|⏳)/u;

/** The emoji called `:name:`; null if there is none here. */
export const findEmoji = (name) => NAMES[name] ?? null;

/** Text as nodes, with the drawn emoji in it. */
export function write(text) {
  return text.split(PIECES).filter(Boolean).map((piece) => {
    if (!(piece in DRAWN)) return document.createTextNode(piece);
    const span = document.createElement("span");
    span.className = `emoji emoji-${DRAWN[piece]}`;
    span.textContent = piece;
    return span;
  });
}
