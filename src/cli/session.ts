import { CastleError } from "../errors/castle-error.ts";
import { fetchProviderAhead } from "../infra/provider-install.ts";
import { locateTerraform } from "../infra/terraform-program.ts";
import { openJournal } from "../journal/journal.ts";
import type { Report } from "../journal/step.ts";
import type { PartsStore } from "../lab/parts/store.ts";
import type { CastleRun } from "../lifecycle/castle-run.ts";
import { type CastleHome, castleHome } from "../lifecycle/home.ts";
import type { Ground } from "../lifecycle/ground/ground.ts";
import { labGround } from "../lifecycle/ground/lab.ts";
import { rackGround } from "../lifecycle/ground/rack.ts";
import { withLock } from "../lifecycle/lock.ts";
import { withCastleLock } from "../lifecycle/operators-lock/castle-lock.ts";
import { withScratchHome } from "../lifecycle/scratch-home.ts";
import type { SecretStore } from "../secrets/store.ts";
import type { Castle } from "../spec/castle.ts";
import type { StatusSources } from "../lifecycle/status.ts";
import { readCredentials } from "../talos/talosconfig.ts";
import { kubeconfigFromHere } from "../lifecycle/kubeconfig.ts";
import type { Context } from "./context.ts";
import { openLab } from "./lab-session.ts";
import { findTalosctl, openParts, terraformConfig } from "./parts-session.ts";
import { ownImages } from "./own-images-session.ts";
import { labPlatformParts, platformMaterials } from "./platform-session.ts";
import { secretStore } from "./secret-store.ts";
import type { SpecFile } from "./spec-file.ts";
import { findGround, proxmoxToken, standingGround } from "./standing-ground.ts";

export interface SessionOptions {
  readonly spec: SpecFile;
  readonly verb: string;
  readonly report: Report;
  /** Write over what was changed by hand in the GitOps repository; undefined: the run does not touch the platform. */
  readonly overwrite?: boolean;
  /** Milliseconds that one wait may take; see CastleRun. */
  readonly patience?: number;
}

/** Milliseconds: a rack's firmware and disk are slow. */
const PATIENCE = 300_000;

/**
 * Does a changing operation on a castle: with its locks held, on this machine and among all operators, and every event
 * in the journal of this run. Every verb that changes a castle comes through here.
 */
export async function changeCastle<T>(
  context: Context,
  { spec, verb, report, overwrite, patience = PATIENCE }: SessionOptions,
  work: (run: CastleRun) => Promise<T>,
): Promise<T> {
  const { castle } = spec;
  const home = await castleHome(spec.folder, castle.name);
  return withLock(home.lock, verb, async () => {
    const { pid } = context.process;
    const journal = openJournal({ folder: home.journal, verb, castle: castle.name, pid, now: context.now });
    const both: Report = (event) => {
      journal.record(event);
      report(event);
    };
    try {
      const raising = overwrite !== undefined;
      const platform = await materials(context, castle, overwrite);
      const run = await openRun(context, { spec, home, report: both, raising });
      const locked = { run: { ...run, platform, patience }, verb, environment: context.env };
      const result = await withCastleLock(locked, work);
      journal.end("done");
      return result;
    } catch (error) {
      journal.end("failed", error instanceof CastleError ? `${error.code}: ${error.message}` : String(error));
      throw error;
    }
  });
}

function materials(context: Context, castle: Castle, overwrite: boolean | undefined) {
  if (overwrite === undefined || castle.gitops === undefined) return Promise.resolve(undefined);
  return platformMaterials(context, overwrite);
}

/**
 * Does an operation that only looks: it takes no lock, and whoever changes the castle meanwhile is not disturbed. Starts
 * nothing: where the lab is not up, there is no run.
 */
export async function lookAtCastle<T>(
  context: Context,
  { spec, report, overwrite }: Omit<SessionOptions, "verb">,
  work: (run: CastleRun | undefined) => Promise<T>,
): Promise<T> {
  const { castle } = spec;
  const home = await castleHome(spec.folder, castle.name);
  const ground = await findGround(context, castle);
  if (ground === undefined) return work(undefined);
  return withScratchHome(home, async (scratch) => {
    const platform = await materials(context, castle, overwrite);
    return work({ ...(await standingRun(context, { spec, home: scratch, ground, report })), platform });
  });
}

