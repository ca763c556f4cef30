import { join } from "node:path";
import { run } from "../src/support/run.ts";
import type { Section } from "./section.ts";

/** How long `castle --help` takes, from the start of its process to the end. */
export const helpSection: Section = {
  name: "help",
  title: "castle --help",
  measure: async ({ installation, runs, signal }) => {
    const values: number[] = [];
    for (let count = 0; count < runs; count += 1) {
      const begin = performance.now();
      await run(process.execPath, [join(installation, "bin/castle.js"), "--help"], { signal });
      values.push(performance.now() - begin);
    }
    return [{ what: "castle --help", unit: "ms", values, wanted: "at most 150 ms" }];
  },
};
