/**
 * The records of the JSON API and the live socket, as far as the pages use them.
 *
 * @typedef {"available" | "busy" | "ringing" | "offline" | "unknown"} PhoneState
 * @typedef {"available" | "busy" | "away" | "offline" | "unknown"} ImState
 *
 * @typedef {object} Person
 * @property {string} user_id
 * @property {string} name
 * @property {PhoneState} phone
 * @property {ImState} im
 * @property {string} [message]
 * @property {string | null} [phone_since]
 * @property {string | null} [im_since]
 *
 * @typedef {Person & {
 *   source: "manual" | "calendar" | "idle" | "session",
 *   until: string | null,
 * }} MyStatus  the reader's own status, why it holds, and until when that reason does
 *
 * @typedef {object} PresenceMessage  a snapshot of the people watched, or changes of some
 * @property {"presence.snapshot" | "presence.changes"} type
 * @property {number} revision
 * @property {Person[]} people
 *
 * @typedef {PresenceMessage
 *   | { type: "call", call: Call }
 *   | { type: "voicemail", unread: number }
 *   | { type: "call_wishes", wishes: CallWish[] }
 *   | { type: "routing" }
 *   | { type: "pbx", state: "up" | "down", since: string | null }} LivePayload
 *
 * @typedef {object} Call
 * @property {string} id
 * @property {"requested" | "ringing_self" | "ringing_peer" | "talking" | "held" | "ended"} state
 * @property {"outgoing" | "incoming"} direction
 * @property {string} number
 * @property {string} [shown]  the number as the site's country writes it
 * @property {string} name
 * @property {string | null} [contact_id]
 * @property {string | null} answered_at
 * @property {string | null} ended_at
 * @property {string | null} end_reason
 * @property {boolean} muted
 * @property {boolean} [emergency]
 *
 * @typedef {object} CallWish  somebody the reader wants to call when he is free
 * @property {string} user_id
 * @property {string} name
 * @property {string} number
 * @property {string} expires_at
 *
 * @typedef {object} SearchRow
 * @property {string} name
 * @property {string} number
 * @property {string} [shown]  the number as the site's country writes it
 * @property {string} label
 * @property {"extension" | "mobile" | "work" | "home" | "other"} kind
 * @property {string} source
 * @property {string | null} user_id
 * @property {PhoneState | null} phone
 * @property {ImState | null} im
 *
 * @typedef {object} SearchSource
 * @property {string} name
 * @property {"ok" | "searching" | "failed"} state
 *
 * @typedef {object} SearchAnswer
 * @property {SearchRow[]} results
 * @property {SearchSource[]} sources
 *
 * @typedef {object} Handset
 * @property {string} extension
 * @property {string} name
 * @property {boolean} plugged
 * @property {boolean} do_not_disturb
 * @property {"idle" | "ringing" | "calling" | "talking" | "held"} state
 * @property {string} number
 * @property {string} name_shown
 * @property {string | null} since
 * @property {boolean} outside
 */

export {};
