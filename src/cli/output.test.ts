import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { castle } from "../../test/fixtures/cli-context.ts";
import { type DocumentKind, documentShape } from "./documents.ts";

let cwd: string;

beforeEach(() => {
  cwd = mkdtempSync(join(tmpdir(), "castle-cli-"));
  writeFileSync(join(cwd, "castle.yaml"), "castle: fortress\nhypervisor: {lab: {name: t-cli-output}}\n");
});

afterEach(() => rmSync(cwd, { recursive: true }));

/** The one document on standard output, checked against its kind's shape. */
async function document(
  kind: DocumentKind,
  ...words: readonly string[]
): Promise<Readonly<Record<string, unknown>>> {
  const { stdout, exit } = await castle({ cwd }, ...words, "-o", "json");
  return { ...documentShape(kind).parse(JSON.parse(stdout)), exit };
}

/** Milliseconds: the first command of a kind loads half of castle, on a machine that may be busy. */
const timeout = 30_000;

describe("-o json prints one document of its kind", { timeout }, () => {
  test("castle init", async () => {
    const written = await document("SpecWritten", "init", "-f", "new.yaml");
    expect(written).toMatchObject({ file: join(cwd, "new.yaml"), exit: 0 });
  });

  test("castle validate", async () => {
    const validation = await document("Validation", "validate");
    expect(validation).toMatchObject({ castle: "fortress", exit: 0 });
    expect(validation["nodes"]).toHaveLength(5);
  });

  test("castle plan of a lab that is not up makes everything, starts nothing, and ends with 3", async () => {
    const plan = await document("CastlePlan", "plan");
    expect(plan).toMatchObject({ differs: true, labMissing: true, exit: 3 });
    expect(plan["machines"]).toMatchObject({ creates: { length: 8 }, destroys: [] });
    expect(plan["nodes"]).toHaveLength(5);
    expect(plan["standIns"]).not.toEqual([]);
  });

  test("castle plan warns about a quorum on one host", async () => {
    writeFileSync(
      join(cwd, "castle.yaml"),
      "castle: fortress\nhypervisor: {lab: {name: t-cli-output, hosts: [pve1]}}\n",
    );
    const plan = await document("CastlePlan", "plan");
    expect(plan["warnings"]).toContainEqual(expect.objectContaining({ id: "quorum-on-one-host" }));
  });

  test("castle events of a castle that was never raised", async () => {
    const events = await document("CastleEvents", "events");
    expect(events).toMatchObject({ events: [], silent: { length: 5 }, exit: 0 });
  });

  test("castle parts list of an empty store", async () => {
    const parts = await document("Parts", "parts", "list");
    expect(parts).toMatchObject({ store: join(cwd, "parts"), exit: 0 });
    expect(parts["parts"]).toContainEqual(expect.objectContaining({ name: "runc", state: "missing" }));
  });

  test("castle parts verify finds what is missing", async () => {
    expect((await document("Parts", "parts", "verify"))["exit"]).toBe(3);
  });

  test("castle lab status of a lab that is not up", async () => {
    expect(await document("LabStatus", "lab", "status")).toMatchObject({ up: false, exit: 3 });
  });

  test("castle lab down of a lab that is down", async () => {
    expect(await document("LabDown", "lab", "down")).toMatchObject({ lab: "t-cli-output", exit: 0 });
  });

  test("castle down of a castle that is down", async () => {
    expect(await document("CastleGone", "down")).toMatchObject({ machines: [], exit: 0 });
  });
});

describe("errors are documents too, with their exit code", { timeout }, () => {
  test.each([
    ["spec/not-found", 2, ["validate", "-f", "absent.yaml"]],
    ["lab/not-root", 1, ["up"]],
    ["lab/not-root", 1, ["lab", "up"]],
    ["lab/not-running", 4, ["lab", "power", "on", "fortress-cp-1"]],
    ["lab/not-running", 4, ["render"]],
    ["lifecycle/not-raised", 1, ["kubeconfig"]],
    ["command/usage", 2, ["events", "--follow"]],
    ["parts/archive-invalid", 1, ["parts", "import", "absent.tar"]],
  ] as const)("%s, exit %d: castle %j", async (code, exit, words) => {
    expect(await document("Error", ...words)).toMatchObject({ code, exit });
  });

  test("a spec with faults ends with 2 and all of them", async () => {
    writeFileSync(join(cwd, "castle.yaml"), "castel: fortress\nhypervisor: lab\n");
    const error = await document("Error", "validate");
    expect(error).toMatchObject({ code: "spec/invalid", exit: 2 });
    expect(error["details"]).toMatchObject({ faults: expect.arrayContaining([expect.anything()]) });
  });

  test("for people the error stands on standard error, with its code and the next command", async () => {
    const { stdout, stderr, exit } = await castle({ cwd }, "lab", "power", "cut", "fortress-cp-1");
    expect({ stdout, exit }).toEqual({ stdout: "", exit: 4 });
    expect(stderr).toBe("✗ Lab t-cli-output is not up [lab/not-running]\n  → castle lab up t-cli-output\n");
  });
});

test("a castle on a rack has no lab", async () => {
  await castle({ cwd }, "init", "--proxmox", "-f", "rack.yaml");
  const { stderr, exit } = await castle({ cwd }, "lab", "status", "-f", "rack.yaml");
  expect(stderr).toContain("[lab/none]");
  expect(exit).toBe(2);
});
