import { CastleError } from "../../errors/castle-error.ts";
import { poll } from "../../support/poll.ts";
import type { CastleNode } from "../../spec/castle.ts";
import { bootstrap } from "../../talos/machine.ts";
import { services } from "../../talos/services.ts";
import type { CastleRun } from "../castle-run.ts";
import type { NodeClients } from "./node-clients.ts";

/** Milliseconds for a control plane's etcd to be ready to be bootstrapped, or to show that it was. */
const WITHIN = 300_000;

/** What a node may answer while it starts its services on a fresh configuration. */
const STARTING = new Set(["talos/not-ready", "talos/unreachable", "talos/refused"]);

/**
 * Makes the first control plane the first member of etcd, once in a castle's life: never where any control plane's etcd
 * has been running already, because a second bootstrap is a second cluster. Always the same node, because Talos
 * accepts a bootstrap again until etcd has data.
 * @param fresh all control planes got their first configuration in this run, so that none can have data
 */
export async function bootstrapOnce(
  run: CastleRun,
  clients: NodeClients,
  fresh: boolean,
): Promise<"bootstrapped" | "already-bootstrapped"> {
  const controlPlanes = run.castle.nodes.filter(({ role }) => role === "controlplane");
  const [first] = controlPlanes;
  if (first === undefined) throw new Error("a castle has a control plane");
  if (!fresh && (await anyMemberRuns(run, clients, controlPlanes))) return "already-bootstrapped";
  const client = await clients.trusted(first);
  return whenStarted(run, first.name, () => bootstrap(client, { signal: run.signal }));
}

/**
 * Waits until every control plane tells. An etcd without data stays in Preparing until somebody bootstraps or lets it
 * join; one with data goes on to Running, with or without quorum.
 */
async function anyMemberRuns(
  run: CastleRun,
  clients: NodeClients,
  controlPlanes: readonly CastleNode[],
): Promise<boolean> {
  const states = await Promise.all(
    controlPlanes.map(async (node) => {
      const client = await clients.trusted(node);
      return whenStarted(run, node.name, async () => {
        const etcd = (await services(client, { signal: run.signal })).find(({ id }) => id === "etcd");
        if (etcd === undefined || etcd.state === "Waiting" || etcd.state === "Initialized") return undefined;
        return etcd.state;
      });
    }),
  );
  return states.some((state) => state !== "Preparing");
}

function whenStarted<T>(run: CastleRun, node: string, look: () => Promise<T | undefined>): Promise<T> {
  let last = "";
  return poll(
    async () => {
      try {
        return await look();
      } catch (error) {
        if (!(error instanceof CastleError) || !STARTING.has(error.code)) throw error;
        last = error.message;
        return undefined;
      }
    },
    {
      every: 100,
      within: WITHIN,
      signal: run.signal,
      onTimeout: () =>
        new CastleError("lifecycle/timed-out", {
          message: `${node}'s etcd was not ready within ${WITHIN / 1000} s: ${last}`,
          hint: `castle talosctl -- -n ${node} service etcd`,
        }),
    },
  );
}
