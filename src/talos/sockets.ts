import { soleAnswer } from "./answer.ts";
import { calls } from "./calls.ts";
import type { CallSettings, TalosClient } from "./client.ts";

/** A TCP socket that waits for connections. */
export interface ListeningSocket {
  /** NAMESPACE/NAME of the pod whose network it is in; undefined: the node's own, where pods on the host's network are too. */
  readonly pod: string | undefined;
  /** 0.0.0.0 and :: are every address. */
  readonly address: string;
  readonly port: number;
}

/** Everything that listens on a node, in its own network and in every pod's. @throws CastleError talos/… */
export async function listeningSockets(
  client: TalosClient,
  settings: CallSettings = {},
): Promise<readonly ListeningSocket[]> {
  const [containers, sockets] = await Promise.all([
    client.call(calls.containers, { namespace: "k8s.io", driver: "CRI" as const }, settings),
    client.call(
      calls.netstat,
      {
        filter: "LISTENING" as const,
        feature: { pid: false },
        l4proto: { tcp: true, tcp6: true, udp: false, udp6: false },
        netns: { hostnetwork: true, allnetns: true },
      },
      settings,
    ),
  ]);
  const pods = new Map(
    soleAnswer(client, "Containers", containers)
      .containers.filter(({ networkNamespace }) => /^\w/.test(networkNamespace))
      .map(({ networkNamespace, podId }) => [networkNamespace, podId]),
  );
  return soleAnswer(client, "Netstat", sockets).connectrecord.flatMap(
    ({ state, netns, localip, localport }): ListeningSocket[] => {
      if (state !== "LISTEN") return [];
      const pod = pods.get(netns);
      // A network that is neither the node's own nor a pod's: one that is being made or taken away.
      if (pod === undefined && netns !== "") return [];
      return [{ pod, address: localip, port: localport }];
    },
  );
}
