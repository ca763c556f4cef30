import { openBackup } from "../backup/archive.ts";
import type { BackupContents } from "../backup/contents.ts";
import { refuseUnfit } from "../backup/fitness.ts";
import { keptBackups } from "../backup/kept-backups.ts";
import type { EtcdHistory } from "../backup/snapshot/history.ts";
import { judgeHealth } from "../doctor/health.ts";
import { CastleError } from "../errors/castle-error.ts";
import { type Report, runStep } from "../journal/step.ts";
import { partSets } from "../lab/parts/part-sets.ts";
import { type Loss, lossSince } from "../lifecycle/backup/loss.ts";
import { historyOf } from "../lifecycle/backup/read-etcd.ts";
import { restore } from "../lifecycle/backup/restore.ts";
import { pollWithin } from "../support/poll.ts";
import { clusterIdentity } from "../talos/cluster-identity.ts";
import type { AnswerOf } from "./answer.ts";
import { type BackupPlace, findBackup, readBackup } from "./backup-shelf.ts";
import { confirm } from "./confirm.ts";
import type { Context } from "./context.ts";
import { examineCastle } from "./examination.ts";
import { assertRoot } from "./lab-session.ts";
import { ensureLabParts } from "./parts-session.ts";
import { elapsed } from "./progress/elapsed.ts";
import { secretStore, userIdentity } from "./secret-store.ts";
import { changeCastle } from "./session.ts";
import { findGround } from "./standing-ground.ts";
import { type SpecFile, readSpecFile } from "./spec-file.ts";

export interface RestoreFlags {
  readonly file: string;
  readonly from?: string;
  readonly yes: boolean;
  readonly allowOld: boolean;
  readonly dryRun: boolean;
  readonly installTools: boolean;
  /** Seconds. */
  readonly timeout: number;
}

/** @throws CastleError backup/… before anything is touched; lifecycle/…, talos/… */
export async function restoreCastle(
  context: Context,
  report: Report,
  flags: RestoreFlags,
  meant: string,
): Promise<AnswerOf<"CastleRestored">> {
  const start = performance.now();
  const spec = await readSpecFile(context, flags.file);
  const { castle } = spec;
  const place = await findBackup(context, spec, meant, flags.from);
  const { contents, loss } = await examineBackup(context, report, { spec, place, allowOld: flags.allowOld });
  const { taken } = contents.manifest;
  const data = { castle: castle.name, place: place.shelf.description, name: place.name, taken, loss };
  if (flags.dryRun) {
    return {
      kind: "CastleRestored",
      data: { ...data, dryRun: true, warnings: [] },
      text: [
        `${place.name} is whole and castle ${castle.name}'s own: a restore would wipe all ${castle.nodes.length} nodes and put back ${contents.manifest.etcd.objects} objects of ${taken}.`,
        ...lossText(loss, taken),
      ].join("\n"),
    };
  }
  await confirm(
    context,
    flags.yes,
    `wipe all ${castle.nodes.length} nodes of castle ${castle.name} and put it back as it was at ${taken}. ${lossText(loss, taken).join(" ")}`,
  );
  if (castle.hypervisor.kind === "lab") {
    assertRoot(context);
    await ensureLabParts(context, partSets(castle), { report, installTools: flags.installTools });
  }
  const session = { spec, verb: "restore", report, overwrite: flags.yes, patience: flags.timeout * 1000 };
  await changeCastle(context, session, (run) => restore(run, contents, place.argument));
  const healthy = await becomesHealthy(context, report, spec);
  const milliseconds = Math.round(performance.now() - start);
  return {
    kind: "CastleRestored",
    data: { ...data, dryRun: false, healthy, warnings: [], milliseconds },
    text: [
      `Castle ${castle.name} stands as it was at ${taken}: ${contents.manifest.etcd.objects} objects are back after ${elapsed(milliseconds)}.`,
      ...lossText(loss, taken),
      healthy ? "castle health finds nothing" : "Not all is well yet: castle health",
    ].join("\n"),
    exit: healthy ? 0 : 3,
  };
}

interface Examining {
  readonly spec: SpecFile;
  readonly place: BackupPlace;
  readonly allowOld: boolean;
}

/** Opens the backup, looks at every byte of it, judges it, and asks the castle what it would lose. */
async function examineBackup(
  context: Context,
  report: Report,
  { spec, place, allowOld }: Examining,
): Promise<{ readonly contents: BackupContents; readonly loss: Loss }> {
  const { castle } = spec;
  const store = secretStore(context, spec, report);
  return runStep(report, { id: "backup", title: `Backup ${place.name}` }, async () => {
    const contents = await openBackup(
      await readBackup(place),
      await userIdentity(context, place.name),
      place.name,
    );
    const history = historyOf(contents.snapshot, place.name);
    const [bundle, kept, beside] = [
      contents.secrets.get("talos-secrets"),
      await store.get("talos-secrets"),
      await keptBackups(place.shelf, castle.name),
    ];
    if (bundle === undefined) {
      throw new CastleError("backup/damaged", {
        message: `${place.name} holds no Talos secrets: nothing could be raised from it`,
        hint: "castle backups lists the others",
      });
    }
    refuseUnfit(
      { name: place.name, manifest: contents.manifest, identity: clusterIdentity(bundle) },
      {
        castle,
        known: kept === undefined ? undefined : clusterIdentity(kept),
        newest: beside[0]?.taken,
        now: context.now(),
        allowOld,
      },
    );
    const loss = await lossOf(context, spec, history);
    return { contents, loss, detail: `${history.objects} objects of ${contents.manifest.taken}` };
  });
}

async function lossOf(context: Context, spec: SpecFile, history: EtcdHistory): Promise<Loss> {
  const { castle } = spec;
  const ground = await findGround(context, castle);
  if (ground === undefined) return { kind: "unknown", reason: "its lab is not up" };
  return lossSince({ castle, ground, store: secretStore(context, spec), signal: context.signal }, history);
}

/** Names of each sort that a line has room for. */
const NAMES = 5;

function lossText(loss: Loss, taken: string): readonly string[] {
  if (loss.kind === "unknown") {
    return [`All that was made or changed since ${taken} is lost; what that is nobody tells: ${loss.reason}`];
  }
  const { made, changed, deleted } = loss;
  const lines = [
    ...line(made, "made since are lost"),
    ...line(changed, "changed since go back"),
    ...line(deleted, "deleted since come back"),
  ];
  return lines.length === 0 ? [`Nothing was made or changed since ${taken}.`] : lines;
}

function line(keys: readonly string[], what: string): readonly string[] {
  if (keys.length === 0) return [];
  return [`${keys.length} ${what}: ${keys.slice(0, NAMES).join(", ")}${keys.length > NAMES ? " …" : ""}.`];
}

/** Milliseconds that pods of the system have to come back; what is not well then is told, and is no failure. */
const PATIENCE = 120_000;

async function becomesHealthy(context: Context, report: Report, spec: SpecFile): Promise<boolean> {
  const { healthy } = await runStep(report, { id: "health", title: "castle health" }, async () => {
    const well = await pollWithin(
      async () => {
        const { healthy, checks } = judgeHealth(await examineCastle(context, spec, { thorough: false }));
        const failing = checks.filter(({ verdict }) => verdict !== "healthy");
        report({ type: "progress", id: "health", message: failing.map(({ title }) => title).join("; ") });
        return healthy ? true : undefined;
      },
      { every: 1_000, within: PATIENCE, signal: context.signal },
    );
    return well === undefined
      ? { healthy: false, detail: "not all is well" }
      : { healthy: true, detail: "finds nothing" };
  });
  return healthy;
}
