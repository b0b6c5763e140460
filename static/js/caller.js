/** @import { Api } from "./api.js" */
/** @import { CallStore } from "./call-store.js" */

import { ApiError } from "./api.js";
import { word } from "./words.js";

/** How long trying again is still the same intent, after an answer that never came. */
const SAME_INTENT = 30_000;

/**
 * Places calls: one per intent, however often one clicks.
 *
 * While a request is under way, the same number is the same intent. Its key lives on for a while
 * when no answer came, so that trying again can't make a second call.
 */
export class Caller {
  #api;
  #calls;
  /** @type {Map<string, { key: string, at: number, placing: Promise<string | undefined> | null }>} */
  #intents = new Map();

  /**
   * @param {Api} api
   * @param {CallStore} calls
   */
  constructor(api, calls) {
    this.#api = api;
    this.#calls = calls;
  }

  /**
   * @param {string} number
   * @returns {Promise<string | undefined>} why nothing was called, or nothing when it was
   */
  call(number) {
    const now = Date.now();
    const known = this.#intents.get(number);
    const isSame = known && (known.placing || now - known.at < SAME_INTENT);
    const intent = isSame ? known : { key: newKey(), at: now, placing: null };
    this.#intents.set(number, intent);
    intent.placing ??= this.#place(number, intent.key).finally(() => {
      intent.placing = null;
    });
    return intent.placing;
  }

  /**
   * @param {string} number
   * @param {string} key
   */
  async #place(number, key) {
    try {
      this.#calls.learn(await this.#api.placeCall(number, key));
      this.#intents.delete(number);
      return undefined;
    } catch (error) {
      return this.#reason(number, error);
    }
  }

  /**
   * @param {string} number
   * @param {unknown} error
   */
  #reason(number, error) {
    if (!(error instanceof ApiError)) {
      throw error;
    }
    if (error.code === "no_answer") {
      return word("no-answer");
    }
    // After a 503 the phone system may yet have heard: the key stays for the next try.
    if (error.code !== "pbx_unavailable") {
      this.#intents.delete(number);
    }
    return error.message || word("failed");
  }
}

/** `crypto.randomUUID` exists on https only, and an intranet may have none. */
function newKey() {
  const bytes = crypto.getRandomValues(new Uint8Array(16));
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("");
}
