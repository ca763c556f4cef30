import { CastleError } from "../../errors/castle-error.ts";
import { isFailure } from "../../errors/failure.ts";
import type { CastleNode } from "../../spec/castle.ts";
import { poll } from "../../support/poll.ts";
import { reset as resetMachine } from "../../talos/machine.ts";
import { standing } from "../../talos/standing.ts";
import type { CastleRun } from "../castle-run.ts";
import type { NodeClients } from "../raise/node-clients.ts";
import type { PowerSwitch } from "./power-switch.ts";

export interface Resetting {
  readonly run: Pick<CastleRun, "ground" | "patience" | "signal">;
  readonly clients: NodeClients;
  readonly power: PowerSwitch;
}

/** What a Talos node keeps of a castle; the boot partitions stay, so that a rack's machine boots into maintenance. */
const PARTITIONS = ["STATE", "EPHEMERAL"] as const;

/** What a node is before its reset. */
export type Found = "ours" | "empty" | "no machine";

/**
 * Waits until a node says what it is. A machine that is off is powered on first, because a disk that nobody empties is
 * what makes a ghost. All nodes are found before the first is wiped: a worker that boots has its machine API's
 * certificate signed by a control plane, and without one it would never answer again.
 * @throws CastleError lifecycle/foreign-node, talos/unreachable
 */
export async function findNode({ run, clients, power }: Resetting, node: CastleNode): Promise<Found> {
  const { patience, signal } = run;
  const endpoint = await clients.endpoint(node);
  let last = "it was never asked";
  return poll(
    async () => {
      // Looked at each time: one that an earlier run has told to reset may go off only now.
      const state = await power.state(node);
      if (state === "missing") return "no machine" as const;
      if (state === "stopped") await power.on(node);
      const found = await standing({ endpoint, name: node.name, credentials: clients.credentials, signal });
      switch (found.kind) {
        case "new":
          return "empty" as const;
        case "ours":
          return "ours" as const;
        case "stranger":
          throw foreign(node);
        case "silent":
          last = found.reason;
          return undefined;
        default:
          return found satisfies never;
      }
    },
    { every: 200, within: patience, signal, onTimeout: () => silent(node, patience, last) },
  );
}

/**
 * Starts the Reset sequence of a node, without its own leave: all members go, so nobody has to be told. One that does not
 * take it may be on its way down, because an earlier run told it the same: then it is waited for until it says what it is.
 * @throws CastleError talos/unreachable, lifecycle/foreign-node
 */
export async function wipeNode(resetting: Resetting, node: CastleNode): Promise<void> {
  const { ground, patience, signal } = resetting.run;
  const client = await resetting.clients.trusted(node);
  let last = "it was never asked";
  await poll(
    async () => {
      try {
        await resetMachine(client, {
          graceful: false,
          reboot: true,
          // A container's disks are folders without partitions: the lab wipes them all.
          ...(ground.kind === "rack" ? { partitions: PARTITIONS } : {}),
          signal,
        });
        return true;
      } catch (error) {
        if (!isFailure(error)) throw error;
        last = error.message;
        return (await findNode(resetting, node)) === "ours" ? undefined : true;
      }
    },
    { every: 200, within: patience, signal, onTimeout: () => silent(node, patience, last) },
  );
}

function foreign(node: CastleNode): CastleError {
  return new CastleError("lifecycle/foreign-node", {
    message: `${node.name} (${node.address}) was configured with other secrets: it does not let this castle reset it`,
    hint: "castle down --yes deletes the machine with its disk, without asking it",
    details: { node: node.name, address: node.address },
  });
}

function silent(node: CastleNode, patience: number, reason: string): CastleError {
  return new CastleError("talos/unreachable", {
    message: `${node.name} (${node.address}) did not answer within ${patience / 1000} s, so it could not be wiped: ${reason}`,
    hint: `castle lab logs ${node.name}, or the hypervisor's console; castle down --yes deletes it without asking it`,
    details: { node: node.name, address: node.address },
  });
}
