/**
 * A clock that a test moves by hand, in place of the runtime's timers.
 */
export class FakeTimers {
  #now = 0;
  #next = 1;
  /** @type {Map<number, { at: number, run: () => void }>} */
  #due = new Map();
  #real = { setTimeout: globalThis.setTimeout, clearTimeout: globalThis.clearTimeout };

  constructor() {
    Object.assign(globalThis, {
      setTimeout: (/** @type {() => void} */ run, /** @type {number} */ delay = 0) => {
        const id = this.#next++;
        this.#due.set(id, { at: this.#now + delay, run });
        return id;
      },
      clearTimeout: (/** @type {number} */ id) => this.#due.delete(id),
    });
  }

  /** @returns {number[]} how long each timer still has, soonest first */
  get waiting() {
    return [...this.#due.values()].map(({ at }) => at - this.#now).sort((a, b) => a - b);
  }

  /**
   * @param {number} milliseconds
   * @returns {Promise<void>} once everything that became due has run, promises included
   */
  async advance(milliseconds) {
    const end = this.#now + milliseconds;
    for (;;) {
      const [first] = [...this.#due].sort((a, b) => a[1].at - b[1].at);
      if (!first || first[1].at > end) {
        break;
      }
      this.#due.delete(first[0]);
      this.#now = first[1].at;
      first[1].run();
      await settled();
    }
    this.#now = end;
    await settled();
  }

  /** Give the runtime its own timers back. */
  restore() {
    Object.assign(globalThis, this.#real);
  }
}

/** @returns {Promise<void>} after all promises that can go on have gone on */
export function settled() {
  return new Promise((resolve) => {
    setImmediate(resolve);
  });
}
