/** @import { Call } from "./types.js" */

import { initials } from "./initials.js";
import { shownNumber } from "./numbers.js";
import { clock, span } from "./times.js";
import { word } from "./words.js";

/**
 * What the call bar shows: the call's state, `incoming` while somebody else's call rings, else why
 * it ended. The server's `bluetel/templatetags/callbar.py` says the same.
 *
 * @param {Call} call
 * @returns {string}
 */
export function phaseOf(call) {
  const isIncoming = call.direction === "incoming";
  if (call.state === "ended") {
    const reason = call.end_reason ?? "failed";
    const wasMissed = isIncoming && call.answered_at === null && reason !== "refused";
    return wasMissed ? "ended-missed" : `ended-${reason}`;
  }
  return isIncoming && call.state === "ringing_self" ? "incoming" : call.state;
}

/**
 * The texts of a call, by slot.
 *
 * @param {Call} call
 * @returns {Record<string, string>}
 */
export function textsOf(call) {
  const number = call.shown ?? shownNumber(call.number);
  const name = call.name || number || word("unknown-number");
  const aside = call.name ? number : "";
  return {
    name,
    aside,
    number,
    party: aside ? `${name}, ${aside}` : name,
    initials: initials(name),
    duration: span(call.answered_at),
    lasted: span(call.answered_at, call.ended_at),
    ended: [aside, clock(call.ended_at)].filter(Boolean).join(" · "),
  };
}

/**
 * Whether an ended call has nothing left to do, so that its bar may go by itself.
 *
 * @param {Call} call
 * @returns {boolean}
 */
export function isDone(call) {
  return ["ended-hung_up", "ended-cancelled"].includes(phaseOf(call));
}
