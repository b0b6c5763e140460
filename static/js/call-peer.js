/** @import { Call } from "./types.js" */

/** How a colleague's contact id begins: `presence/peers.py` says the same. */
const COLLEAGUE = "user-";

/**
 * Show who is at the other end of a call, with his signs, if he is a colleague.
 *
 * @param {ParentNode} line of the call
 * @param {Call} call
 */
export function showPeer(line, call) {
  const place = line.querySelector('[data-part="peer"]');
  const badge = place?.querySelector("presence-badge");
  if (!place || !(badge instanceof HTMLElement)) {
    return;
  }
  const id = call.contact_id ?? "";
  const user = id.startsWith(COLLEAGUE) ? id.slice(COLLEAGUE.length) : "";
  place.toggleAttribute("hidden", !user);
  if (badge.dataset.user !== user) {
    badge.dataset.user = user;
    badge.title = "";
    // Put in anew, it looks the person up and has him watched.
    place.append(badge);
  }
}
