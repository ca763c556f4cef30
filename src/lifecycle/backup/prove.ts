import type { BackupContents } from "../../backup/contents.ts";
import { type Difference, compareRestored } from "../../backup/snapshot/difference.ts";
import { runStep } from "../../journal/step.ts";
import { isSecretName, type SecretValues } from "../../secrets/store.ts";
import { controlPlanes } from "../../spec/control-planes.ts";
import type { Secret } from "../../support/secret.ts";
import type { CastleRun } from "../castle-run.ts";
import { bootstrapOnce } from "../raise/bootstrap.ts";
import { configureNode } from "../raise/configure.ts";
import { JoinTurns } from "../raise/join-turns.ts";
import { configOf, ensureIdentity } from "../raise/identity.ts";
import { kubeconfigFromHere } from "../kubeconfig.ts";
import { apiOnVip, fetchKubeconfig } from "../raise/kubernetes.ts";
import { ensureMachines } from "../raise/machines.ts";
import { NodeClients } from "../raise/node-clients.ts";
import { allVoters } from "../raise/quorum.ts";
import { historyOf, readEtcd } from "./read-etcd.ts";
import { type Served, servedObjects } from "./served.ts";

export interface Proof {
  /** etcd's keys: those of the backup beside those that came back. */
  readonly difference: Difference;
  /** What the API makes of them. */
  readonly served: Served;
}

/**
 * Restores a backup into the throwaway castle of the run, from nothing but the backup itself, and compares. Nodes need
 * not be Ready for it: objects are the API server's.
 */
export async function proveBackup(given: CastleRun, backup: BackupContents): Promise<Proof> {
  const run = { ...given, snapshot: backup.snapshot };
  const { castle, report, store } = run;
  await store.put(secretsOf(backup.secrets));
  const { clients, access } = await raiseControlPlane(run);
  try {
    const before = historyOf(backup.snapshot, castle.name);
    const difference = await runStep(
      report,
      { id: "compare", title: "Every object of the backup compared" },
      async () => {
        const { history } = await readEtcd(castle, clients, run.signal);
        const found = compareRestored(before, history);
        const differing = found.missing.length + found.changed.length + found.added.length;
        return { ...found, detail: `${found.same} the same, ${differing} differ` };
      },
    );
    const served = await runStep(report, { id: "served", title: "The API serves them" }, async () => {
      const { history } = await readEtcd(castle, clients, run.signal);
      const looked = await servedObjects(access, history.keysAt(), run.signal);
      // What was deleted while the lists were read was not hidden by the API.
      const later =
        looked.unseen.length === 0
          ? undefined
          : (await readEtcd(castle, clients, run.signal)).history.keysAt();
      const found = { ...looked, unseen: looked.unseen.filter((key) => later?.has(key) ?? true) };
      return { ...found, detail: `${found.objects} objects of ${found.kinds} kinds` };
    });
    return { difference, served };
  } finally {
    clients.close();
  }
}

async function raiseControlPlane(run: CastleRun): Promise<{ clients: NodeClients; access: Secret }> {
  const { castle, report } = run;
  const identity = ensureIdentity(run);
  await runStep(report, { id: "machines", title: "A throwaway castle" }, () => ensureMachines(run, identity));
  const { configs, credentials } = await identity;
  const clients = new NodeClients(run, credentials);
  try {
    await runStep(report, { id: "recover", title: "etcd from the snapshot" }, async () => {
      const turns = new JoinTurns(run, clients);
      for (const node of controlPlanes(castle)) {
        await configureNode({ run, clients, turns }, node, configOf({ configs }, node));
      }
      await bootstrapOnce(run, clients, true);
      return allVoters(run, clients);
    });
    await runStep(report, { id: "api", title: "Kubernetes API over it" }, async () => {
      await apiOnVip(run);
      return undefined;
    });
    const access = await kubeconfigFromHere(run, await fetchKubeconfig(run, clients));
    return { clients, access };
  } catch (error) {
    clients.close();
    throw error;
  }
}

function secretsOf(secrets: BackupContents["secrets"]): SecretValues {
  return Object.fromEntries([...secrets].filter(([name]) => isSecretName(name)));
}
