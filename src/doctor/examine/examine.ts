import { X509Certificate } from "node:crypto";
import { KubernetesApi } from "../../kubernetes/api.ts";
import { readCredentials } from "../../kubernetes/credentials.ts";
import type { CastleNode } from "../../spec/castle.ts";
import type { Secret } from "../../support/secret.ts";
import type { Examination, HeldCertificate, LanExamination, NodeExamination } from "../examination.ts";
import type { ClusterObjects } from "../manifests/cluster-objects.ts";
import type { Bedside } from "./bedside.ts";
import { clusterState } from "./cluster.ts";
import { heldCertificate } from "./door.ts";
import { examineLan, nodeCertificates } from "./lan.ts";
import { askNameServers } from "./name-servers.ts";
import { examineNode } from "./nodes.ts";
import { readObjects } from "./objects.ts";
import { isFailure } from "../../errors/failure.ts";

/** Milliseconds that one question may take: a dead node must not make health long, and a diagnosis may wait. */
const PATIENCE = { health: 4_000, diagnosis: 15_000 } as const;

/** Asks every node, the API, the network, Git and the secret store at once; whoever is silent is told as such. */
export async function examine(bedside: Bedside): Promise<Examination> {
  const { castle, at, talos, kubeconfig, git, store, thorough, signal } = bedside;
  const patience = patienceOf(bedside);
  const objects =
    kubeconfig === undefined
      ? Promise.resolve({ silent: "the secret store has no kubeconfig" })
      : examineCluster(kubeconfig, signal, patience);
  const [nodes, told, nameServers, lan, shown, tip, kept] = await Promise.all([
    Promise.all(castle.nodes.map((node) => nodeOf(bedside, node))),
    objects,
    kubeconfig === undefined ? [] : askNameServers(kubeconfig, objects, { signal, patience }),
    patiently<LanExamination>({ signal, patience }, () => examineLan(bedside, objects)),
    nodeCertificates(bedside),
    git === undefined ? undefined : patiently({ signal, patience }, git),
    thorough ? patiently({ signal, patience }, store) : { silent: "it was not asked" },
  ]);
  const pages = lan.silent === undefined ? lan.doors.flatMap((door) => door.pages) : [];
  return {
    castle,
    at,
    nodes,
    cluster: told.silent === undefined ? clusterState(told) : told,
    objects: told,
    nameServers,
    lan,
    git: tip,
    store: kept,
    certificates: [
      ...(talos === undefined
        ? []
        : [heldCertificate("talosconfig", new X509Certificate(talos.credentials.certificate))]),
      ...clientCertificate(kubeconfig),
      ...shown,
      ...pages.flatMap(({ certificate }) => certificate ?? []),
    ],
  };
}

/** Of whom the API takes the kubeconfig's bearer for; a token has no end that could be read. */
function clientCertificate(kubeconfig: Secret | undefined): readonly HeldCertificate[] {
  const pem = kubeconfig === undefined ? undefined : readCredentials(kubeconfig).tls.cert;
  return pem === undefined ? [] : [heldCertificate("kubeconfig", new X509Certificate(pem))];
}

function patienceOf({ thorough }: Pick<Bedside, "thorough">): number {
  return thorough ? PATIENCE.diagnosis : PATIENCE.health;
}

async function nodeOf(bedside: Bedside, node: CastleNode): Promise<NodeExamination> {
  const { talos, thorough, signal } = bedside;
  if (talos === undefined) return { node, silent: "the secret store has no talosconfig" };
  return examineNode(node, await talos.client(node), { deadline: patienceOf(bedside), signal, thorough });
}

/** The cluster of any kubeconfig. */
export async function examineCluster(
  kubeconfig: Secret,
  signal: AbortSignal,
  patience: number = PATIENCE.diagnosis,
): Promise<ClusterObjects | { readonly silent: string }> {
  const api = new KubernetesApi(kubeconfig);
  try {
    return await patiently({ signal, patience }, (until) => readObjects(api, until));
  } finally {
    api.close();
  }
}

/** What is not told in time, or is refused, is silent; castle's own faults and an interruption are not. */
async function patiently<T extends object>(
  { signal, patience }: { readonly signal: AbortSignal; readonly patience: number },
  ask: (signal: AbortSignal) => Promise<T>,
): Promise<T | { readonly silent: string }> {
  const deadline = AbortSignal.timeout(patience);
  try {
    return await ask(AbortSignal.any([signal, deadline]));
  } catch (error) {
    if (signal.aborted) throw error;
    if (deadline.aborted || (error instanceof Error && error.name === "TimeoutError"))
      return { silent: `not everything was told within ${patience / 1000} s` };
    if (isFailure(error)) return { silent: error.message };
    throw error;
  }
}
