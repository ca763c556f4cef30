import { statfs } from "node:fs/promises";
import { tmpdir } from "node:os";
import { expect, it } from "vitest";
import { buildRoot } from "./build-root.ts";

const MIB = 1024 * 1024;
const HUGO = { build: { kind: "hugo" } } as const;
const COMMAND = { build: { kind: "command", command: ["make"], output: "public" } } as const;
const plenty = { environment: {}, available: 64 * 1024 * MIB };
const small = { bytes: 3 * MIB };

it("is on the disk for a large site, a site's own program, little memory, or where TMPDIR says so", async () => {
  expect(await buildRoot({ bytes: 80 * MIB }, HUGO, plenty)).toBe(tmpdir());
  expect(await buildRoot(small, COMMAND, plenty)).toBe(tmpdir());
  expect(await buildRoot(small, HUGO, { ...plenty, available: 300 * MIB })).toBe(tmpdir());
  expect(await buildRoot(small, HUGO, { ...plenty, environment: { TMPDIR: tmpdir() } })).toBe(tmpdir());
});

it("is on the disk where there is no file system in memory", async () => {
  expect(await buildRoot(small, HUGO, { ...plenty, memory: "/nowhere" })).toBe(tmpdir());
  expect(await buildRoot(small, HUGO, { ...plenty, memory: import.meta.dirname })).toBe(tmpdir());
});

const memory = await statfs("/dev/shm").catch(() => undefined);

it.runIf(memory !== undefined && memory.bavail * memory.bsize > 1024 * MIB)(
  "is in memory for a small site that Hugo builds",
  async () => {
    expect(await buildRoot(small, HUGO, plenty)).toBe("/dev/shm");
  },
);
