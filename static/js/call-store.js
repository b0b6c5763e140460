/** @import { Call } from "./types.js" */

const ORDER = ["requested", "ringing_self", "ringing_peer", "talking", "held", "ended"];

/** One call is new, different, or gone. */
export class CallChanged extends Event {
  /** @param {string} id */
  constructor(id) {
    super("change");
    this.id = id;
  }
}

/**
 * The user's own calls, live and just ended, in the order they came.
 *
 * Event: `change` ({@link CallChanged}); {@link CallStore.get} then tells whether it is still there.
 */
export class CallStore extends EventTarget {
  /** @type {Map<string, Call>} */
  #calls = new Map();
  /** @type {Set<string>} */
  #dismissed = new Set();

  /** @returns {Call[]} */
  get all() {
    return [...this.#calls.values()];
  }

  /** @returns {Call[]} */
  get live() {
    return this.all.filter((call) => call.state !== "ended");
  }

  /**
   * @param {string} id
   * @returns {Call | undefined}
   */
  get(id) {
    return this.#calls.get(id);
  }

  /**
   * From the live socket, where calls come in order: whole, and true. Only an ended call stays
   * ended, whatever comes.
   *
   * @param {Call} call
   */
  receive(call) {
    if (this.#calls.get(call.id)?.state !== "ended") {
      this.#set(call);
    }
  }

  /**
   * From an HTTP answer, which the socket may have overtaken: it moves a call on, never back.
   *
   * @param {Call} call
   */
  learn(call) {
    const known = this.#calls.get(call.id);
    if (!known || ORDER.indexOf(call.state) > ORDER.indexOf(known.state)) {
      this.#set(call);
    }
  }

  /**
   * The whole list of live calls, read after the connection was lost.
   *
   * @param {Call[]} calls
   * @returns {string[]} ids of calls that lived here and are not in the list: they ended unseen
   */
  replace(calls) {
    const listed = new Set(calls.map((call) => call.id));
    for (const call of calls) {
      this.receive(call);
    }
    return this.live.map((call) => call.id).filter((id) => !listed.has(id));
  }

  /**
   * Forget a call; its place on the page goes too.
   *
   * @param {string} id
   */
  dismiss(id) {
    this.#dismissed.add(id);
    if (this.#calls.delete(id)) {
      this.#changed(id);
    }
  }

  /** @param {Call} call */
  #set(call) {
    if (this.#dismissed.has(call.id)) {
      return;
    }
    this.#calls.set(call.id, call);
    this.#changed(call.id);
  }

  /** @param {string} id */
  #changed(id) {
    this.dispatchEvent(new CallChanged(id));
  }
}
