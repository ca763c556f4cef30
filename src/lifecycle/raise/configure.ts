import { CastleError } from "../../errors/castle-error.ts";
import type { CastleNode } from "../../spec/castle.ts";
import { poll } from "../../support/poll.ts";
import type { Secret } from "../../support/secret.ts";
import { TalosClient } from "../../talos/client.ts";
import { applyConfig } from "../../talos/machine.ts";
import { type Standing, standing } from "../../talos/standing.ts";
import type { CastleRun } from "../castle-run.ts";
import type { JoinTurns } from "./join-turns.ts";
import type { NodeClients } from "./node-clients.ts";

export type Configured = "new" | "already-ours";

export interface Configuring {
  readonly run: Pick<CastleRun, "signal" | "patience">;
  readonly clients: NodeClients;
  readonly turns: JoinTurns;
  /** Powers a silent node's machine on where that is off. */
  readonly wake?: (node: CastleNode) => Promise<void>;
}

/**
 * Brings one node from whatever it is to having a configuration of this castle. A node that has one already is left as
 * it is: changes of a running castle are made one node at a time, later.
 * @throws CastleError lifecycle/foreign-node, talos/unreachable, talos/config-rejected
 */
export async function configureNode(
  { run, clients, turns, wake }: Configuring,
  node: CastleNode,
  config: Secret,
): Promise<Configured> {
  const { signal, patience } = run;
  const endpoint = await clients.endpoint(node);
  let last: Standing = { kind: "silent", reason: "it was never asked" };
  const settled = <T>(look: (found: "ours" | "new") => Promise<T | undefined>): Promise<T> =>
    poll(
      async () => {
        last = await standing({ endpoint, name: node.name, credentials: clients.credentials, signal });
        switch (last.kind) {
          case "ours":
          case "new":
            return look(last.kind);
          case "stranger":
            throw foreign(node);
          case "silent":
            await wake?.(node);
            return undefined;
          default:
            return last satisfies never;
        }
      },
      { every: 100, within: patience, signal, onTimeout: () => silent(node, last, patience) },
    );
  const found = await settled((found) => Promise.resolve(found));
  if (found === "ours") {
    if (node.role === "controlplane") turns.stands();
    return "already-ours";
  }
  return turns.take(node, () =>
    settled(async (now) => {
      if (now === "ours") return "already-ours" as const;
      return (await giveFirstConfig(endpoint, node, config, signal)) ? ("new" as const) : undefined;
    }),
  );
}

type NodeEndpoint = Awaited<ReturnType<NodeClients["endpoint"]>>;

/** @returns false if the node was not ready for it, or took it and restarted its API in the same moment */
async function giveFirstConfig(
  endpoint: NodeEndpoint,
  node: CastleNode,
  config: Secret,
  signal: AbortSignal,
): Promise<boolean> {
  const client = new TalosClient({ endpoint, name: node.name });
  try {
    await applyConfig(client, config, { signal });
    return true;
  } catch (error) {
    const passing = ["talos/unreachable", "talos/not-ready", "talos/not-in-maintenance"];
    if (error instanceof CastleError && passing.includes(error.code)) return false;
    throw error;
  } finally {
    client.close();
  }
}

function foreign(node: CastleNode): CastleError {
  return new CastleError("lifecycle/foreign-node", {
    message: `${node.name} (${node.address}) was configured with other secrets: it belongs to another castle, or its disk is left over from an earlier one`,
    hint: "if its disk may go: castle down --yes, then castle up; if this castle's secrets were lost, restore the secret store's file",
    details: { node: node.name, address: node.address },
  });
}

function silent(node: CastleNode, last: Standing, patience: number): CastleError {
  const reason = last.kind === "silent" ? `: ${last.reason}` : "";
  return new CastleError("talos/unreachable", {
    message: `${node.name} (${node.address}) did not answer within ${patience / 1000} s${reason}`,
    hint: `look at its console (castle lab logs ${node.name}, or the hypervisor's own); castle up goes on from here`,
    details: { node: node.name, address: node.address },
  });
}
