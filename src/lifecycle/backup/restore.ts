import type { BackupContents } from "../../backup/contents.ts";
import { runStep } from "../../journal/step.ts";
import { isSecretName, type SecretValues } from "../../secrets/store.ts";
import type { CastleRun } from "../castle-run.ts";
import { keepCertificates } from "../certificates/before-down.ts";
import { kubeconfigFromHere } from "../kubeconfig.ts";
import { begun } from "../moves/ledger.ts";
import { changeLedger } from "../moves/ledger-file.ts";
import { reset } from "../reset/reset.ts";
import { type Raised, up } from "../up.ts";
import { nodesAwake } from "./awake.ts";

/**
 * The castle as the backup knows it: secrets back in the store, every node wiped, and raised again with etcd from the
 * snapshot. Killed at any moment and run again it begins with the wipe, so that no half-restored node is ever gone on
 * with; until etcd has the backup's data nobody else raises it, which the ledger sees to. The backup is whole and fit,
 * which was asked before.
 * @param backup the argument of `castle restore` that finds the backup again
 */
export async function restore(
  run: CastleRun,
  { secrets, snapshot }: BackupContents,
  backup: string,
): Promise<Raised> {
  const { report, store } = run;
  await runStep(report, { id: "secrets", title: "Secrets of the backup" }, async () => {
    const lost = await lostSecrets(run, secrets);
    const names = Object.keys(lost);
    // Talos' own first: a store of another castle refuses them, and with them everything.
    await store.put(lost);
    return { detail: names.length === 0 ? `${store.description} has them all` : `${names.length} put back` };
  });
  await keepCertificates(run);
  const goesOn = { verb: "restore", backup } as const;
  await changeLedger(run.home, (ledger) => begun(ledger, goesOn));
  await reset(run, { goesOn });
  const wiped = run.now();
  const raised = await up({ ...run, snapshot });
  const kubeconfig = await store.get("kubeconfig");
  if (kubeconfig !== undefined) await nodesAwake(run, await kubeconfigFromHere(run, kubeconfig), wiped);
  return raised;
}

/** What the store has is as new as the backup's, or newer: a certificate that was renewed since, for example. */
async function lostSecrets(
  { store }: Pick<CastleRun, "store">,
  secrets: BackupContents["secrets"],
): Promise<SecretValues> {
  const lost = await Promise.all(
    [...secrets].map(async ([name, secret]) => {
      if (!isSecretName(name)) return [];
      const kept = await store.get(name);
      return kept === undefined || name === "talos-secrets" ? [[name, secret] as const] : [];
    }),
  );
  return Object.fromEntries(lost.flat());
}
