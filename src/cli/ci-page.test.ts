import { readFileSync } from "node:fs";
import { expect, test } from "vitest";
import { parse } from "yaml";
import { z } from "zod";
import { parsePublication } from "../spec/publication.ts";
import { app } from "./app.ts";
import { commandsOf } from "./command-table.ts";
import { ownFlags } from "./environment-flags.ts";

const page = readFileSync(new URL("../../docs/ci.md", import.meta.url), "utf8");
const blocks = [...page.matchAll(/```yaml\n([\s\S]*?)```/g)].map(([, text = ""]) => text);

const step = z.object({
  run: z.string().optional(),
  uses: z.string().optional(),
  if: z.string().optional(),
  with: z.record(z.string(), z.unknown()).optional(),
  env: z.record(z.string(), z.string()).optional(),
});
const workflow = z.object({
  on: z.object({ push: z.object({ branches: z.array(z.string()) }) }),
  jobs: z.object({ publish: z.object({ "runs-on": z.string(), steps: z.array(step) }) }),
});

const jobs = blocks.flatMap((text) => workflow.safeParse(parse(text)).data ?? []);

test("docs/ci.md has a file of sites that castle takes, and a job each for GitHub Actions and Forgejo", () => {
  const [file = ""] = blocks;
  expect(parsePublication(file, "site.yaml")).toHaveProperty("publication");
  expect(jobs).toHaveLength(2);
  expect(blocks).toHaveLength(3);
});

test("the jobs' castle commands and all of their flags exist, and ask nobody", () => {
  const known = commandsOf(app.root);
  for (const { jobs: all } of jobs) {
    const said = all.publish.steps.flatMap(({ run = "" }) => [...run.matchAll(/castle ([a-z]+)([^|>\n]*)/g)]);
    expect(said.length).toBeGreaterThan(0);
    for (const [line, verb = "", words = ""] of said) {
      const found = known.find(({ name }) => name === `castle ${verb}`);
      if (found === undefined) throw new Error(`there is no command ${line}`);
      const flags = ownFlags(found.command).flatMap(({ flag, alias }) => [flag, `-${alias ?? ""}`]);
      expect(flags).toEqual(
        expect.arrayContaining(words.split(/\s+/).filter((word) => word.startsWith("-"))),
      );
    }
  }
});

test("the jobs keep the receipt whatever becomes of the publication, and check out what castle does not refuse", () => {
  for (const { jobs: all } of jobs) {
    const { steps } = all.publish;
    const receipt = /> "?(\S*receipt\.json)/.exec(steps.map(({ run }) => run).join("\n"))?.[1];
    expect(receipt).toBeDefined();
    const kept = steps.find(({ uses }) => uses?.includes("upload-artifact"));
    expect(kept).toMatchObject({ if: "always()", with: { path: expect.stringContaining("receipt.json") } });
    const checkout = steps.find(({ uses }) => uses?.startsWith("actions/checkout"));
    expect(checkout?.with).toEqual({ "fetch-depth": 0, submodules: "recursive", lfs: true, ref: "main" });
  }
});
