import { expect, it } from "vitest";
import { trustIn } from "./kubelet-trust.ts";

const now = new Date("2026-11-23T18:00:00Z");
const date = "Mon, 23 Nov 2026 18:00:02 GMT";

it.each([
  ["knows who may ask", 200, date, true],
  ["knows who may not ask", 403, date, true],
  ["knows nobody of this authority", 401, date, false],
  ["does not tell while it starts", 500, date, undefined],
  ["whose clock is off finds good certificates bad", 401, "Mon, 23 Nov 2026 16:00:00 GMT", undefined],
  ["tells no time", 401, undefined, undefined],
] as const)("a kubelet that %s", (_, status, said, expected) => {
  expect(trustIn(status, { date: said }, now)).toBe(expected);
});
