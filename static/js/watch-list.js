/** @import { LiveSocket } from "./live-socket.js" */

/**
 * Asks the live socket for the people whose signs this page shows, and for the reader alone while
 * the page is hidden.
 *
 * @param {LiveSocket} socket
 */
export function keepWatchList(socket) {
  let asked = "";
  let isDue = false;

  const ask = () => {
    isDue = false;
    const badges = document.querySelectorAll("presence-badge[data-user]");
    const shown = [...badges].filter((badge) => !document.hidden || badge.closest("[data-own]"));
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
