import { expect, test } from "vitest";
import type { StepEvent } from "../../journal/step.ts";
import { plainProgress } from "./plain.ts";

function printed(...events: readonly StepEvent[]): string {
  const said: string[] = [];
  const report = plainProgress({ write: (text) => said.push(text) });
  for (const event of events) report(event);
  return said.join("");
}

test("one line for each start and end, and nothing that moves", () => {
  const text = printed(
    { type: "started", id: "machines", title: "Machines" },
    { type: "progress", id: "machines", message: "half", done: 1, total: 2 },
    { type: "finished", id: "machines", milliseconds: 2_300, detail: "5 created" },
    { type: "skipped", id: "roll", title: "Changes", reason: "none" },
    { type: "warning", message: "One host", hint: "name three" },
  );
  expect(text).toBe("… Machines\n✓ Machines 2.3s (5 created)\n- Changes: none\n! One host\n  name three\n");
  expect(text).not.toContain("\u001B");
});

test("pieces of a step get a line below it if they took long, or failed", () => {
  const text = printed(
    { type: "started", id: "machines", title: "Machines" },
    { type: "started", id: "a", title: "machine a", parent: "machines" },
    { type: "started", id: "b", title: "machine b", parent: "machines" },
    { type: "finished", id: "a", milliseconds: 999 },
    { type: "finished", id: "b", milliseconds: 1_500 },
    { type: "started", id: "c", title: "machine c", parent: "machines" },
    { type: "failed", id: "c", milliseconds: 10, error: "no" },
  );
  expect(text).toBe("… Machines\n  · machine b 1.5s\n✗ machine c 0.0s\n");
});
