import { controlPlanes } from "../../spec/control-planes.ts";
import { CastleError } from "../../errors/castle-error.ts";
import { poll } from "../../support/poll.ts";
import type { CastleNode } from "../../spec/castle.ts";
import { etcdRecover } from "../../talos/etcd-snapshot.ts";
import { bootstrap } from "../../talos/machine.ts";
import { services } from "../../talos/services.ts";
import type { CastleRun } from "../castle-run.ts";
import { refuseUnfinished } from "../moves/tenancy.ts";
import type { NodeClients } from "./node-clients.ts";

/** What a node may answer while it starts its services on a fresh configuration. */
const STARTING = new Set(["talos/not-ready", "talos/unreachable", "talos/refused"]);

/**
 * Makes the first control plane the first member of etcd, once in a castle's life: never where any control plane's etcd
 * has been running already, because a second bootstrap is a second cluster. Always the same node, because Talos
 * accepts a bootstrap again until etcd has data.
 * @throws CastleError lifecycle/unfinished where a restore was begun: this etcd is not to be an empty one
 * @param fresh all control planes got their first configuration in this run, so that none can have data
 */
export async function bootstrapOnce(
  run: CastleRun,
  clients: NodeClients,
  fresh: boolean,
): Promise<"bootstrapped" | "already-bootstrapped"> {
  const planes = controlPlanes(run.castle);
  const [first] = planes;
  if (first === undefined) throw new Error("a castle has a control plane");
  if (!fresh && (await anyMemberRuns(run, clients, planes))) {
    if (run.snapshot !== undefined) throw hasData(run);
    return "already-bootstrapped";
  }
  const { signal, snapshot } = run;
  if (snapshot === undefined) await refuseUnfinished(run, ({ verb }) => verb !== "restore");
  const client = await clients.trusted(first);
  if (snapshot !== undefined) {
    await whenStarted(run, first.name, async () => {
      await etcdRecover(client, snapshot, { signal });
      return true;
    });
  }
  return whenStarted(run, first.name, () => bootstrap(client, { recover: snapshot !== undefined, signal }));
}

/** What a restore meets only where somebody else raised the castle meanwhile. */
function hasData({ castle }: CastleRun): CastleError {
  return new CastleError("lifecycle/foreign-node", {
    message: `etcd of castle ${castle.name} has data already: it does not take the backup's`,
    hint: "castle restore wipes every node first: run it again",
  });
}

/**
 * Waits until one control plane tells that its etcd has data, or every one that it has none. An etcd without data stays
 * in Preparing until somebody bootstraps or lets it join; one with data goes on to Running, with or without quorum.
 * @throws CastleError lifecycle/timed-out if one does not tell and no other has data: it might
 */
async function anyMemberRuns(
  run: CastleRun,
  clients: NodeClients,
  controlPlanes: readonly CastleNode[],
): Promise<boolean> {
  const answered = new AbortController();
  const signal = AbortSignal.any([run.signal, answered.signal]);
  const dataOn = async (node: CastleNode): Promise<true> => {
    const client = await clients.trusted(node);
    const state = await whenStarted({ ...run, signal }, node.name, async () => {
      const etcd = (await services(client, { signal, deadline: 5_000 })).find(({ id }) => id === "etcd");
      if (etcd === undefined || etcd.state === "Waiting" || etcd.state === "Initialized") return undefined;
      return etcd.state;
    });
    if (state === "Preparing") throw new NoData();
    return true;
  };
  try {
    return await Promise.any(controlPlanes.map(dataOn));
  } catch (error) {
    const reasons: readonly unknown[] = error instanceof AggregateError ? error.errors : [error];
    const unknown = reasons.find((reason) => !(reason instanceof NoData));
    if (unknown === undefined) return false;
    throw unknown;
  } finally {
    answered.abort();
  }
}

class NoData extends Error {}

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
      within: run.patience,
      signal: run.signal,
      onTimeout: () =>
        new CastleError("lifecycle/timed-out", {
          message: `${node}'s etcd was not ready within ${run.patience / 1000} s: ${last}`,
          hint: `castle talosctl -- -n ${node} service etcd`,
        }),
    },
  );
}
