import { readFileSync } from "node:fs";
import { expect, test } from "vitest";
import { catalogue } from "../errors/catalogue.ts";

const page = readFileSync(new URL("../../docs/errors.md", import.meta.url), "utf8");
const order = (left: string, right: string) => (left < right ? -1 : 1);
const rows = page
  .split("\n")
  .filter((line) => line.startsWith("| `"))
  .map((line) => line.slice(2, -2).split(" | "));

test("docs/errors.md has every code of the catalogue, and no other, with its exit code and meaning", () => {
  const told = rows.map(([code, exit, meaning]) => `| ${code} | ${exit} | ${meaning} |`);
  const known = Object.entries(catalogue).map(
    ([code, { exit, meaning }]) => `| \`${code}\` | ${exit} | ${meaning} |`,
  );
  expect(told.toSorted(order)).toEqual(known.toSorted(order));
});

test("every code has something to do about it", () => {
  const idle = rows.filter(([, , , advice = ""]) => !/\w.*\.$/.test(advice));
  expect(idle).toEqual([]);
});
