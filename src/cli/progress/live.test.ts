import { stripVTControlCharacters } from "node:util";
import { expect, test } from "vitest";
import type { StepEvent } from "../../journal/step.ts";
import { liveProgress } from "./live.ts";
import { columnsOf } from "./width.ts";

/** A terminal that understands what the renderer sends: text, lines, cursor up, clearing. */
class Screen {
  readonly columns = 80;
  rows: string[] = [""];
  row = 0;
  column = 0;
  cursor = true;

  write(text: string): void {
    // oxlint-disable-next-line no-control-regex -- a terminal's language
    for (const [piece] of text.matchAll(/\u001B\[[?0-9;]*[A-Za-z]|\n|[^\u001B\n]+/g)) this.#take(piece);
  }

  get lines(): readonly string[] {
    return this.rows.filter((row) => row !== "");
  }

  #take(piece: string): void {
    const line = this.rows[this.row] ?? "";
    if (piece === "\n") {
      this.row += 1;
      this.column = 0;
      this.rows[this.row] ??= "";
    } else if (piece.endsWith("A")) this.row -= Number(piece.slice(2, -1));
    else if (piece === "\u001B[K") this.rows[this.row] = line.slice(0, this.column);
    else if (piece === "\u001B[0J") {
      this.rows = [...this.rows.slice(0, this.row), line.slice(0, this.column)];
    } else if (piece === "\u001B[?25l") this.cursor = false;
    else if (piece === "\u001B[?25h") this.cursor = true;
    else {
      this.rows[this.row] = line.slice(0, this.column) + piece + line.slice(this.column + piece.length);
      this.column += piece.length;
    }
  }
}

const machines: StepEvent = { type: "started", id: "machines", title: "Machines" };
const piece: StepEvent = { type: "started", id: "a", title: "machine a: creating", parent: "machines" };

function played(columns: number, ...events: readonly StepEvent[]) {
  const writes: string[] = [];
  const live = liveProgress({ write: (text) => writes.push(text), columns }, { color: false });
  for (const event of events) live.report(event);
  return { live, writes, all: () => writes.join("") };
}

test("pieces stand below their step, and are gone without a line once they are done", () => {
  const { live, writes, all } = played(80, machines, { type: "started", id: "z", title: "Other" }, piece);
  const picture = stripVTControlCharacters(writes.at(-1) ?? "").split("\n");
  expect(picture[0]).toContain("Machines");
  expect(picture[1]).toMatch(/^ {2}· machine a: creating/);
  expect(picture[2]).toContain("Other");
  live.report({ type: "finished", id: "a", milliseconds: 600 });
  expect(stripVTControlCharacters(writes.at(-1) ?? "")).not.toContain("machine a");
  expect(all()).not.toContain("✓");
  live.stop();
});

test("a finished step stays, and after the last one the cursor is back", () => {
  const screen = new Screen();
  const live = liveProgress(screen, { color: false });
  live.report(machines);
  expect(screen.cursor).toBe(false);
  live.report({ type: "finished", id: "machines", milliseconds: 2_300, detail: "5 created" });
  expect(screen.lines).toEqual(["✓ Machines 2.3s 5 created"]);
  expect(screen.cursor).toBe(true);
  live.stop();
});

test("stopping in the middle takes the moving lines away and gives the cursor back", () => {
  const screen = new Screen();
  const live = liveProgress(screen, { color: false });
  live.report(machines);
  live.report(piece);
  live.stop();
  expect(screen.lines).toEqual([]);
  expect(screen.cursor).toBe(true);
});

test("no line is as wide as the terminal, so none wraps", () => {
  const { live, all } = played(
    20,
    machines,
    {
      type: "progress",
      id: "machines",
      message: "a long story about what is going on",
      done: 1,
      total: 2,
    },
    piece,
  );
  for (const line of stripVTControlCharacters(all()).split("\n")) expect(columnsOf(line)).toBeLessThan(20);
  live.stop();
});

test("nothing is cleared before it is written again, which would flicker", () => {
  const { live, writes } = played(80, machines, piece);
  const picture = writes.at(-1) ?? "";
  expect(picture.indexOf("Machines")).toBeLessThan(picture.indexOf("\u001B[0J"));
  live.stop();
});

test("without colour there is none", () => {
  const { live, all } = played(80, machines, { type: "failed", id: "machines", milliseconds: 1, error: "x" });
  // oxlint-disable-next-line no-control-regex -- a terminal's language
  expect(all()).not.toMatch(/\u001B\[[0-9;]*m/);
  live.stop();
});
