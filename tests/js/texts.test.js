import assert from "node:assert/strict";
import { test } from "node:test";
import { initials } from "../../static/js/initials.js";
import { foldedWords } from "../../static/js/marks.js";
import { ownLabel, shownNumber } from "../../static/js/numbers.js";
import { age, span } from "../../static/js/times.js";

for (const [name, letters] of /** @type {[string, string][]} */ ([
  ["Nadia Belkacem", "NB"],
  ["Łucja Wiśniewska", "ŁW"],
  ["Jean-Luc de la Tour", "JT"],
  ["Marta", "M"],
  ["ñandu (Oslo)", "Ñ"],
  ["<script>", ""],
  ["01 99 00 42 17", ""],
  ["", ""],
])) {
  test(`the initials of "${name}" are "${letters}"`, () => assert.equal(initials(name), letters));
}

for (const [text, words] of /** @type {[string, string[]][]} */ ([
  ["Jean-Pierre O’Brien", ["jean", "pierre", "o", "brien"]],
  ["LEBŒUF Strauß", ["leboeuf", "strauss"]],
  ["Łucja Ærø", ["lucja", "aero"]],
  [" ", []],
])) {
  test(`the words of "${text}" are ${words}`, () => assert.deepEqual(foldedWords(text), words));
}

for (const [number, shown] of /** @type {[string, string][]} */ ([
  ["0199004217", "01 99 00 42 17"],
  ["+33199004217", "01 99 00 42 17"],
  ["0033199004217", "01 99 00 42 17"],
  ["1002", "1002"],
  ["112", "112"],
  ["+442079460018", "+442079460018"],
  ["*97", "*97"],
])) {
  test(`in France ${number} is shown as ${shown}`, () => {
    assert.equal(shownNumber(number, "FR").replaceAll("\u00a0", " "), shown);
  });
}

test("elsewhere a French number is left alone", () => {
  assert.equal(shownNumber("0199004217", "DE"), "0199004217");
});

for (const [to, shown] of /** @type {[string, string][]} */ ([
  ["2026-11-24T10:00:42Z", "0:42"],
  ["2026-11-24T10:04:07Z", "4:07"],
  ["2026-11-24T11:02:03Z", "1:02:03"],
  ["2026-11-24T09:59:59Z", "0:00"],
])) {
  test(`from ten o'clock to ${to} it is ${shown}`, () => {
    assert.equal(span("2026-11-24T10:00:00Z", to), shown);
  });
}

test("an age is told in minutes, then hours, then days", () => {
  const ago = (/** @type {number} */ minutes) =>
    age(new Date(Date.now() - minutes * 60_000).toISOString());
  assert.deepEqual(ago(12.5), { unit: "min", count: 12 });
  assert.deepEqual(ago(59.5), { unit: "min", count: 59 });
  assert.deepEqual(ago(150), { unit: "h", count: 2 });
  assert.deepEqual(ago(47.5 * 60), { unit: "h", count: 47 });
  assert.deepEqual(ago(49 * 60), { unit: "d", count: 2 });
  assert.deepEqual(ago(-5), { unit: "min", count: 0 });
});

for (const [kind, label, own] of /** @type {[string, string, string][]} */ ([
  ["other", "secretary", "secretary"],
  ["other", "other", ""],
  ["other", "", ""],
  ["mobile", "mobile", ""],
])) {
  test(`a number of the kind ${kind} labelled "${label}" is called "${own}" of its own`, () =>
    assert.equal(ownLabel({ kind, label }), own));
}
