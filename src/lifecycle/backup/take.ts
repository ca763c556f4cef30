import { sealBackup } from "../../backup/archive.ts";
import { backupFileName } from "../../backup/file-name.ts";
import { keptBackups, removeBackup } from "../../backup/kept-backups.ts";
import { outdated } from "../../backup/retention.ts";
import { CastleError } from "../../errors/castle-error.ts";
import { runStep } from "../../journal/step.ts";
import { type SecretStore, valuesOf } from "../../secrets/store.ts";
import type { Secret } from "../../support/secret.ts";
import { clusterIdentity } from "../../talos/cluster-identity.ts";
import { version } from "../../talos/machine.ts";
import { readCredentials } from "../../talos/talosconfig.ts";
import { NodeClients } from "../raise/node-clients.ts";
import type { BackupRun } from "./backup-run.ts";
import { type EtcdReading, readEtcd } from "./read-etcd.ts";
import { sha256 } from "../../support/sha256.ts";

export interface TakenBackup {
  readonly name: string;
  readonly taken: Date;
  readonly bytes: number;
  readonly objects: number;
  /** Backups that the retention let go. */
  readonly removed: readonly string[];
}

/**
 * etcd, secrets, spec and versions in one encrypted file on the shelf, read back before it counts; then those go that
 * the retention keeps no longer.
 * @throws CastleError lifecycle/not-raised, talos/…, backup/…
 */
export async function takeBackup(run: BackupRun): Promise<TakenBackup> {
  const { castle, report, shelf } = run;
  const secrets = await secretsOf(run.store);
  const [bundle, talosconfig] = [secrets.get("talos-secrets"), secrets.get("talosconfig")];
  if (bundle === undefined || talosconfig === undefined) {
    throw new CastleError("lifecycle/not-raised", {
      message: `Castle ${castle.name} is not raised: ${run.store.description} has no ${bundle === undefined ? "Talos secrets" : "talosconfig"}`,
      hint: "castle up",
    });
  }
  const clients = new NodeClients(run, readCredentials(talosconfig));
  try {
    const { reading, talos } = await runStep(report, { id: "snapshot", title: "etcd read" }, async () => {
      const reading = await readEtcd(castle, clients, run.signal);
      const { talos } = await version(await clients.trusted(reading.node), { signal: run.signal });
      return { reading, talos, detail: `${reading.history.objects} objects from ${reading.node.name}` };
    });
    const taken = run.now();
    const name = backupFileName({ castle: castle.name, taken });
    const bytes = await runStep(
      report,
      { id: "keep", title: `Backup kept in ${shelf.description}` },
      async () => {
        const sealed = await seal(run, { reading, talos, taken, secrets, bundle });
        await keep(run, name, sealed);
        return { bytes: sealed.byteLength, detail: name };
      },
    );
    const removed = await letGo(run);
    return { name, taken, bytes: bytes.bytes, objects: reading.history.objects, removed };
  } finally {
    clients.close();
  }
}

/** Names of the backups that the retention would let go, were a backup taken now. */
export async function wouldLetGo(
  run: Pick<BackupRun, "castle" | "shelf" | "retention" | "now">,
): Promise<readonly string[]> {
  const taken = run.now();
  const name = backupFileName({ castle: run.castle.name, taken });
  const kept = await keptBackups(run.shelf, run.castle.name);
  const then = [{ name, taken, bytes: 0, proof: undefined }, ...kept];
  return outdated(then, run.retention, taken).map((backup) => backup.name);
}

async function secretsOf(store: SecretStore): Promise<ReadonlyMap<string, Secret>> {
  const values = Object.entries(await valuesOf(store));
  return new Map(values.flatMap(([name, value]) => (value === undefined ? [] : [[name, value] as const])));
}

interface Sealing {
  readonly reading: EtcdReading;
  readonly talos: string;
  readonly taken: Date;
  readonly secrets: ReadonlyMap<string, Secret>;
  readonly bundle: Secret;
}

function seal(
  { castle, spec, identity }: BackupRun,
  { reading, talos, taken, secrets, bundle }: Sealing,
): Promise<Uint8Array> {
  const { id, authority } = clusterIdentity(bundle);
  const { snapshot, history } = reading;
  const manifest = {
    format: 1,
    castle: castle.name,
    taken: taken.toISOString(),
    cluster: id,
    authority,
    talos,
    kubernetes: castle.kubernetes.version,
    etcd: { revision: String(history.revision), objects: history.objects },
  } as const;
  return sealBackup({ manifest, spec, secrets, snapshot }, identity);
}

/** A place that loses what it was given is found out now and not on the day of the restore. */
async function keep({ shelf }: BackupRun, name: string, sealed: Uint8Array): Promise<void> {
  await shelf.write(name, sealed);
  const back = await shelf.read(name);
  if (back !== undefined && sha256(back) === sha256(sealed)) return;
  throw new CastleError("backup/place", {
    message: `${shelf.description} does not hold what it was given: ${name} ${back === undefined ? "is not there" : "reads back differently"}`,
    hint: "give another place: castle backup --to FOLDER",
  });
}

async function letGo({ castle, report, shelf, retention, now }: BackupRun): Promise<readonly string[]> {
  const names = outdated(await keptBackups(shelf, castle.name), retention, now()).map(({ name }) => name);
  if (names.length === 0) return names;
  await runStep(report, { id: "retention", title: "Older backups deleted" }, async () => {
    for (const name of names) await removeBackup(shelf, name);
    return { detail: `${names.length}` };
  });
  return names;
}
