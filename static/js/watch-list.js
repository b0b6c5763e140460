/** @import { LiveSocket } from "./live-socket.js" */

/** What matters while nobody looks: the reader himself, and whom he waits for. */
const ALWAYS = "[data-own], call-wishes";

/**
 * Asks the live socket for the people whose signs this page shows; while the page is hidden, for
 * the reader alone and for whom he wants to call when they are free.
 *
 * @param {LiveSocket} socket
 */
export function keepWatchList(socket) {
  let asked = "";
  let isDue = false;

  const ask = () => {
    isDue = false;
    const badges = document.querySelectorAll("presence-badge[data-user]");
    const shown = [...badges].filter((badge) => !document.hidden || badge.closest(ALWAYS));
    const users = shown.map((badge) => badge.getAttribute("data-user") ?? "").filter(Boolean);
    const list = [...new Set(users)].sort();
    if (list.join() !== asked) {
      asked = list.join();
      socket.watch(list);
    }
  };
  const askSoon = () => {
    if (!isDue) {
      isDue = true;
      // One question for all badges that came or went together.
      setTimeout(ask, 0);
    }
  };

  document.addEventListener("presence-watch", askSoon);
  document.addEventListener("visibilitychange", askSoon);
  askSoon();
}
