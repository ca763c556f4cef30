import { CastleError } from "../../errors/castle-error.ts";
import { apiAnswers } from "../../kubernetes/api-probe.ts";
import type { CastleNode } from "../../spec/castle.ts";
import { poll } from "../../support/poll.ts";
import { machineState } from "../../talos/stage.ts";
import type { CastleRun } from "../castle-run.ts";
import type { NodeClients } from "./node-clients.ts";
import { allVoters } from "./quorum.ts";
import { isFailure } from "../../errors/failure.ts";

const API_PORT = 6443;

/**
 * Waits until every node is well and stays so: its machine ready, and on a control plane the API answering on its own
 * address.
 * @param steady milliseconds of health without a break
 */
export async function allHealthy(run: CastleRun, clients: NodeClients, steady: number): Promise<void> {
  let last = "";
  let since = performance.now();
  await poll(
    async () => {
      const waiting = await Promise.all(run.castle.nodes.map((node) => unhealthy(run, clients, node)));
      last = waiting.filter((reason) => reason !== undefined).join("; ");
      if (last !== "") since = performance.now();
      return performance.now() - since >= steady ? true : undefined;
    },
    {
      every: 500,
      within: run.patience,
      signal: run.signal,
      onTimeout: () =>
        new CastleError("lifecycle/timed-out", {
          message: `The castle was not healthy again within ${run.patience / 1000} s: ${last}`,
          hint: "castle status; the nodes not yet changed were left as they are",
        }),
    },
  );
  await allVoters(run, clients);
}

async function unhealthy(
  run: CastleRun,
  clients: NodeClients,
  node: CastleNode,
): Promise<string | undefined> {
  try {
    const { stage, ready, unmet } = await machineState(await clients.trusted(node), {
      signal: run.signal,
      deadline: 3_000,
    });
    if (stage === "running" && ready) return await silentApi(run, node);
    return `${node.name} is ${stage}${unmet.length === 0 ? "" : ` (${unmet.map(({ name }) => name).join(", ")})`}`;
  } catch (error) {
    if (isFailure(error)) return error.message;
    throw error;
  }
}

/** An API server that restarts has not told its node yet. */
async function silentApi({ ground, signal }: CastleRun, node: CastleNode): Promise<string | undefined> {
  if (node.role === "worker") return undefined;
  const { host, port } = await ground.reach(node.address, API_PORT);
  return (await apiAnswers(host, port, 2_000, signal))
    ? undefined
    : `the API of ${node.name} does not answer`;
}
