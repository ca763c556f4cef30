import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import * as fc from "fast-check";
import { afterEach, beforeEach, expect, it } from "vitest";
import type { SiteLock } from "../release.ts";
import { planSiteLock } from "./plan-site-lock.ts";
import { parseSiteLock, renderSiteLock } from "./site-lock.ts";

const BASE = `registry.lan:5000/castle/nginx@sha256:${"ab".repeat(32)}`;
let folder: string;

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "castle-lock-"));
});
afterEach(() => rm(folder, { recursive: true, force: true }));

it("comes back as it was written (property)", () => {
  const output = fc.stringMatching(/^[a-z]{1,5}(?:\/[a-z]{1,5})?$/);
  const build: fc.Arbitrary<Pick<SiteLock, "build" | "hugo">> = fc.oneof(
    fc.constant({ build: { kind: "hugo" as const }, hugo: "0.165.0" }),
    fc.record({ build: fc.record({ kind: fc.constant("none" as const), output }) }),
    fc.record({
      build: fc.record({
        kind: fc.constant("command" as const),
        command: fc.array(fc.string(), { minLength: 1, maxLength: 4 }),
        output,
      }),
    }),
  );
  fc.assert(
    fc.property(build, fc.option(fc.array(fc.string(), { maxLength: 3 })), (chosen, notSecret) => {
      const lock: SiteLock = {
        layout: 1,
        base: BASE,
        ...chosen,
        ...(notSecret === null ? {} : { notSecret }),
      };
      expect(parseSiteLock(renderSiteLock(lock))).toEqual({ ok: true, lock });
    }),
  );
});

it.each([
  ["layout: 1\nbase: nginx:stable-alpine\nbuild: none\n", 2, "an image with its digest"],
  [`layout: 2\nbase: ${BASE}\nbuild: none\n`, 1, "the one layout"],
  [`layout: 1\nbase: ${BASE}\nbuild: jekyll\n`, 3, "hugo, none, or a command"],
  [`layout: 1\nbase: ${BASE}\nbuild: hugo\nhugo: latest\n`, 4, "an exact version"],
  [`layout: 1\nbase: ${BASE}\nbuild: none\noutput: ../..\n`, 4, "inside the repository"],
  [`layout: 1\nbase: ${BASE}\nbuild: hugo\n`, 1, "the version of Hugo"],
  [`layout: 1\nbase: ${BASE}\nbuild: [make]\n`, 1, "the folder that the command leaves"],
  [`layout: 1\nlayout: 1\n`, 2, "unique"],
])("names the line of a fault: %s", (text, line, message) => {
  const parsed = parseSiteLock(text);
  expect(parsed).toMatchObject({
    ok: false,
    faults: expect.arrayContaining([{ line, message: expect.stringContaining(message) }]),
  });
});

it("sees what kind of site lies in a folder, and keeps what a person wrote", async () => {
  const wishes = { folder, base: BASE, hugo: "0.165.0" };
  expect((await planSiteLock(wishes)).lock.build).toEqual({ kind: "none", output: "." });
  await mkdir(join(folder, "config/_default"), { recursive: true });
  await writeFile(join(folder, "config/_default/hugo.toml"), "title = 'x'\n");
  const plan = await planSiteLock(wishes);
  expect(plan.lock).toEqual({ layout: 1, base: BASE, build: { kind: "hugo" }, hugo: "0.165.0" });
  expect(plan.same).toBe(false);
  await writeFile(plan.path, plan.text);
  expect((await planSiteLock(wishes)).same).toBe(true);
  await writeFile(plan.path, `${plan.text}notSecret:\n  - "a.html: private-key"\n`);
  const newer = await planSiteLock({ ...wishes, hugo: "0.166.0" });
  expect(newer.lock).toMatchObject({ hugo: "0.166.0", notSecret: ["a.html: private-key"] });
});
