import assert from "node:assert/strict";
import { afterEach, beforeEach, test } from "node:test";

import { keepWatchList } from "../../static/js/watch-list.js";
import { FakeTimers } from "./fake-timers.js";

/** A page whose signs are the test's: by id, and what each stands in. */
class FakePage extends EventTarget {
  hidden = false;
  /** @type {{ user: string, within: string }[]} */
  signs = [];

  /** @param {string} selector */
  querySelectorAll(selector) {
    assert.equal(selector, "presence-badge[data-user]");
    return this.signs.map(({ user, within }) => ({
      getAttribute: () => user,
      closest: (/** @type {string} */ places) => places.split(", ").includes(within),
    }));
  }

  /** @param {boolean} isHidden */
  turn(isHidden) {
    this.hidden = isHidden;
    this.dispatchEvent(new Event("visibilitychange"));
  }
}

/** @type {FakeTimers} */
let timers;
/** @type {FakePage} */
let page;
/** @type {string[][]} */
let asked;
const realDocument = globalThis.document;

beforeEach(async () => {
  timers = new FakeTimers();
  page = new FakePage();
  page.signs = [
    { user: "1", within: "[data-own]" },
    { user: "3", within: "team-list" },
    { user: "2", within: "team-list" },
    { user: "3", within: "call-wishes" },
  ];
  asked = [];
  Object.assign(globalThis, { document: page });
  const socket = { watch: (/** @type {string[]} */ users) => asked.push(users) };
  keepWatchList(/** @type {any} */ (socket));
  await timers.advance(0);
});

afterEach(() => {
  timers.restore();
  Object.assign(globalThis, { document: realDocument });
});

test("a page asks once for everybody it shows", () => {
  assert.deepEqual(asked, [["1", "2", "3"]]);
});

test("a page in the background asks for the reader and for whom he waits, and nobody else", async () => {
  page.turn(true);
  await timers.advance(0);
  assert.deepEqual(asked.at(-1), ["1", "3"]);
});

test("a page that is looked at again asks for everybody again", async () => {
  page.turn(true);
  await timers.advance(0);
  page.turn(false);
  await timers.advance(0);
  assert.deepEqual(asked, [
    ["1", "2", "3"],
    ["1", "3"],
    ["1", "2", "3"],
  ]);
});

test("signs that come and go together are one question, and none when they are the same people", async () => {
  page.signs.push({ user: "4", within: "contact-list" });
  page.dispatchEvent(new Event("presence-watch"));
  page.dispatchEvent(new Event("presence-watch"));
  await timers.advance(0);
  page.signs.push({ user: "4", within: "call-bar" });
  page.dispatchEvent(new Event("presence-watch"));
  await timers.advance(0);
  assert.deepEqual(asked.slice(1), [["1", "2", "3", "4"]]);
});
