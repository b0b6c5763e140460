/** @import { Api } from "./api.js" */

export const IDLE_AFTER = 5 * 60_000;
const LOOK_EVERY = 15_000;
const NOTE_EVERY = 5_000;
const KEY = "bluetel-active";

/**
 * Tells the server when the reader has left his keyboard, and when he is back.
 *
 * All tabs of a browser note his last movement in one place: he is idle when none of them saw one
 * for some minutes, hidden pages included.
 */
export class IdleWatch {
  #api;
  #storage;
  #now;
  #isIdle;
  #notedAt = 0;

  /**
   * @param {Api} api
   * @param {{ isIdle: boolean, storage?: Storage, now?: () => number }} options whether the server
   *   thinks he is idle now
   */
  constructor(api, { isIdle, storage = localStorage, now = Date.now }) {
    this.#api = api;
    this.#storage = storage;
    this.#now = now;
    this.#isIdle = isIdle;
  }

  start() {
    for (const kind of ["pointermove", "pointerdown", "keydown", "scroll", "focus"]) {
      addEventListener(kind, () => this.move(), { capture: true, passive: true });
    }
    document.addEventListener("visibilitychange", () => !document.hidden && this.move());
    setInterval(() => this.look(), LOOK_EVERY);
    if (!document.hidden) {
      this.move();
    }
  }

  /** He moved. */
  move() {
    const now = this.#now();
    if (now - this.#notedAt >= NOTE_EVERY) {
      this.#notedAt = now;
      this.#storage.setItem(KEY, String(now));
    }
    this.#tell(false);
  }

  /** Has he moved lately, in any tab? */
  look() {
    const movedAt = Math.max(this.#notedAt, Number(this.#storage.getItem(KEY)) || 0);
    this.#tell(this.#now() - movedAt >= IDLE_AFTER);
  }

  /** @param {boolean} isIdle */
  async #tell(isIdle) {
    if (isIdle === this.#isIdle) {
      return;
    }
    this.#isIdle = isIdle;
    try {
      await this.#api.setIdle(isIdle);
    } catch {
      this.#isIdle = !isIdle;
    }
  }
}
