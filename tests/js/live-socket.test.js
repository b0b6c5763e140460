import assert from "node:assert/strict";
import { afterEach, beforeEach, test } from "node:test";
import { LiveSocket } from "../../static/js/live-socket.js";
import { FakeSocket } from "./fake-socket.js";
import { FakeTimers } from "./fake-timers.js";

/** @type {FakeTimers} */
let timers;
/** @type {LiveSocket} */
let live;
/** @type {string[]} */
let told;
const realSocket = globalThis.WebSocket;

beforeEach(() => {
  timers = new FakeTimers();
  FakeSocket.made = [];
  Object.assign(globalThis, { WebSocket: FakeSocket });
  live = new LiveSocket(
    "ws://site.test/ws/live/",
    () => 1,
    () => 250,
  );
  told = [];
  for (const type of ["open", "lost", "signed-out", "message"]) {
    live.addEventListener(type, () => told.push(type));
  }
});

afterEach(() => {
  timers.restore();
  Object.assign(globalThis, { WebSocket: realSocket });
});

test("it asks for the people at once, and for what was told while the page was loading", () => {
  live.watch(["2", "3"]);
  live.start();
  FakeSocket.latest.open();
  assert.deepEqual(FakeSocket.latest.sent, [{ type: "watch", users: ["2", "3"], age: 0.25 }]);
});

test("each watch replaces the last on an open socket", () => {
  live.start();
  FakeSocket.latest.open();
  live.watch(["9"]);
  assert.deepEqual(FakeSocket.latest.sent.at(-1), { type: "watch", users: ["9"] });
});

test("after a cut it watches the same people and asks for what it missed", async () => {
  live.watch(["2"]);
  live.start();
  FakeSocket.latest.open();
  FakeSocket.latest.end();
  await timers.advance(500);
  FakeSocket.latest.open();
  assert.deepEqual(FakeSocket.latest.sent, [{ type: "watch", users: ["2"] }, { type: "resync" }]);
});

test("a resync from the server is answered with one", () => {
  live.start();
  FakeSocket.latest.open();
  FakeSocket.latest.bring({ type: "resync" });
  assert.deepEqual(FakeSocket.latest.sent.at(-1), { type: "resync" });
  assert.ok(!told.includes("message"));
});

test("it waits ever longer between tries, at most fifteen seconds", async () => {
  live.start();
  /** @type {number[]} */
  const delays = [];
  for (let round = 0; round < 7; round += 1) {
    FakeSocket.latest.end();
    const [delay = 0] = timers.waiting;
    delays.push(delay);
    await timers.advance(delay);
  }
  assert.deepEqual(delays, [500, 1000, 2000, 4000, 8000, 15000, 15000]);
});

test("jitter takes up to half of the wait away", () => {
  const early = new LiveSocket("ws://site.test/ws/live/", () => 0);
  early.start();
  FakeSocket.latest.end();
  assert.deepEqual(timers.waiting, [250]);
});

test("the first message makes the next wait short again", async () => {
  live.start();
  FakeSocket.latest.end();
  await timers.advance(500);
  FakeSocket.latest.open();
  FakeSocket.latest.bring({ type: "pbx", state: "up", since: null });
  FakeSocket.latest.end();
  assert.deepEqual(timers.waiting, [500]);
});

test("who is turned away with an error waits ever longer", async () => {
  live.start();
  FakeSocket.latest.end();
  await timers.advance(500);
  FakeSocket.latest.open();
  FakeSocket.latest.bring({ type: "error", code: "too_many_sockets" });
  FakeSocket.latest.end(4429);
  assert.deepEqual(timers.waiting, [1000]);
});

test("a loss is told once, however many tries fail", async () => {
  live.start();
  FakeSocket.latest.open();
  FakeSocket.latest.end();
  await timers.advance(500);
  FakeSocket.latest.end();
  await timers.advance(1000);
  FakeSocket.latest.end();
  assert.deepEqual(told, ["open", "lost"]);
});

test("signed out means out: no further try", async () => {
  live.start();
  FakeSocket.latest.open();
  FakeSocket.latest.end(4401);
  await timers.advance(60_000);
  assert.deepEqual(told, ["open", "signed-out"]);
  assert.equal(FakeSocket.made.length, 1);
});

test("a connection that does not prove itself is given up for a new one", async () => {
  live.start();
  FakeSocket.latest.open();
  live.prove();
  await timers.advance(5_000);
  assert.deepEqual(told, ["open", "lost"]);
  await timers.advance(500);
  assert.equal(FakeSocket.made.length, 2);
});

test("a connection that answers stays", async () => {
  live.start();
  FakeSocket.latest.open();
  live.prove();
  FakeSocket.latest.bring({ type: "presence.snapshot", revision: 1, people: [] });
  await timers.advance(60_000);
  assert.equal(FakeSocket.made.length, 1);
});

test("coming back to the page does not wait for the next try", async () => {
  live.start();
  FakeSocket.latest.end();
  live.prove();
  assert.equal(FakeSocket.made.length, 2);
  await timers.advance(60_000);
  assert.equal(FakeSocket.made.length, 2);
});

test("the end of a socket that was given up changes nothing", async () => {
  live.start();
  const dead = FakeSocket.latest;
  dead.open();
  live.prove();
  await timers.advance(5_500);
  const next = FakeSocket.latest;
  next.open();
  dead.end();
  await timers.advance(60_000);
  assert.equal(FakeSocket.latest, next);
  assert.deepEqual(told, ["open", "lost", "open"]);
});
