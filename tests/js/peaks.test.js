import assert from "node:assert/strict";
import { test } from "node:test";
import { loudness } from "../../static/js/peaks.js";

test("the loudest part is as high as can be and the others in proportion", () => {
  const samples = new Float32Array([0, 0.1, -0.4, 0.2, 0, 0]);
  assert.deepEqual(
    loudness(samples, 3).map((peak) => Math.round(peak * 100) / 100),
    [0.25, 1, 0],
  );
});

test("silence stays silent", () => {
  assert.deepEqual(loudness(new Float32Array(100), 4), [0, 0, 0, 0]);
});

test("fewer samples than parts leave the rest silent", () => {
  assert.equal(loudness(new Float32Array([1]), 3).length, 3);
});
