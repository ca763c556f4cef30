import { readFileSync } from "node:fs";
import { expect, test } from "vitest";
import { app } from "./app.ts";
import { visibleEntries } from "./command-table.ts";
import { COMMANDS_PAGE, renderCommandsPage } from "./commands-page.ts";

const root = new URL("../../", import.meta.url);

test("docs/commands.md says what --help says; `npm run schemas` renews it", () => {
  expect(readFileSync(new URL(COMMANDS_PAGE, root), "utf8")).toBe(renderCommandsPage());
});

test("README's table has every command that help shows, and no other", () => {
  const readme = readFileSync(new URL("README.md", root), "utf8");
  const rows = /<!-- commands -->\n([\s\S]*?)<!-- \/commands -->/.exec(readme)?.[1]?.split("\n") ?? [];
  const told = rows.flatMap((row) => {
    const cell = row.split(/(?<!\\)\|/)[1] ?? "";
    return [...cell.matchAll(/`castle ([^`]+)`/g)].flatMap(([, words = ""]) => {
      const [verb = "", choices] = words.replace(/ -- .*$/, "").split(" ");
      return choices === undefined ? [verb] : choices.split(/\\?\|/).map((choice) => `${verb} ${choice}`);
    });
  });
  const shown = visibleEntries(app.root, "castle").map(({ name }) => name.split(" ").slice(1, 3).join(" "));
  const groups = new Set(["", "lab", "parts", "secrets list"]);
  expect(told.toSorted()).toEqual([...new Set(shown)].filter((name) => !groups.has(name)).toSorted());
});

test("the lab's own processes are not shown", () => {
  expect(renderCommandsPage()).not.toMatch(/castle lab (serve|agent)/);
});
