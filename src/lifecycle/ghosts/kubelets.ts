import type { NodeTestimony } from "../../ghosts/testimony.ts";
import { kubeletTrusts } from "../../kubernetes/kubelet-trust.ts";
import type { Witnesses } from "./testimony.ts";
import type { Patience } from "./witness.ts";

const KUBELET_PORT = 10_250;
/** Milliseconds. */
const WORD = 1_000;

/**
 * Asks the kubelets of machines that run and whose machine API is silent: a worker gets that one's certificate from its
 * control planes, and has none where they are another castle's.
 */
export async function withKubelets(
  { castle, ground, kubeconfig }: Witnesses,
  nodes: readonly NodeTestimony[],
  patience: Patience,
): Promise<readonly NodeTestimony[]> {
  if (kubeconfig === undefined) return nodes;
  const trusts = async (name: string) => {
    const address = castle.nodes.find((node) => node.name === name)?.address;
    if (address === undefined) return undefined;
    const { host, port } = await ground.reach(address, KUBELET_PORT);
    return kubeletTrusts({ host, port, kubeconfig, signal: patience.ended(WORD) });
  };
  return Promise.all(
    nodes.map(async (node) => {
      const { name, answer, machine } = node;
      if (answer !== "silent" || machine === "stopped" || machine === "missing") return node;
      const trusted = await patience.told(trusts(name));
      return trusted === undefined ? node : { ...node, kubelet: trusted ? "trusted" : "foreign" };
    }),
  );
}
