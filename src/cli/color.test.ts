import { expect, test } from "vitest";
import { chooseColor } from "./color.ts";

test("--no-color is taken off the command line, but not from what belongs to another program", () => {
  expect(chooseColor(["status", "--no-color"], {})).toEqual({ argv: ["status"], color: "never" });
  const passed = ["kubectl", "--", "get", "--no-color"];
  expect(chooseColor(passed, {})).toEqual({ argv: passed, color: "auto" });
});

test.each([{ NO_COLOR: "1" }, { CASTLE_NO_COLOR: "true" }, { TERM: "dumb" }])("%j", (env) => {
  expect(chooseColor([], env).color).toBe("never");
});

test("an empty NO_COLOR says nothing", () => {
  expect(chooseColor([], { NO_COLOR: "", CASTLE_NO_COLOR: "0" }).color).toBe("auto");
});
