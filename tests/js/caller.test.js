/** @import { Call } from "../../static/js/types.js" */

import assert from "node:assert/strict";
import { afterEach, beforeEach, test } from "node:test";
import { Api } from "../../static/js/api.js";
import { CallStore } from "../../static/js/call-store.js";
import { Caller } from "../../static/js/caller.js";

/** @type {{ key: string, number: string }[]} */
let placed;
/** @type {(() => Response | Promise<Response>)[]} */
let answers;
/** @type {CallStore} */
let calls;
/** @type {Caller} */
let caller;
const real = { fetch: globalThis.fetch, document: globalThis.document };

beforeEach(() => {
  placed = [];
  answers = [];
  calls = new CallStore();
  caller = new Caller(new Api("https://site.test/api/v1/"), calls);
  Object.assign(globalThis, {
    document: { cookie: "csrftoken=token", querySelector: () => null },
    fetch: async (/** @type {string} */ _url, /** @type {RequestInit} */ request) => {
      const headers = new Headers(request.headers);
      placed.push({
        key: headers.get("Idempotency-Key") ?? "",
        number: JSON.parse(String(request.body)).number,
      });
      return (answers.shift() ?? accepted)();
    },
  });
});

afterEach(() => {
  Object.assign(globalThis, real);
});

const accepted = () =>
  Response.json(
    /** @type {Call} */ ({ id: String(placed.length), state: "requested", number: "1002" }),
    { status: 202 },
  );

/**
 * @param {number} status
 * @param {string} code
 */
const refused = (status, code) => () =>
  Response.json({ error: { code, message: `No: ${code}` } }, { status });

test("a call that is taken is known at once, and nothing is complained of", async () => {
  assert.equal(await caller.call("1002"), undefined);
  assert.equal(calls.live.length, 1);
});

test("a double click is one request", async () => {
  await Promise.all([caller.call("1002"), caller.call("1002")]);
  assert.equal(placed.length, 1);
});

test("calling again later is another intent", async () => {
  await caller.call("1002");
  await caller.call("1002");
  assert.notEqual(placed[0]?.key, placed[1]?.key);
});

test("two numbers at once are two intents", async () => {
  await Promise.all([caller.call("1002"), caller.call("1003")]);
  assert.equal(new Set(placed.map(({ key }) => key)).size, 2);
});

test("a refusal tells the server's own sentence", async () => {
  answers.push(refused(403, "number_refused"));
  assert.equal(await caller.call("0899123456"), "No: number_refused");
  assert.equal(calls.all.length, 0);
});

test("trying again after an answer that never came keeps the key", async () => {
  answers.push(() => Promise.reject(new TypeError("network")));
  assert.notEqual(await caller.call("1002"), undefined);
  await caller.call("1002");
  assert.equal(placed[0]?.key, placed[1]?.key);
});

test("trying again while the phone system is away keeps the key", async () => {
  answers.push(refused(503, "pbx_unavailable"));
  await caller.call("1002");
  await caller.call("1002");
  assert.equal(placed[0]?.key, placed[1]?.key);
});

test("trying again after a refusal is a new intent", async () => {
  answers.push(refused(409, "phone_unreachable"));
  await caller.call("1002");
  await caller.call("1002");
  assert.notEqual(placed[0]?.key, placed[1]?.key);
});
