import { backupFileName } from "../backup/file-name.ts";
import { keptBackups } from "../backup/kept-backups.ts";
import type { Retention } from "../backup/retention.ts";
import type { Report } from "../journal/step.ts";
import type { BackupRun } from "../lifecycle/backup/backup-run.ts";
import type { Proof } from "../lifecycle/backup/prove.ts";
import { takeBackup, wouldLetGo } from "../lifecycle/backup/take.ts";
import type { AnswerOf } from "./answer.ts";
import { backupShelf } from "./backup-shelf.ts";
import type { Context } from "./context.ts";
import { isProved, proveOnThrowaway } from "./proof-session.ts";
import { secretStore, userIdentity } from "./secret-store.ts";
import { standingGround } from "./standing-ground.ts";
import { type SpecFile, readSpecFile } from "./spec-file.ts";
import { table } from "./table.ts";

export interface BackupFlags {
  readonly file: string;
  readonly to?: string;
  readonly keep?: number;
  readonly keepDays?: number;
  readonly prove: boolean;
  readonly dryRun: boolean;
  readonly installTools: boolean;
  /** Seconds. */
  readonly timeout: number;
}

/** @throws CastleError lifecycle/not-raised, lab/not-running, talos/…, backup/… */
export async function backupCastle(
  context: Context,
  report: Report,
  flags: BackupFlags,
): Promise<AnswerOf<"CastleBackup">> {
  const spec = await readSpecFile(context, flags.file);
  const shelf = backupShelf(context, spec, flags.to);
  const retention = retentionOf(spec, flags);
  if (flags.dryRun) return dryBackup(context, spec, { shelf, retention });
  const run: BackupRun = {
    castle: spec.castle,
    ground: await standingGround(context, spec.castle),
    store: secretStore(context, spec, report),
    spec: spec.text,
    identity: await userIdentity(context),
    shelf,
    retention,
    report,
    now: context.now,
    signal: context.signal,
  };
  const { name, taken, bytes, objects, removed } = await takeBackup(run);
  const told = `Backup ${name} of castle ${spec.castle.name}: ${objects} objects, ${kibibytes(bytes)}, in ${shelf.description}`;
  const data = {
    castle: spec.castle.name,
    place: shelf.description,
    name,
    dryRun: false,
    taken: taken.toISOString(),
    bytes,
    objects,
    removed,
  };
  if (!flags.prove) return { kind: "CastleBackup", data, text: `${told}\nNext: castle backup --prove` };
  const { installTools, timeout } = flags;
  const proof = await proveOnThrowaway(
    context,
    { spec, report, patience: timeout * 1000, installTools },
    { shelf, name },
  );
  const proved = isProved(proof);
  return {
    kind: "CastleBackup",
    data: { ...data, proof: proofData(proof, proved) },
    text: [told, ...proofText(proof, proved)].join("\n"),
    exit: proved ? 0 : 3,
  };
}

function retentionOf({ castle: { backup } }: SpecFile, { keep, keepDays }: BackupFlags): Retention {
  const count = keep ?? backup?.keep;
  const days = keepDays ?? backup?.keepDays;
  return { ...(count === undefined ? {} : { count }), ...(days === undefined ? {} : { days }) };
}

async function dryBackup(
  context: Context,
  { castle }: SpecFile,
  { shelf, retention }: Pick<BackupRun, "shelf" | "retention">,
): Promise<AnswerOf<"CastleBackup">> {
  const name = backupFileName({ castle: castle.name, taken: context.now() });
  const removed = await wouldLetGo({ castle, shelf, retention, now: context.now });
  return {
    kind: "CastleBackup",
    data: { castle: castle.name, place: shelf.description, name, dryRun: true, removed },
    text: [
      `castle backup would write ${name} to ${shelf.description}`,
      ...removed.map((old) => `  - ${old} would be deleted`),
    ].join("\n"),
  };
}

function proofData({ difference, served }: Proof, proved: boolean) {
  const { same, missing, changed, added } = difference;
  const { kinds, refused, unseen } = served;
  return { proved, same, missing, changed, added, kinds, refused, unseen };
}

/** Lines of each sort of difference that people are shown; -o json has all. */
const SHOWN = 20;

function proofText({ difference, served }: Proof, proved: boolean): readonly string[] {
  if (proved) {
    return [
      `Proved: restored into a castle of its own, ${difference.same} of ${difference.same} objects came back byte for byte, and its API serves all ${served.kinds} kinds`,
    ];
  }
  const lines = [
    ...difference.missing.map((key) => `  - ${key} did not come back`),
    ...difference.changed.map((key) => `  ~ ${key} came back with another content`),
    ...difference.added.map((key) => `  + ${key} is not in the backup`),
    ...served.refused.map((kind) => `  ✗ the API does not list ${kind}`),
    ...served.unseen.map((key) => `  ✗ the API does not show ${key}`),
  ];
  const more = lines.length > SHOWN ? [`  and ${lines.length - SHOWN} more: -o json`] : [];
  return ["Not proved; what was restored differs:", ...lines.slice(0, SHOWN), ...more];
}

export interface BackupsFlags {
  readonly file: string;
  readonly from?: string;
}

/** @throws CastleError backup/place */
export async function listBackups(
  context: Context,
  { file, from }: BackupsFlags,
): Promise<AnswerOf<"CastleBackups">> {
  const spec = await readSpecFile(context, file);
  const { name: castle } = spec.castle;
  const shelf = backupShelf(context, spec, from);
  const backups = await keptBackups(shelf, castle);
  const rows = backups.map(({ name, taken, bytes, proof }) => [
    name,
    taken.toISOString(),
    kibibytes(bytes),
    proof?.at ?? "not proved",
  ]);
  return {
    kind: "CastleBackups",
    data: {
      castle,
      place: shelf.description,
      backups: backups.map(({ name, taken, bytes, proof }) => ({
        name,
        taken: taken.toISOString(),
        bytes,
        ...(proof === undefined ? {} : { proved: proof.at }),
      })),
    },
    text:
      rows.length === 0
        ? `${shelf.description} holds no backup of castle ${castle}`
        : [shelf.description, table([["BACKUP", "TAKEN", "SIZE", "PROVED"], ...rows])].join("\n"),
  };
}

function kibibytes(bytes: number): string {
  return bytes < 10 * 1024 ** 2 ? `${Math.ceil(bytes / 1024)} KiB` : `${Math.ceil(bytes / 1024 ** 2)} MiB`;
}
