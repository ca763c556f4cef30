import { parseArgs } from "node:util";

export interface BenchOptions {
  /** Raises of each kind. */
  readonly runs: number;
  readonly output: "text" | "json";
}

export const USAGE = "npm run bench -- [--runs 5] [-o text|json]";

/** @throws TypeError on anything that it does not know */
export function benchOptions(args: readonly string[]): BenchOptions {
  const { values } = parseArgs({
    args: [...args],
    options: {
      runs: { type: "string", default: "5" },
      output: { type: "string", short: "o", default: "text" },
    },
  });
  const runs = Number(values.runs);
  if (!Number.isInteger(runs) || runs < 1) throw new TypeError(`--runs ${values.runs} is no count; ${USAGE}`);
  if (values.output !== "text" && values.output !== "json")
    throw new TypeError(`--output ${values.output} is neither text nor json; ${USAGE}`);
  return { runs, output: values.output };
}