/** What a run is put together from, once its ground is found or opened. */
interface RunParts {
  readonly spec: SpecFile;
  readonly home: CastleHome;
  readonly ground: Ground;
  readonly programs: CastleRun["programs"];
  readonly store: SecretStore;
  readonly report: Report;
}

function runOf(context: Context, { spec, ...parts }: RunParts): CastleRun {
  return {
    castle: spec.castle,
    ...parts,
    patience: PATIENCE,
    now: context.now,
    signal: context.signal,
  };
}

/** A run on a ground that stands; nothing is started for it. */
async function standingRun(
  context: Context,
  { spec, home, ground, report }: Omit<RunParts, "programs" | "store">,
): Promise<CastleRun> {
  const parts = openParts(context);
  const config = ground.kind === "lab" ? { terraformConfig: await terraformConfig(home, parts) } : {};
  const programs = await findPrograms(context, spec.castle, parts);
  const store = secretStore(context, spec, report);
  return runOf(context, { spec, home, ground: { ...ground, ...config }, programs, store, report });
}

async function findPrograms(
  context: Context,
  castle: Castle,
  parts: PartsStore,
): Promise<CastleRun["programs"]> {
  const [terraform, talosctl] = await Promise.all([
    locateTerraform(context.signal),
    findTalosctl(context, castle, parts),
  ]);
  return { terraform, talosctl };
}

interface Opening extends Pick<RunParts, "spec" | "home" | "report"> {
  /** Only what raises a castle cannot do without its secrets. */
  readonly raising: boolean;
}

async function openRun(context: Context, { spec, home, report, raising }: Opening): Promise<CastleRun> {
  const { castle } = spec;
  const parts = openParts(context);
  const store = secretStore(context, spec, report);
  // Before the ground: where a program is missing or the store refuses, no lab is started.
  const [programs] = await Promise.all([
    findPrograms(context, castle, parts),
    raising ? store.get("talos-secrets") : undefined,
  ]);
  // Terraform fetches its provider while the lab comes up. A lab that is coming up is waited for, whatever fails.
  const [ground, provider] = await Promise.allSettled([
    openGround(context, castle, { parts, home, report }),
    fetchLabProvider(context, castle, { parts, home, report, terraform: programs.terraform }),
  ]);
  if (ground.status === "rejected") throw ground.reason;
  if (provider.status === "rejected") throw provider.reason;
  const run = runOf(context, { spec, home, ground: ground.value, programs, store, report });
  return raising ? { ...run, ownImages: await ownImages(context, castle, ground.value, parts) } : run;
}

/** On a rack there is nothing to wait for meanwhile. */
async function fetchLabProvider(
  { signal }: Context,
  { hypervisor }: Castle,
  { parts, home, report, terraform }: GroundParts & Pick<CastleRun["programs"], "terraform">,
): Promise<void> {
  if (hypervisor.kind !== "lab") return;
  const cliConfig = await terraformConfig(home, parts);
  await fetchProviderAhead({ directory: home.terraform, program: terraform, cliConfig, report }, signal);
}

interface GroundParts {
  readonly parts: PartsStore;
  readonly home: CastleHome;
  readonly report: Report;
}

async function openGround(
  context: Context,
  castle: Castle,
  { parts, home, report }: GroundParts,
): Promise<Ground> {
  const { hypervisor } = castle;
  switch (hypervisor.kind) {
    case "lab": {
      const lab = await openLab(context, castle, hypervisor, { store: parts, report });
      return labGround(castle, hypervisor, lab, {
        terraformConfig: await terraformConfig(home, parts),
        platform: () => labPlatformParts(castle, parts),
      });
    }
    case "proxmox":
      return rackGround(castle, hypervisor, proxmoxToken(context));
    default:
      return hypervisor satisfies never;
  }
}

/** What `status` asks: the store's credentials, and the ground as it stands. */
export async function statusSources(context: Context, spec: SpecFile): Promise<StatusSources> {
  const { castle } = spec;
  const ground = await standingGround(context, castle);
  const store = secretStore(context, spec);
  const [talosconfig, kubeconfig] = await Promise.all([store.get("talosconfig"), store.get("kubeconfig")]);
  return {
    castle,
    ground,
    credentials: talosconfig === undefined ? undefined : readCredentials(talosconfig),
    kubeconfig: kubeconfig === undefined ? undefined : await kubeconfigFromHere({ ground }, kubeconfig),
    now: context.now(),
    signal: context.signal,
  };
}
