import type { CastleNode } from "../../spec/castle.ts";
import { logLines } from "../../talos/logs.ts";
import { services } from "../../talos/services.ts";
import { lastWord } from "../../talos/last-word.ts";
import type { CastleRun } from "../castle-run.ts";
import type { NodeClients } from "./node-clients.ts";

/** Lines of a log that are asked for: a start that failed says why within its last ones. */
const TAIL = 60;
/** Milliseconds for one node, which may be dead. */
const DEADLINE = 5_000;

/**
 * What the kubelet of a node that stays out of Kubernetes says of itself: its state and why its last start
 * failed. Asked only once a wait is over. A node that does not answer is told so; never throws.
 */
export async function kubeletWords(run: CastleRun, clients: NodeClients, node: CastleNode): Promise<string> {
  const settings = { signal: run.signal, deadline: DEADLINE };
  try {
    const client = await clients.trusted(node);
    const kubelet = (await services(client, settings)).find(({ id }) => id === "kubelet");
    const lines = await logLines(client, "kubelet", { ...settings, tail: TAIL });
    const state = kubelet === undefined ? "not started" : `${kubelet.state}, ${kubelet.health}`;
    const word = lastWord(lines);
    return `kubelet of ${node.name} is ${state}${word === undefined ? "" : `: ${word}`}`;
  } catch (error) {
    return `kubelet of ${node.name} could not be asked: ${error instanceof Error ? error.message : String(error)}`;
  }
}
