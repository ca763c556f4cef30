import { expect, test } from "vitest";
import { elapsed } from "./elapsed.ts";

test.each([
  [0, "0.0s"],
  [950, "0.9s"],
  [59_940, "59.9s"],
  [61_000, "1m01s"],
  [3_599_700, "60m00s"],
])("%d ms is %s", (milliseconds, text) => {
  expect(elapsed(milliseconds)).toBe(text);
});
