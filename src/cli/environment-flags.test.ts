import { describe, expect, test } from "vitest";
import { app } from "./app.ts";
import { commandsOf } from "./command-table.ts";
import { ownFlags, withEnvironmentFlags } from "./environment-flags.ts";

const words = (line: string, env: Record<string, string>) =>
  withEnvironmentFlags(app.root, line.split(" "), env).join(" ");

describe("withEnvironmentFlags", () => {
  test("adds what the command line leaves open", () => {
    expect(words("status", { CASTLE_FILE: "lab.yaml", CASTLE_OUTPUT: "json" })).toBe(
      "status --file=lab.yaml --output=json",
    );
  });

  test.each(["status --file a", "status --file=a", "status -f a", "status -f=a"])("%s wins", (line) => {
    expect(words(line, { CASTLE_FILE: "b" })).toBe(line);
  });

  test("booleans are given for 1, true and yes, left for 0, false, no and nothing", () => {
    for (const value of ["1", "true", "yes"]) expect(words("down", { CASTLE_YES: value })).toBe("down --yes");
    for (const value of ["0", "false", "no", ""]) expect(words("down", { CASTLE_YES: value })).toBe("down");
    expect(words("down", { CASTLE_YES: "maybe" })).toBe("down --yes=maybe");
  });

  test("only flags that the command has", () => {
    expect(words("parts import a.tar", { CASTLE_FILE: "x", CASTLE_YES: "1" })).toBe("parts import a.tar");
    expect(words("secrets", { CASTLE_FILE: "x" })).toBe("secrets --file=x");
    expect(words("secrets -o json", { CASTLE_FILE: "x" })).toBe("secrets -o json --file=x");
    expect(words("parts build", { CASTLE_INSTALL_TOOLS: "1" })).toBe("parts build --install-tools");
    expect(words("lab down mine", { CASTLE_KEEP_DISKS: "1" })).toBe("lab down mine --keep-disks");
  });

  test("what belongs to another program is left alone", () => {
    expect(words("kubectl -- get -f x", { CASTLE_FILE: "y" })).toBe("kubectl --file=y -- get -f x");
  });

  test.each(["--help", "down --help", "lab", "nonsense", "lab nonsense"])("castle %s stays", (line) => {
    expect(words(line, { CASTLE_FILE: "x", CASTLE_YES: "1" })).toBe(line);
  });

  test("every flag of every command has a variable of its own", () => {
    for (const { name, command } of commandsOf(app.root)) {
      const variables = ownFlags(command).map(({ variable }) => variable);
      expect([name, ...new Set(variables)]).toEqual([name, ...variables]);
      for (const variable of variables) expect(variable).toMatch(/^CASTLE_[A-Z_]+$/);
    }
  });

  test("a variable for a flag is not also one of castle's other variables", () => {
    const others = new Set([
      "CASTLE_LABS",
      "CASTLE_PARTS",
      "CASTLE_DEBUG",
      "CASTLE_GO_CACHES",
      "CASTLE_AGE_IDENTITY",
      "CASTLE_MONITORING_WEBHOOK",
    ]);
    const all = commandsOf(app.root).flatMap(({ command }) => ownFlags(command).map((flag) => flag.variable));
    expect(all.filter((variable) => others.has(variable))).toEqual([]);
  });
});
