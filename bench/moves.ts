import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { byHandPlace, placeOf, warm } from "./alternating.ts";
import { BENCH, BENCH_SPEC, type CastlePlace, castle, dropCastle, raisedTimes } from "./castle-raise.ts";
import { ending } from "./ending.ts";
import { raiseByHand } from "./hand-raise.ts";
import type { Bench, Measurement, Section } from "./section.ts";

interface Moves {
  readonly replaced: number;
  readonly reset: number;
  /** Until five nodes are Ready. */
  readonly rebuilt: number;
  /** The whole command: all of etcd votes. */
  readonly rebuiltVoters: number;
  readonly shifted: number;
}

/** How long reset, rebuild, shift and replace take, against five Ready nodes by hand. */
export const movesSection: Section = {
  name: "moves",
  title: "Reset, rebuild, shift, replace",
  measure: (bench) => {
    const place = placeOf(bench);
    return ending(
      () => measured(bench, place),
      async () => {
        await dropCastle(place);
      },
    );
  },
};

async function measured(bench: Bench, place: CastlePlace): Promise<readonly Measurement[]> {
  const { folder, runs, signal, tell } = bench;
  const hand = await byHandPlace(bench);
  const byHand: number[] = [];
  const moves: Moves[] = [];
  for (let count = 1; count <= runs; count += 1) {
    await warm(folder, signal);
    const { ready } = await raiseByHand(hand);
    byHand.push(ready);
    const once = await movesOnce(place);
    moves.push(once);
    tell(
      `${count} of ${runs}: replaced ${once.replaced.toFixed(1)} s, reset ${once.reset.toFixed(1)} s, rebuilt ${once.rebuilt.toFixed(1)} s, shifted ${once.shifted.toFixed(1)} s; by hand ${ready.toFixed(1)} s`,
    );
  }
  const both = (what: string, key: keyof Moves, wanted?: string): Measurement => ({
    what,
    unit: "s",
    values: moves.map((once) => once[key]),
    byHand,
    ...(wanted === undefined ? {} : { wanted }),
  });
  return [
    both("a dead control plane", "replaced", "replaced; aim 45 s"),
    both("five nodes reset", "reset", "aim 15 s"),
    both("five nodes rebuilt, until they are Ready", "rebuilt", "aim 60 s"),
    both("  until all of etcd votes", "rebuiltVoters"),
    both("five nodes shifted", "shifted", "aim 75 s"),
  ];
}

/** On one castle of five nodes, one after the other. */
async function movesOnce(place: CastlePlace): Promise<Moves> {
  await mkdir(place.folder, { recursive: true, mode: 0o700 });
  await writeFile(join(place.folder, "castle.yaml"), BENCH_SPEC);
  await castle(place, ["up"]);
  await castle(place, ["lab", "power", "cut", `${BENCH}-cp-2`]);
  const replaced = await timed(place, ["replace", `${BENCH}-cp-2`, "--yes"]);
  const { rebuilt, rebuiltVoters } = await rebuild(place);
  const shifted = await timed(place, ["shift", "--to", "192.168.1.221", "--yes"]);
  const reset = await timed(place, ["reset", "--yes"]);
  await dropCastle(place);
  return { replaced, reset, rebuilt, rebuiltVoters, shifted };
}

async function rebuild(place: CastlePlace): Promise<Pick<Moves, "rebuilt" | "rebuiltVoters">> {
  const begin = performance.now();
  const { stdout } = await castle(place, ["rebuild", "--yes", "-o", "json"]);
  const rebuiltVoters = (performance.now() - begin) / 1000;
  const { total, ready } = raisedTimes(stdout);
  return { rebuilt: rebuiltVoters - (total - ready) / 1000, rebuiltVoters };
}

/** Seconds of the whole command, its own start included. */
async function timed(place: CastlePlace, args: readonly string[]): Promise<number> {
  const begin = performance.now();
  await castle(place, args);
  return (performance.now() - begin) / 1000;
}
