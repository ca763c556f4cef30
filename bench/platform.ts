import { join } from "node:path";
import { parseSpec } from "../src/spec/parse.ts";
import { BENCH_SPEC, type CastleRaise, PLATFORM_SPEC, dropCastle, raiseCastle } from "./castle-raise.ts";
import { ending } from "./ending.ts";
import { handPlace } from "./hand-place.ts";
import { type HandRaise, raiseByHand } from "./hand-raise.ts";
import { said, warm } from "./rise.ts";
import type { Bench, Measurement, Section } from "./section.ts";

/** How long a site over HTTPS with a valid certificate takes from nothing, against five Ready nodes by hand. */
export const platformSection: Section = {
  name: "platform",
  title: "A site over HTTPS with a valid certificate",
  measure: async (bench) => {
    const { folder, installation, signal } = bench;
    const castle = {
      program: join(installation, "bin/castle.js"),
      folder: join(folder, "castle"),
      signal,
    };
    return ending(
      () => alternate(bench, castle),
      async () => {
        await dropCastle(castle);
      },
    );
  },
};

async function alternate(
  { installation, store, folder, runs, signal, tell }: Bench,
  castle: Parameters<typeof raiseCastle>[0],
): Promise<readonly Measurement[]> {
  const spec = parseSpec(BENCH_SPEC, "castle.yaml");
  if ("faults" in spec) throw new Error(spec.faults.map(({ message }) => message).join("; "));
  const scripts = join(installation, "bench/by-hand");
  const hand = await handPlace({ store, castle: spec.castle, scripts, folder: join(folder, "hand"), signal });
  const product: CastleRaise[] = [];
  const byHand: HandRaise[] = [];
  for (let count = 1; count <= runs; count += 1) {
    await warm(folder, signal);
    byHand.push(await raiseByHand(hand));
    tell(`${count} of ${runs}: by hand: ${said(byHand.at(-1))}`);
    await warm(folder, signal);
    product.push(await raiseCastle(castle, PLATFORM_SPEC));
    tell(`${count} of ${runs}: castle: ${said(product.at(-1))}, page ${product.at(-1)?.pages?.toFixed(1)} s`);
  }
  return [
    {
      what: "page over HTTPS, against five Ready nodes by hand",
      unit: "s",
      values: product.map(({ pages }) => pages ?? Number.NaN),
      byHand: byHand.map(({ ready }) => ready),
      wanted: "at most 2.2 times, aim 100 s",
    },
    {
      what: "memory of the machines",
      unit: "GiB",
      values: product.map(({ memory }) => memory),
      wanted: "at most 6 GiB",
    },
  ];
}
