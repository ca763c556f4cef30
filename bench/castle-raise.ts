import { existsSync } from "node:fs";
import { mkdir, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { z } from "zod";
import { usage } from "../src/lab/machine/usage.ts";
import { run } from "../src/support/run.ts";
import type { HandRaise } from "./hand-raise.ts";

export interface CastleRaise extends HandRaise {
  /** GiB that the machines hold when the nodes are Ready, without inactive file cache. */
  readonly memory: number;
  /** Seconds until every site showed its page; with gitops. */
  readonly pages?: number;
}

/** The name of the bench's castle and lab; nobody else's may be taken away. */
export const BENCH = "bench";

export const BENCH_SPEC = `castle: ${BENCH}\nhypervisor: { lab: { name: ${BENCH} } }\n`;
/** Everything that a lab's castle has but monitoring: a site over HTTPS at its end. */
export const PLATFORM_SPEC = `${BENCH_SPEC}gitops: {}\n`;

/** And what watches it. */
export const WATCHED_SPEC = `${PLATFORM_SPEC}monitoring: { prometheus: true }\n`;

const answer = z.object({
  milliseconds: z.object({
    configured: z.number(),
    api: z.number(),
    ready: z.number(),
    total: z.number(),
    pages: z.number().optional(),
  }),
});

export interface CastlePlace {
  /** bin/castle.js */
  readonly program: string;
  /** A folder of the bench's own. */
  readonly folder: string;
  readonly signal: AbortSignal;
}

/** What `up` and `rebuild` tell with -o json: milliseconds from where the lab stands and the nodes are empty. */
export function raisedTimes(stdout: string) {
  return answer.parse(JSON.parse(stdout)).milliseconds;
}

/** `castle up` from nothing, as a person types it: the lab's own start is part of the time. */
export async function raiseCastle(place: CastlePlace, spec = BENCH_SPEC): Promise<CastleRaise> {
  await mkdir(place.folder, { recursive: true, mode: 0o700 });
  await writeFile(join(place.folder, "castle.yaml"), spec);
  const begin = performance.now();
  const { stdout } = await castle(place, ["up", "--yes", "-o", "json"]);
  const end = (performance.now() - begin) / 1000;
  const milliseconds = raisedTimes(stdout);
  const before = (reached: number) => end - (milliseconds.total - reached) / 1000;
  const memory = (await usage(BENCH)).reduce((sum, machine) => sum + machine.memory, 0) / 1024 ** 3;
  const down = await dropCastle(place);
  return {
    configured: before(milliseconds.configured),
    api: before(milliseconds.api),
    ready: before(milliseconds.ready),
    down,
    memory,
    ...(milliseconds.pages === undefined ? {} : { pages: before(milliseconds.pages) }),
  };
}

/** @returns seconds */
export async function dropCastle(place: CastlePlace): Promise<number> {
  if (!existsSync(place.folder)) return 0;
  const begin = performance.now();
  // Not with the bench's signal: an interrupted bench cleans up, too.
  await castle({ ...place, signal: AbortSignal.timeout(120_000) }, ["down", "--yes"]);
  const seconds = (performance.now() - begin) / 1000;
  await rm(place.folder, { recursive: true, force: true });
  return seconds;
}

/** Runs a command of castle in the bench's folder, as a person types it. */
export async function castle({ program, folder, signal }: CastlePlace, args: readonly string[]) {
  return run(process.execPath, [program, ...args], {
    cwd: folder,
    env: { CASTLE_LABS: join(folder, "labs"), XDG_CONFIG_HOME: join(folder, "config") },
    timeout: 300_000,
    signal,
  });
}
