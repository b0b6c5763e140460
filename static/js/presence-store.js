/** @import { Person, PresenceMessage } from "./types.js" */

import { serverTime } from "./times.js";

/** One person's record is new. */
export class PersonChanged extends Event {
  /** @param {Person} person */
  constructor(person) {
    super("change");
    this.person = person;
  }
}

/**
 * What is known of the people this page watches.
 *
 * Messages may come late, twice or not at all: per person the record with the greater revision
 * stays. Events: `change` ({@link PersonChanged}) and `lost`.
 */
export class PresenceStore extends EventTarget {
  /** @type {Map<string, { person: Person, revision: number }>} */
  #records = new Map();

  /** True while nothing arrives: what was true a minute ago may not be now. */
  isLost = false;

  /** @type {string | null} since when, ISO 8601 */
  lostAt = null;

  /** @param {PresenceMessage} message */
  receive(message) {
    this.isLost = false;
    this.lostAt = null;
    if (message.type === "presence.snapshot") {
      // It names everybody watched: who is missing is watched no more and would grow stale.
      const watched = new Set(message.people.map((person) => person.user_id));
      for (const [id, { revision }] of this.#records) {
        if (!watched.has(id) && revision <= message.revision) {
          this.#records.delete(id);
        }
      }
    }
    for (const person of message.people) {
      this.#learn(person, message.revision);
    }
  }

  /**
   * @param {string} id
   * @returns {Person | undefined}
   */
  get(id) {
    return this.#records.get(id)?.person;
  }

  /** The connection is gone: everybody is unknown, never a stale green. */
  lose() {
    this.isLost = true;
    this.lostAt ??= new Date(serverTime()).toISOString();
    const unheard = { phone_since: this.lostAt, im_since: this.lostAt };
    for (const [id, { person, revision }] of this.#records) {
      this.#records.set(id, {
        person: { ...person, phone: "unknown", im: "unknown", ...unheard },
        revision,
      });
    }
    this.dispatchEvent(new Event("lost"));
  }

  /**
   * Equal revisions replace too: after a loss the same snapshot must bring the people back.
   *
   * @param {Person} person
   * @param {number} revision
   */
  #learn(person, revision) {
    const known = this.#records.get(person.user_id);
    if (known && known.revision > revision) {
      return;
    }
    this.#records.set(person.user_id, { person, revision });
    this.dispatchEvent(new PersonChanged(person));
  }
}
