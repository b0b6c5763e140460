/** @import { Call } from "../../static/js/types.js" */

import assert from "node:assert/strict";
import { test } from "node:test";
import { isDone, phaseOf, textsOf } from "../../static/js/call-view.js";

/**
 * @param {Partial<Call>} facts
 * @returns {Call}
 */
const call = (facts) => ({
  id: "1",
  state: "ringing_self",
  direction: "outgoing",
  number: "1002",
  name: "",
  answered_at: null,
  ended_at: null,
  end_reason: null,
  muted: false,
  ...facts,
});

for (const [what, facts, phase] of /** @type {[string, Partial<Call>, string][]} */ ([
  ["an outgoing call rings the user's own phone", {}, "ringing_self"],
  ["somebody else's call rings", { direction: "incoming" }, "incoming"],
  ["an answered incoming call is a talk", { direction: "incoming", state: "talking" }, "talking"],
  ["an end has its reason", { state: "ended", end_reason: "busy" }, "ended-busy"],
  ["an end without a reason failed", { state: "ended" }, "ended-failed"],
  [
    "an incoming call nobody took was missed",
    { direction: "incoming", state: "ended", end_reason: "cancelled" },
    "ended-missed",
  ],
  [
    "an incoming call that was talked on has ended",
    {
      direction: "incoming",
      state: "ended",
      end_reason: "hung_up",
      answered_at: "2026-11-24T10:00Z",
    },
    "ended-hung_up",
  ],
])) {
  test(`${what}: ${phase}`, () => assert.equal(phaseOf(call(facts)), phase));
}

test("only an end with nothing left to do goes by itself", () => {
  assert.equal(isDone(call({ state: "ended", end_reason: "hung_up" })), true);
  assert.equal(isDone(call({ state: "ended", end_reason: "no_answer" })), false);
});

test("a number is written as the server wrote it", () => {
  const texts = textsOf(call({ number: "+4930901820", shown: "+49 30 901820" }));
  assert.equal(texts.name, "+49 30 901820");
});
