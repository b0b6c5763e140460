/** @import { SearchAnswer, SearchSource } from "../../static/js/types.js" */

import assert from "node:assert/strict";
import { afterEach, beforeEach, test } from "node:test";
import { SearchSession, Suggested } from "../../static/js/search-session.js";
import { FakeTimers, settled } from "./fake-timers.js";

/** @type {FakeTimers} */
let timers;
/** @type {{ text: string, signal: AbortSignal, answer: (state?: SearchSource["state"]) => Promise<void>, fail: () => Promise<void> }[]} */
let asked;
/** @type {SearchSession<SearchAnswer>} */
let session;
/** @type {string[]} */
let told;

beforeEach(() => {
  timers = new FakeTimers();
  asked = [];
  told = [];
  session = new SearchSession(
    (text, signal) =>
      new Promise((resolve, reject) => {
        asked.push({
          text,
          signal,
          answer: (state = "ok") => {
            resolve(
              /** @type {SearchAnswer} */ ({ results: [], sources: [{ name: "LDAP", state }] }),
            );
            return settled();
          },
          fail: () => {
            reject(new Error("no answer"));
            return settled();
          },
        });
      }),
  );
  session.addEventListener("answer", (event) => {
    assert.ok(event instanceof Suggested);
    told.push(event.text);
  });
  session.addEventListener("failed", () => told.push("failed"));
});

afterEach(() => timers.restore());

/** @param {number} place */
function question(place) {
  const found = asked[place];
  assert.ok(found, `question ${place} was not asked`);
  return found;
}

test("fast typing asks once, for the last text", async () => {
  session.ask("n");
  await timers.advance(30);
  session.ask("na");
  await timers.advance(30);
  session.ask("nad");
  await timers.advance(80);
  assert.deepEqual(
    asked.map(({ text }) => text),
    ["nad"],
  );
});

test("blanks around the text don't count, and a blank text asks nothing", async () => {
  session.ask("  nad ");
  await timers.advance(80);
  session.ask("   ");
  await timers.advance(80);
  assert.deepEqual(
    asked.map(({ text }) => text),
    ["nad"],
  );
});

test("an older answer that comes late is dropped", async () => {
  session.ask("na");
  await timers.advance(80);
  session.ask("nad");
  await timers.advance(80);
  await question(1).answer();
  await question(0).answer();
  assert.deepEqual(told, ["nad"]);
  assert.equal(question(0).signal.aborted, true);
});

test("while a source searches it is asked again after 150, 400 and 1000 ms, then no more", async () => {
  session.ask("nad");
  await timers.advance(80);
  for (const [round, pause] of [150, 400, 1000].entries()) {
    await question(round).answer("searching");
    assert.deepEqual(timers.waiting, [pause]);
    await timers.advance(pause);
  }
  await question(3).answer("searching");
  assert.deepEqual(timers.waiting, []);
  assert.equal(told.length, 4);
});

test("a source that failed is not asked again", async () => {
  session.ask("nad");
  await timers.advance(80);
  await question(0).answer("failed");
  assert.deepEqual(timers.waiting, []);
});

test("a failure is told, but not one that was overtaken", async () => {
  session.ask("na");
  await timers.advance(80);
  session.ask("nad");
  await question(0).fail();
  assert.deepEqual(told, []);
  await timers.advance(80);
  await question(1).fail();
  assert.deepEqual(told, ["failed"]);
});

test("nothing is told after it was stopped", async () => {
  session.ask("nad");
  await timers.advance(80);
  session.stop();
  await question(0).answer("searching");
  assert.deepEqual(told, []);
  assert.deepEqual(timers.waiting, []);
});
