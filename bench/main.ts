/*
 * How long five Ready nodes take, castle against the scripts by hand, alternating, from the same parts, with the page
 * cache warm. As root, on Linux, with the parts in place: castle parts build.
 */
import { createReadStream } from "node:fs";
import { mkdtemp, readdir, rm } from "node:fs/promises";
import { arch, homedir, tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { partsCatalogue } from "../src/lab/parts/catalogue.ts";
import { PartsStore } from "../src/lab/parts/store.ts";
import { parseSpec } from "../src/spec/parse.ts";
import { BENCH_SPEC, dropCastle, raiseCastle, timeHelp } from "./castle-raise.ts";
import { handPlace } from "./hand-place.ts";
import { raiseByHand } from "./hand-raise.ts";
import { type Raise, summary, table } from "./measurement.ts";
import { benchOptions } from "./options.ts";

const options = benchOptions(process.argv.slice(2));
const installation = fileURLToPath(new URL("..", import.meta.url));
const interrupted = new AbortController();
for (const name of ["SIGINT", "SIGTERM"] as const) process.once(name, () => interrupted.abort());
const { signal } = interrupted;

const spec = parseSpec(BENCH_SPEC, "castle.yaml");
if ("faults" in spec) throw new Error(spec.faults.map(({ message }) => message).join("; "));
const cache = process.env["XDG_CACHE_HOME"] ?? join(homedir(), ".cache");
const store = new PartsStore({
  root: process.env["CASTLE_PARTS"] ?? join(cache, "castle", "parts"),
  catalogue: partsCatalogue,
  modules: join(installation, "parts"),
  architecture: arch() === "arm64" ? "arm64" : "amd64",
});
const folder = await mkdtemp(join(tmpdir(), "castle-bench-"));
const castle = { program: join(installation, "bin", "castle.js"), folder: join(folder, "castle"), signal };
const product: Raise[] = [];
const byHand: Raise[] = [];
try {
  const scripts = join(installation, "bench", "by-hand");
  const hand = await handPlace({ store, castle: spec.castle, scripts, folder: join(folder, "hand"), signal });
  const help = await timeHelp({ ...castle, folder });
  for (let count = 1; count <= options.runs; count += 1) {
    await warm(folder);
    tell(`${count} of ${options.runs}: by hand`, byHand, await raiseByHand(hand));
    await warm(folder);
    tell(`${count} of ${options.runs}: castle`, product, await raiseCastle(castle));
  }
  const result = summary(product, byHand, help);
  process.stdout.write(
    `${options.output === "json" ? JSON.stringify(result, undefined, 2) : table(result)}\n`,
  );
} finally {
  await dropCastle(castle);
  await rm(folder, { recursive: true, force: true });
}

function tell(what: string, raises: Raise[], raise: Raise): void {
  raises.push(raise);
  process.stderr.write(`${what}: API ${raise.api.toFixed(1)} s, Ready ${raise.ready.toFixed(1)} s\n`);
}

/** Reads the root file system and the images, which both kinds of raise share by hard links. */
async function warm(root: string): Promise<void> {
  for (const name of ["hand/rootfs", "hand/registry"]) {
    const entries = await readdir(join(root, name), { recursive: true, withFileTypes: true });
    for (const entry of entries.filter((candidate) => candidate.isFile())) {
      for await (const _ of createReadStream(join(entry.parentPath, entry.name), { highWaterMark: 1 << 20 }))
        signal.throwIfAborted();
    }
  }
}
