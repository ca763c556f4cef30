import { X509Certificate } from "node:crypto";
import { KubernetesApi } from "../../kubernetes/api.ts";
import type { Castle, CastleNode } from "../../spec/castle.ts";
import type { Secret } from "../../support/secret.ts";
import type { TalosClient } from "../../talos/client.ts";
import type { Credentials } from "../../talos/talosconfig.ts";
import type { Examination, NodeExamination } from "../examination.ts";
import { examineCluster } from "./cluster.ts";
import { examineNode } from "./nodes.ts";

/** Milliseconds that one question may take: a dead node must not make an examination long. */
const PATIENCE = 4_000;

/** Whom to ask, and with what. */
export interface Bedside {
  readonly castle: Castle;
  readonly at: Date;
  /** Undefined: there are no credentials for the machine API. */
  readonly talos:
    | { readonly credentials: Credentials; client(node: CastleNode): Promise<TalosClient> }
    | undefined;
  /** A kubeconfig that works from here. */
  readonly kubeconfig: Secret | undefined;
  readonly signal: AbortSignal;
}

/** Asks every node and the API at once; whoever is silent is told as such. */
export async function examine(bedside: Bedside): Promise<Examination> {
  const { castle, at, talos, kubeconfig, signal } = bedside;
  const [nodes, cluster] = await Promise.all([
    Promise.all(castle.nodes.map((node) => nodeOf(bedside, node))),
    kubeconfig === undefined
      ? { silent: "the secret store has no kubeconfig" }
      : clusterOf(kubeconfig, signal),
  ]);
  const certificates =
    talos === undefined
      ? []
      : [
          {
            object: "talosconfig",
            until: new Date(new X509Certificate(talos.credentials.certificate).validTo),
          },
        ];
  return { castle, at, nodes, cluster, certificates };
}

async function nodeOf({ talos, signal }: Bedside, node: CastleNode): Promise<NodeExamination> {
  if (talos === undefined) return { node, silent: "the secret store has no talosconfig" };
  return examineNode(node, await talos.client(node), { deadline: PATIENCE, signal });
}

async function clusterOf(kubeconfig: Secret, signal: AbortSignal) {
  const api = new KubernetesApi(kubeconfig);
  const deadline = AbortSignal.timeout(PATIENCE);
  try {
    return await examineCluster(api, AbortSignal.any([signal, deadline]));
  } catch (error) {
    if (signal.aborted || !deadline.aborted) throw error;
    return { silent: `the API did not tell everything within ${PATIENCE / 1000} s` };
  } finally {
    api.close();
  }
}
