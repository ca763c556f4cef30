import { alternating } from "./alternating.ts";
import { BENCH_SPEC } from "./castle-raise.ts";
import type { HandRaise } from "./hand-raise.ts";
import type { Measurement, Section } from "./section.ts";

/** How long five Ready nodes take, castle against the scripts by hand. */
export const riseSection: Section = {
  name: "rise",
  title: "Five Ready nodes",
  measure: async (bench) => {
    const { product, byHand } = await alternating(bench, BENCH_SPEC);
    const both = (what: string, key: keyof HandRaise, wanted?: string): Measurement => ({
      what,
      unit: "s",
      values: product.map((raise) => raise[key]),
      byHand: byHand.map((raise) => raise[key]),
      ...(wanted === undefined ? {} : { wanted }),
    });
    return [
      both("nodes configured", "configured"),
      both("API answers on the VIP", "api", "aim 20 s"),
      both("five nodes Ready", "ready", "at most 1.1 times, aim 45 s"),
      both("taken down", "down", "at most 10 s"),
      {
        what: "memory of the machines",
        unit: "GiB",
        values: product.map(({ memory }) => memory),
        wanted: "at most 4 GiB",
      },
    ];
  },
};
