import { CastleError } from "../../errors/castle-error.ts";
import { runStep } from "../../journal/step.ts";
import { KubernetesApi } from "../../kubernetes/api.ts";
import type { CastleRun } from "../castle-run.ts";
import { kubeconfigFromHere } from "../kubeconfig.ts";
import { escrowCertificates } from "./escrow.ts";

/** Milliseconds that a castle that is to go has to hand its certificates over. */
const PATIENCE = 8_000;

/** What the cluster renewed since the last `up` would go with its machines. A cluster that is silent keeps nobody waiting. */
export async function keepCertificates(run: CastleRun): Promise<void> {
  const { castle, store, report } = run;
  const { sites = [], ingress } = castle;
  if (sites.length === 0 || ingress?.tls === undefined) return;
  const kubeconfig = await store.get("kubeconfig");
  if (kubeconfig === undefined) return;
  await runStep(report, { id: "keep-certificates", title: "Certificates kept" }, async () => {
    const signal = AbortSignal.any([run.signal, AbortSignal.timeout(PATIENCE)]);
    const api = new KubernetesApi(await kubeconfigFromHere(run, kubeconfig));
    try {
      const hosts = await escrowCertificates({ api, store, sites, now: run.now(), signal });
      return { detail: hosts.length === 0 ? "none is new" : hosts.join(", ") };
    } catch (error) {
      if (!(error instanceof CastleError) || run.signal.aborted) throw error;
      if (!error.code.startsWith("kubernetes/") && error.code !== "command/interrupted") throw error;
      return { detail: "the cluster does not answer" };
    } finally {
      api.close();
    }
  });
}
