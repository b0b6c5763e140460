/** @import { Person } from "../../static/js/types.js" */

import assert from "node:assert/strict";
import { test } from "node:test";
import { PersonChanged, PresenceStore } from "../../static/js/presence-store.js";

/**
 * @param {string} id
 * @param {Person["phone"]} phone
 * @returns {Person}
 */
const person = (id, phone) => ({ user_id: id, name: `User ${id}`, phone, im: "available" });

/**
 * @param {"presence.snapshot" | "presence.changes"} type
 * @param {number} revision
 * @param {...Person} people
 */
const message = (type, revision, ...people) => ({ type, revision, people });

test("a snapshot is known at once", () => {
  const store = new PresenceStore();
  store.receive(message("presence.snapshot", 7, person("1", "busy")));
  assert.equal(store.get("1")?.phone, "busy");
});

test("an older change does not overwrite a newer one", () => {
  const store = new PresenceStore();
  store.receive(message("presence.changes", 9, person("1", "ringing")));
  store.receive(message("presence.changes", 8, person("1", "available")));
  assert.equal(store.get("1")?.phone, "ringing");
});

test("a late snapshot does not undo a change that overtook it", () => {
  const store = new PresenceStore();
  store.receive(message("presence.changes", 9, person("1", "busy")));
  store.receive(message("presence.snapshot", 8, person("1", "available"), person("2", "busy")));
  assert.equal(store.get("1")?.phone, "busy");
  assert.equal(store.get("2")?.phone, "busy");
});

test("a gap in the revisions means nothing", () => {
  const store = new PresenceStore();
  store.receive(message("presence.snapshot", 1, person("1", "available")));
  store.receive(message("presence.changes", 2 ** 32 + 5, person("1", "offline")));
  assert.equal(store.get("1")?.phone, "offline");
});

test("any order and any repetition of messages end in the same state", () => {
  const messages = [
    message("presence.changes", 1, person("1", "ringing"), person("2", "available")),
    message("presence.changes", 2, person("1", "busy")),
    message("presence.changes", 3, person("2", "ringing")),
    message("presence.changes", 4, person("2", "busy"), person("3", "offline")),
  ];
  for (const order of permutations([...messages, ...messages.slice(1, 3)])) {
    const store = new PresenceStore();
    for (const each of order) {
      store.receive(each);
    }
    assert.deepEqual(
      ["1", "2", "3"].map((id) => store.get(id)?.phone),
      ["busy", "busy", "offline"],
    );
  }
});

test("who is missing from a snapshot is watched no more and forgotten", () => {
  const store = new PresenceStore();
  store.receive(message("presence.snapshot", 1, person("1", "busy"), person("2", "busy")));
  store.receive(message("presence.snapshot", 2, person("1", "busy")));
  assert.equal(store.get("2"), undefined);
});

test("without a connection everybody is unknown, and the same snapshot brings them back", () => {
  const store = new PresenceStore();
  const snapshot = message("presence.snapshot", 3, person("1", "available"));
  store.receive(snapshot);
  store.lose();
  assert.deepEqual([store.get("1")?.phone, store.get("1")?.im], ["unknown", "unknown"]);
  assert.equal(store.isLost, true);
  store.receive(snapshot);
  assert.equal(store.get("1")?.phone, "available");
  assert.equal(store.isLost, false);
});

test("every accepted record is told, a refused one is not", () => {
  const store = new PresenceStore();
  /** @type {string[]} */
  const told = [];
  store.addEventListener("change", (event) => {
    assert.ok(event instanceof PersonChanged);
    told.push(event.person.phone);
  });
  store.receive(message("presence.changes", 5, person("1", "busy")));
  store.receive(message("presence.changes", 4, person("1", "ringing")));
  assert.deepEqual(told, ["busy"]);
});

/**
 * @template T
 * @param {T[]} list
 * @returns {T[][]}
 */
function permutations(list) {
  if (list.length < 2) {
    return [list];
  }
  return list.flatMap((first, place) =>
    permutations(list.filter((_, other) => other !== place)).map((rest) => [first, ...rest]),
  );
}
