import { expect, test } from "vitest";
import { table } from "./table.ts";

test("columns are as wide as their widest cell, and lines have no blanks at their end", () => {
  expect(
    table([
      ["NODE", "ROLE"],
      ["fortress-cp-1", "x"],
      ["a", ""],
    ]),
  ).toBe("NODE           ROLE\nfortress-cp-1  x\na");
});

test("no rows are no text", () => {
  expect(table([])).toBe("");
});
