/** @import { Call } from "../../static/js/types.js" */

import assert from "node:assert/strict";
import { test } from "node:test";
import { CallStore } from "../../static/js/call-store.js";

/**
 * @param {Call["state"]} state
 * @param {string} [id]
 * @returns {Call}
 */
function call(state, id = "1") {
  return {
    id,
    state,
    direction: "outgoing",
    number: "1002",
    name: "Nadia Belkacem",
    answered_at: null,
    ended_at: null,
    end_reason: null,
    muted: false,
  };
}

test("an HTTP answer that the socket has overtaken changes nothing", () => {
  const store = new CallStore();
  store.receive(call("ringing_self"));
  store.learn(call("requested"));
  assert.equal(store.get("1")?.state, "ringing_self");
});

test("an HTTP answer moves a call on", () => {
  const store = new CallStore();
  store.receive(call("ringing_self"));
  store.learn(call("ended"));
  assert.equal(store.get("1")?.state, "ended");
});

test("a call that ended before its own answer came stays ended", () => {
  const store = new CallStore();
  store.receive(call("ended"));
  store.learn(call("requested"));
  assert.equal(store.get("1")?.state, "ended");
});

test("an ended call never lives again", () => {
  const store = new CallStore();
  store.receive(call("ended"));
  store.receive(call("talking"));
  assert.equal(store.get("1")?.state, "ended");
});

test("the socket may take a call from hold back to talking", () => {
  const store = new CallStore();
  store.receive(call("held"));
  store.receive(call("talking"));
  assert.equal(store.get("1")?.state, "talking");
});

test("a fresh list names the calls that ended unseen", () => {
  const store = new CallStore();
  store.receive(call("talking", "1"));
  store.receive(call("ended", "2"));
  assert.deepEqual(store.replace([call("ringing_self", "3")]), ["1"]);
  assert.deepEqual(
    store.live.map(({ id }) => id),
    ["1", "3"],
  );
});

test("a dismissed call does not come back with a late message", () => {
  const store = new CallStore();
  store.receive(call("ended"));
  store.dismiss("1");
  store.receive(call("ended"));
  assert.equal(store.get("1"), undefined);
});

test("every change is told with the call's id, dismissal too", () => {
  const store = new CallStore();
  /** @type {unknown[]} */
  const told = [];
  store.addEventListener("change", (event) => told.push(Reflect.get(event, "id")));
  store.receive(call("requested"));
  store.learn(call("requested"));
  store.dismiss("1");
  store.dismiss("1");
  assert.deepEqual(told, ["1", "1"]);
});
