import { arch } from "node:os";
import { join } from "node:path";
import { CastleError } from "../errors/castle-error.ts";
import type { Report } from "../journal/step.ts";
import { ensureParts } from "../lab/parts/builder.ts";
import { partsCatalogue } from "../lab/parts/catalogue.ts";
import type { Part, PartSet } from "../lab/parts/part.ts";
import { allPartSets, partSets } from "../lab/parts/part-sets.ts";
import { PartsStore } from "../lab/parts/store.ts";
import { buildTools, labTools, requireTools } from "../lab/parts/tool-requirements.ts";
import type { CastleHome } from "../lifecycle/home.ts";
import type { Castle } from "../spec/castle.ts";
import { exists } from "../support/exists.ts";
import { run } from "../support/run.ts";
import { writeFileAtomic } from "../support/write-file.ts";
import type { Context } from "./context.ts";
import { places } from "./places.ts";
import { readSpecFile } from "./spec-file.ts";
import { offerTools } from "./tool-offer.ts";
import { noAnswer } from "../errors/failure.ts";

const opened = new WeakMap<Context, PartsStore>();

/** The store of this command: what it has looked at once, it knows. */
export function openParts(context: Context): PartsStore {
  const { parts, installation } = places(context);
  const store =
    opened.get(context) ??
    new PartsStore({
      root: parts,
      catalogue: partsCatalogue,
      modules: join(installation, "parts"),
      architecture: arch() === "arm64" ? "arm64" : "amd64",
    });
  opened.set(context, store);
  return store;
}

/** Which parts a command means: all, or those of a castle. */
export interface PartsChoice {
  /** The spec; the castle.yaml of the working directory unless told, where there is one. */
  readonly file?: string;
  readonly all: boolean;
}

/** The sets of parts that are meant; what every lab needs where no castle is told or found. @throws CastleError spec/… */
export async function chosenSets(context: Context, { file, all }: PartsChoice): Promise<readonly PartSet[]> {
  if (all) return allPartSets;
  const found = file ?? ((await exists(join(context.cwd, SPEC))) ? SPEC : undefined);
  return found === undefined ? ["machines"] : partSets((await readSpecFile(context, found)).castle);
}

const SPEC = "castle.yaml";

/** Where Go keeps what it compiled, if CASTLE_GO_CACHES names a folder of its own; then it is never dropped. */
export function goCaches({ env }: Context): { readonly caches?: string; readonly keepCaches?: boolean } {
  const caches = env["CASTLE_GO_CACHES"];
  return caches === undefined || caches === "" ? {} : { caches, keepCaches: true };
}

/**
 * All parts of these sets, built where they are missing, and all programs that a lab calls.
 * @throws CastleError parts/tools-missing with everything that building and running lack
 */
export async function ensureLabParts(
  context: Context,
  sets: readonly PartSet[],
  { report, installTools }: { readonly report: Report; readonly installTools: boolean },
): Promise<void> {
  const store = openParts(context);
  const wanted = store.wanted(sets);
  const missing = await store.missing(wanted);
  await refuseBroken(store, missing);
  const tools = [...labTools, ...(await buildTools(missing, store.modules))];
  await offerTools(context, installTools, (install) => requireTools(tools, install));
  if (missing.length === 0) return;
  await ensureParts(store, wanted, {
    report,
    installTools,
    signal: context.signal,
    ...goCaches(context),
  });
}

/** A part that is not what was stored is told before it is made again: its owner may want to know why. */
async function refuseBroken(store: PartsStore, parts: readonly Part[]): Promise<void> {
  for (const { name } of parts) {
    await store.resolve(name).catch((error: unknown) => {
      if (!(error instanceof CastleError) || error.code !== "parts/missing") throw error;
    });
  }
}

/**
 * The talosctl of the castle's version: from PATH if it is that version, otherwise from the parts.
 * @throws CastleError parts/missing
 */
export async function findTalosctl(context: Context, castle: Castle, parts: PartsStore): Promise<string> {
  const onPath = await run("talosctl", ["version", "--client", "--short"], { signal: context.signal }).catch(
    noAnswer,
  );
  if (onPath?.stdout.includes(castle.talos.version) === true) return "talosctl";
  return parts.resolve("talosctl");
}

/** kubectl from PATH, otherwise from the parts: it may be one minor version away from the API server. */
export async function findKubectl(context: Context, parts: PartsStore): Promise<string> {
  const onPath = await run("kubectl", ["version", "--client"], { signal: context.signal }).catch(
    () => undefined,
  );
  return onPath === undefined ? parts.resolve("kubectl") : "kubectl";
}

/** A Terraform CLI configuration that finds the provider in the parts; nothing is fetched from a registry. */
export async function terraformConfig(home: CastleHome, parts: PartsStore): Promise<string> {
  const mirror = await parts.resolve("proxmox-provider-mirror");
  const file = join(home.folder, "terraform.rc");
  const quoted = JSON.stringify(mirror);
  await writeFileAtomic(
    file,
    `provider_installation {\n  filesystem_mirror {\n    path = ${quoted}\n  }\n}\n`,
  );
  return file;
}
