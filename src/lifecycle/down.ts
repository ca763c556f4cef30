import { rm } from "node:fs/promises";
import { runStep } from "../journal/step.ts";
import type { CastleRun } from "./castle-run.ts";
import { keepCertificates } from "./certificates/before-down.ts";
import { forgetCastle } from "./moves/discovery.ts";
import { terraformOf } from "./raise/machines.ts";

/**
 * Deletes the castle's machines, and only what carries its tag. The secrets stay in the store: the next `up` raises the
 * same castle. Running it twice changes nothing.
 * @returns names of the machines that went
 */
export async function down(run: CastleRun): Promise<readonly string[]> {
  const { home, report, signal } = run;
  await keepCertificates(run);
  let gone: readonly string[] = [];
  await runStep(report, { id: "machines", title: "Machines deleted" }, async () => {
    gone = await terraformOf(run).destroy(signal);
    return { detail: gone.length === 0 ? "there were none" : gone.join(", ") };
  });
  if (gone.length > 0) {
    await runStep(report, { id: "forget", title: "Forgotten by discovery" }, () => forgetCastle(run));
  }
  await Promise.all(
    [home.kubeconfig, home.talosconfig, home.ledger].map((file) => rm(file, { force: true })),
  );
  return gone;
}
