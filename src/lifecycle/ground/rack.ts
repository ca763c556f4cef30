import { connect } from "node:net";
import { schematicId } from "../../infra/schematic.ts";
import type { Castle, ProxmoxHypervisor } from "../../spec/castle.ts";
import type { Secret } from "../../support/secret.ts";
import { rackGround as nodesOfRack } from "../../talos/ground.ts";
import type { Ground } from "./ground.ts";

const API_PORT = 6443;
/** Ports that a Talos node, a Kubernetes API, a hypervisor, a router or a common host listens on. */
const TELLING_PORTS = [50_000, API_PORT, 22, 80, 443, 8006] as const;
/** Milliseconds that a host on the same network has to answer. */
const PATIENCE = 700;

/** A castle on real Proxmox hosts, reached directly from the network that this machine is on. */
export function rackGround(castle: Castle, hypervisor: ProxmoxHypervisor, token: Secret): Ground {
  const { endpoint, hosts, datastore, imageDatastore, bridge, insecure } = hypervisor;
  const schematic = schematicId(castle.talos.extensions);
  return {
    kind: "rack",
    proxmox: {
      endpoint,
      token,
      trust: insecure ? { kind: "insecure" } : { kind: "system" },
      hosts,
      datastore,
      imageDatastore,
      bridge,
    },
    nodes: nodesOfRack({ schematic, version: castle.talos.version }),
    reach: (host, port) => Promise.resolve({ host, port }),
    api: () => Promise.resolve({ host: castle.network.vip, port: API_PORT }),
    occupant: async (address) => {
      const answers = await Promise.all(TELLING_PORTS.map((port) => answersOn(address, port)));
      const port = TELLING_PORTS.find((_, index) => answers[index]);
      return port === undefined ? undefined : `a host that answers on port ${port}`;
    },
    announce: () => Promise.resolve(),
    platform: () => {
      const url = castle.gitops?.repository ?? "";
      return Promise.resolve({ repository: { inside: url, outside: url } });
    },
    standIns: [],
  };
}

/** Open or refused: either way a host is there. */
function answersOn(host: string, port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect({ host, port, timeout: PATIENCE });
    const settle = (answer: boolean) => {
      socket.destroy();
      resolve(answer);
    };
    socket.once("connect", () => settle(true));
    socket.once("timeout", () => settle(false));
    socket.once("error", (error: NodeJS.ErrnoException) => settle(error.code === "ECONNREFUSED"));
  });
}
