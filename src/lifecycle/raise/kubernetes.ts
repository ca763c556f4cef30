import { controlPlanes } from "../../spec/control-planes.ts";
import { CastleError } from "../../errors/castle-error.ts";
import { apiAnswers } from "../../kubernetes/api-probe.ts";
import { type ClusterNode, connectCluster } from "../../kubernetes/cluster.ts";
import type { CastleNode } from "../../spec/castle.ts";
import { poll } from "../../support/poll.ts";
import type { Secret } from "../../support/secret.ts";
import { kubeconfig } from "../../talos/kubeconfig.ts";
import type { CastleRun } from "../castle-run.ts";
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

/** Waits until every node of the spec is Ready in Kubernetes. */
export async function allNodesReady(run: CastleRun, access: Secret): Promise<{ detail: string }> {
  const { castle, report, signal } = run;
  const within = IMAGES * run.patience;
  const cluster = connectCluster(access);
  let last = "the API did not answer";
  await poll(
    async () => {
      const nodes = await cluster.nodes(signal).catch((error: unknown) => {
        if (error instanceof CastleError && error.code === "kubernetes/unreachable") return undefined;
        throw error;
      });
      if (nodes === undefined) return undefined;
      const waiting = castle.nodes.flatMap(({ name }) => whyNotReady(name, nodes) ?? []);
      last = waiting.join("; ");
      const done = castle.nodes.length - waiting.length;
      report({
        type: "progress",
        id: "nodes",
        message: `${done} of ${castle.nodes.length}`,
        done,
        total: castle.nodes.length,
      });
      return waiting.length === 0 ? true : undefined;
    },
    {
      every: 250,
      within,
      signal,
      onTimeout: () =>
        new CastleError("lifecycle/timed-out", {
          message: `Not all nodes were Ready within ${within / 1000} s: ${last}`,
          hint: "castle kubectl -- describe node NODE",
        }),
    },
  );
  return { detail: `${castle.nodes.length} nodes` };
}

function whyNotReady(name: string, nodes: readonly ClusterNode[]): string | undefined {
  const node = nodes.find((candidate) => candidate.name === name);
  if (node === undefined) return `${name} has not registered`;
  return node.ready ? undefined : `${name}: ${node.reason ?? "not Ready"}`;
}
