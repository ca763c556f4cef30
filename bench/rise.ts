import { createReadStream } from "node:fs";
import { readdir } from "node:fs/promises";
import { join } from "node:path";
import { parseSpec } from "../src/spec/parse.ts";
import { BENCH_SPEC, type CastleRaise, dropCastle, raiseCastle } from "./castle-raise.ts";
import { ending } from "./ending.ts";
import { handPlace } from "./hand-place.ts";
import { type HandRaise, raiseByHand } from "./hand-raise.ts";
import type { Bench, Measurement, Section } from "./section.ts";

/**
 * How long five Ready nodes take, castle against the scripts by hand, alternating, from the same parts, with the page
 * cache warm.
 */
export const riseSection: Section = {
  name: "rise",
  title: "Five Ready nodes",
  measure: async (bench) => {
    const { folder, signal } = bench;
    const castle = {
      program: join(bench.installation, "bin/castle.js"),
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
    product.push(await raiseCastle(castle));
    tell(`${count} of ${runs}: castle: ${said(product.at(-1))}`);
  }
  return measurements(product, byHand);
}

export function said(raise: HandRaise | undefined): string {
  return raise === undefined ? "" : `API ${raise.api.toFixed(1)} s, Ready ${raise.ready.toFixed(1)} s`;
}

function measurements(product: readonly CastleRaise[], byHand: readonly HandRaise[]): Measurement[] {
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
}

/** Reads the root file system and the images, which both kinds of raise share by hard links. */
export async function warm(root: string, signal: AbortSignal): Promise<void> {
  for (const name of ["hand/rootfs", "hand/registry"]) {
    const entries = await readdir(join(root, name), { recursive: true, withFileTypes: true });
    for (const entry of entries.filter((candidate) => candidate.isFile())) {
      for await (const _ of createReadStream(join(entry.parentPath, entry.name), { highWaterMark: 1 << 20 }))
        signal.throwIfAborted();
    }
  }
}
