import { access, readFile } from "node:fs/promises";
import { expect, test } from "vitest";

const read = (path: string) => readFile(new URL(`../../${path}`, import.meta.url), "utf8");

/** Without doubles, in order: `castle parts list|build` counts as parts. */
const commands = (text: string, pattern: RegExp) =>
  [...new Set([...text.matchAll(pattern)].map((match) => match[1]))].toSorted((a = "", b = "") =>
    a.localeCompare(b),
  );

test("the README's table names the commands that there are, and no others", async () => {
  const table = /<!-- commands -->([\s\S]*)<!-- \/commands -->/.exec(await read("README.md"))?.[1] ?? "";
  const there = commands(await read("docs/commands.md"), /^## castle ([a-z]+)/gm);
  expect(there.length).toBeGreaterThan(10);
  expect(commands(table, /`castle ([a-z]+)/g)).toEqual(there);
});

test("the README's links lead somewhere", async () => {
  const links = [...(await read("README.md")).matchAll(/\]\(([^)#:]+)\)/g)].map((match) => match[1] ?? "");
  expect(links.length).toBeGreaterThan(2);
  for (const link of links) await access(new URL(`../../${link}`, import.meta.url));
});
