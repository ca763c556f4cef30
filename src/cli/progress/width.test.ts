import { expect, test } from "vitest";
import { paints } from "./paint.ts";
import { columnsOf, cutToWidth } from "./width.ts";

const { green, dim } = paints(true);

test("colours take no columns, wide characters two, combining ones none", () => {
  expect(columnsOf(green("abc"))).toBe(3);
  expect(columnsOf("城塞")).toBe(4);
  expect(columnsOf("e\u0301✓")).toBe(2);
});

test("a line that fits stays", () => {
  expect(cutToWidth(green("abc"), 3)).toBe(green("abc"));
});

test("a longer one is cut to the width and keeps its colours' ends", () => {
  const cut = cutToWidth(`${green("abcdef")} ${dim("ghi")}`, 4);
  expect(columnsOf(cut)).toBe(4);
  expect(cut).toContain("abc…");
  expect(cut).toContain("\u001B[39m");
  expect(columnsOf(cutToWidth("城塞城塞", 4))).toBeLessThanOrEqual(4);
});
