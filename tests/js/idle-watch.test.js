import assert from "node:assert/strict";
import { test } from "node:test";

import { IDLE_AFTER, IdleWatch } from "../../static/js/idle-watch.js";

class FakeStorage {
  /** @type {Map<string, string>} */
  #texts = new Map();

  /** @param {string} key */
  getItem(key) {
    return this.#texts.get(key) ?? null;
  }

  /**
   * @param {string} key
   * @param {string} text
   */
  setItem(key, text) {
    this.#texts.set(key, text);
  }
}

/** One browser: its tabs share a clock and a storage. */
class Browser {
  now = 1_000_000;
  /** @type {boolean[]} */
  told = [];
  fails = false;
  #storage = new FakeStorage();

  tab({ isIdle = false } = {}) {
    const api = {
      setIdle: async (/** @type {boolean} */ idle) => {
        if (this.fails) {
          throw new Error("no answer");
        }
        this.told.push(idle);
      },
    };
    // @ts-expect-error only what it uses is there
    return new IdleWatch(api, { isIdle, storage: this.#storage, now: () => this.now });
  }
}

test("he is idle when he has not moved for some minutes, and that is said once", () => {
  const browser = new Browser();
  const tab = browser.tab();
  tab.move();
  browser.now += IDLE_AFTER - 1;
  tab.look();
  assert.deepEqual(browser.told, []);
  browser.now += 1;
  tab.look();
  tab.look();
  assert.deepEqual(browser.told, [true]);
});

test("the first movement says that he is back", () => {
  const browser = new Browser();
  const tab = browser.tab({ isIdle: true });
  tab.move();
  tab.move();
  assert.deepEqual(browser.told, [false]);
});

test("who works in another tab is not idle in this one", () => {
  const browser = new Browser();
  const [still, busy] = [browser.tab(), browser.tab()];
  still.move();
  browser.now += IDLE_AFTER / 2;
  busy.move();
  browser.now += IDLE_AFTER / 2;
  still.look();
  assert.deepEqual(browser.told, []);
});

test("what did not reach the server is said again", async () => {
  const browser = new Browser();
  const tab = browser.tab();
  tab.move();
  browser.now += IDLE_AFTER;
  browser.fails = true;
  tab.look();
  await Promise.resolve();
  await Promise.resolve();
  browser.fails = false;
  tab.look();
  assert.deepEqual(browser.told, [true]);
});
