import { controlPlanes } from "../../spec/control-planes.ts";
import { CastleError } from "../../errors/castle-error.ts";
import { apiAnswers } from "../../kubernetes/api-probe.ts";
import { type ClusterNode, connectCluster } from "../../kubernetes/cluster.ts";
import type { CastleNode } from "../../spec/castle.ts";
import { poll, pollWithin } from "../../support/poll.ts";
import type { Secret } from "../../support/secret.ts";
import { kubeconfig } from "../../talos/kubeconfig.ts";
import type { CastleRun } from "../castle-run.ts";
import { kubeletWords } from "./last-words.ts";
import type { NodeClients } from "./node-clients.ts";
import { firstAnswer } from "../../errors/first-answer.ts";

/** How many times the run's patience Kubernetes gets: on a slow rack its images are pulled within it. */
const IMAGES = 2;
const API_PORT = 6443;

/** Waits until the Kubernetes API answers on the VIP itself. */
export async function apiOnVip({ castle, ground, signal, patience }: CastleRun): Promise<void> {
  const { vip } = castle.network;
  const within = IMAGES * patience;
  const { host, port } = await ground.reach(vip, API_PORT);
  await poll(async () => ((await apiAnswers(host, port, 1_000, signal)) ? true : undefined), {
    every: 100,
    within,
    signal,
    onTimeout: () =>
      new CastleError("lifecycle/timed-out", {
        message: `The Kubernetes API did not answer on the VIP ${vip} within ${within / 1000} s`,
        hint: "castle status shows who holds the VIP; castle talosctl -- service etcd, and -- containers -k",
      }),
  });
}

/** The administrator's kubeconfig as any of the control planes makes it; its server is the VIP. */
export async function fetchKubeconfig(run: CastleRun, clients: NodeClients): Promise<Secret> {
  const planes = controlPlanes(run.castle);
  const within = IMAGES * run.patience;
  const ask = async (node: CastleNode) =>
    kubeconfig(await clients.trusted(node), { signal: run.signal, deadline: 5_000 });
  let last = "";
  return poll(
    () =>
      firstAnswer(planes.map(ask), (failures) => {
        last = failures.map(({ message }) => message).join("; ");
      }),
    {
      every: 250,
      within,
      signal: run.signal,
      onTimeout: () =>
        new CastleError("lifecycle/timed-out", {
          message: `No control plane made a kubeconfig within ${within / 1000} s: ${last}`,
          hint: "castle status",
        }),
    },
  );
}

/**
 * Waits until every node of the spec is Ready in Kubernetes.
 * @throws CastleError lifecycle/timed-out with what the kubelets of the others say
 */
export async function allNodesReady(
  run: CastleRun,
  clients: NodeClients,
  access: Secret,
): Promise<{ detail: string }> {
  const { castle, report, signal } = run;
  const within = IMAGES * run.patience;
  const cluster = connectCluster(access);
  let out: readonly Out[] = castle.nodes.map((node) => ({
    node,
    why: `${node.name}: the API did not answer`,
  }));
  const look = async () => {
    const nodes = await cluster.nodes(signal).catch((error: unknown) => {
      if (error instanceof CastleError && error.code === "kubernetes/unreachable") return undefined;
      throw error;
    });
    if (nodes === undefined) return undefined;
    out = castle.nodes.flatMap((node) => whyNotReady(node, nodes) ?? []);
    const done = castle.nodes.length - out.length;
    const message = `${done} of ${castle.nodes.length}`;
    report({ type: "progress", id: "nodes", message, done, total: castle.nodes.length });
    return out.length === 0 ? true : undefined;
  };
  if ((await pollWithin(look, { every: 250, within, signal })) === true) {
    return { detail: `${castle.nodes.length} nodes` };
  }
  const words = await Promise.all(out.map(({ node }) => kubeletWords(run, clients, node)));
  throw new CastleError("lifecycle/timed-out", {
    message: `Not all nodes were Ready within ${within / 1000} s: ${[...out.map(({ why }) => why), ...words].join("; ")}`,
    hint: `castle talosctl -- -n ${out[0]?.node.address} logs kubelet, and logs cri; castle kubectl -- describe node ${out[0]?.node.name}`,
  });
}

/** A node that is not Ready, and what Kubernetes says of it. */
interface Out {
  readonly node: CastleNode;
  readonly why: string;
}

function whyNotReady(node: CastleNode, nodes: readonly ClusterNode[]): Out | undefined {
  const { name } = node;
  const known = nodes.find((candidate) => candidate.name === name);
  if (known === undefined) return { node, why: `${name} has not registered` };
  return known.ready ? undefined : { node, why: `${name}: ${known.reason ?? "not Ready"}` };
}
