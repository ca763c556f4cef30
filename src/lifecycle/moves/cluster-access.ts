import { KubernetesApi } from "../../kubernetes/api.ts";
import { readCredentials } from "../../talos/talosconfig.ts";
import { CastleError } from "../../errors/castle-error.ts";
import type { CastleRun } from "../castle-run.ts";
import { kubeconfigFromHere } from "../kubeconfig.ts";
import { NodeClients } from "../raise/node-clients.ts";
import { PowerSwitch } from "../reset/power-switch.ts";

/** Everybody who can be asked about a castle that stands. */
export interface ClusterAccess {
  readonly clients: NodeClients;
  /** Undefined: the castle has no kubeconfig yet. */
  readonly api: KubernetesApi | undefined;
  readonly power: PowerSwitch;
}

/** @throws CastleError lifecycle/not-raised */
export async function withAccess<T>(run: CastleRun, work: (access: ClusterAccess) => Promise<T>): Promise<T> {
  const { castle, store } = run;
  const [talosconfig, kubeconfig] = await Promise.all([store.get("talosconfig"), store.get("kubeconfig")]);
  if (talosconfig === undefined) {
    throw new CastleError("lifecycle/not-raised", {
      message: `Castle ${castle.name} has no credentials in ${store.description}: it has not been raised`,
      hint: "castle up",
    });
  }
  const clients = new NodeClients(run, readCredentials(talosconfig));
  const power = new PowerSwitch(run);
  const api =
    kubeconfig === undefined ? undefined : new KubernetesApi(await kubeconfigFromHere(run, kubeconfig));
  try {
    return await work({ clients, api, power });
  } finally {
    clients.close();
    api?.close();
    await power.close();
  }
}
