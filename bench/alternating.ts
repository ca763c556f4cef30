import { createReadStream } from "node:fs";
import { readdir } from "node:fs/promises";
import { join } from "node:path";
import { parseSpec } from "../src/spec/parse.ts";
import { BENCH_SPEC, type CastlePlace, type CastleRaise, dropCastle, raiseCastle } from "./castle-raise.ts";
import { ending } from "./ending.ts";
import { type HandPlace, handPlace } from "./hand-place.ts";
import { type HandRaise, raiseByHand } from "./hand-raise.ts";
import type { Bench } from "./section.ts";

/** What both kinds of raise took, run by run. */
export interface Raises {
  readonly product: readonly CastleRaise[];
  readonly byHand: readonly HandRaise[];
}

/** Raises a castle of this spec and five nodes by hand in turn, from the same parts, with the page cache warm. */
export async function alternating(bench: Bench, spec: string): Promise<Raises> {
  const castle = placeOf(bench);
  return ending(
    () => inTurn(bench, castle, spec),
    async () => {
      await dropCastle(castle);
    },
  );
}

/** Raises one castle of this spec, and takes it away. */
export async function raiseOnce(bench: Bench, spec: string): Promise<CastleRaise> {
  const castle = placeOf(bench);
  return ending(
    () => raiseCastle(castle, spec),
    async () => {
      await dropCastle(castle);
    },
  );
}

/** Where castle raises its own. */
export function placeOf({ folder, installation, signal }: Bench): CastlePlace {
  return { program: join(installation, "bin/castle.js"), folder: join(folder, "castle"), signal };
}

async function inTurn(bench: Bench, castle: CastlePlace, text: string): Promise<Raises> {
  const { folder, runs, signal, tell } = bench;
  const hand = await byHandPlace(bench);
  const product: CastleRaise[] = [];
  const byHand: HandRaise[] = [];
  for (let count = 1; count <= runs; count += 1) {
    await warm(folder, signal);
    byHand.push(await raiseByHand(hand));
    tell(`${count} of ${runs}: by hand: ${said(byHand.at(-1))}`);
    await warm(folder, signal);
    product.push(await raiseCastle(castle, text));
    tell(`${count} of ${runs}: castle: ${said(product.at(-1))}`);
  }
  return { product, byHand };
}

function said(raise: (HandRaise & { readonly pages?: number }) | undefined): string {
  if (raise === undefined) return "";
  const page = raise.pages === undefined ? "" : `, page ${raise.pages.toFixed(1)} s`;
  return `API ${raise.api.toFixed(1)} s, Ready ${raise.ready.toFixed(1)} s${page}`;
}

/** The scripts with the same five nodes. */
export async function byHandPlace({ installation, store, folder, signal }: Bench): Promise<HandPlace> {
  const spec = parseSpec(BENCH_SPEC, "castle.yaml");
  if ("faults" in spec) throw new Error(spec.faults.map(({ message }) => message).join("; "));
  const scripts = join(installation, "bench/by-hand");
  return handPlace({ store, castle: spec.castle, scripts, folder: join(folder, "hand"), signal });
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
