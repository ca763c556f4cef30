import { parseArgs } from "node:util";

export interface BenchOptions {
  /** Names of the sections to run; none: all. */
  readonly sections: readonly string[];
  /** How often each thing is measured. */
  readonly runs: number;
  readonly output: "text" | "json";
}

const USAGE = "npm run bench -- [SECTION…] [--runs 5] [-o text|json]";

/**
 * @param known names of all sections
 * @throws TypeError on anything that it does not know
 */
export function benchOptions(args: readonly string[], known: readonly string[]): BenchOptions {
  const { values, positionals } = parseArgs({
    args: [...args],
    allowPositionals: true,
    options: {
      runs: { type: "string", default: "5" },
      output: { type: "string", short: "o", default: "text" },
    },
  });
  const stranger = positionals.find((name) => !known.includes(name));
  if (stranger !== undefined) {
    throw new TypeError(`there is no section ${stranger}, only ${known.join(", ")}; ${USAGE}`);
  }
  const runs = Number(values.runs);
  if (!Number.isInteger(runs) || runs < 1) throw new TypeError(`--runs ${values.runs} is no count; ${USAGE}`);
  if (values.output !== "text" && values.output !== "json")
    throw new TypeError(`--output ${values.output} is neither text nor json; ${USAGE}`);
  return { sections: positionals, runs, output: values.output };
}
